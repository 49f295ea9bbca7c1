// Package contracts_test holds the contracts to their committed gas.
package contracts_test

import (
	"os/exec"
	"testing"
)

// TestGas_isThatOfTheSnapshot measures every path again: whole transactions, against gas-ceilings.txt and gas-snapshot.txt.
func TestGas_isThatOfTheSnapshot(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "./gas.sh").CombinedOutput(); err != nil {
		t.Fatalf("contracts/gas.sh: %v\n%s", err, out)
	}
}

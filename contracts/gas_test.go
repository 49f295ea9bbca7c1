// Package contracts_test holds the contracts to their committed gas.
package contracts_test

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"
)

// build compiles everything once, since two forges that compile at the same time spoil each other's cache.
var build = sync.OnceValue(func() error {
	if out, err := exec.Command("../bin/forge", "build").CombinedOutput(); err != nil {
		return fmt.Errorf("forge build: %w (run make build, or deploy/foundry.sh for the contract tools alone)\n%s", err, out)
	}
	return nil
})

// TestGas_isThatOfTheSnapshot measures every path again: whole transactions, against gas-ceilings.txt and gas-snapshot.txt.
func TestGas_isThatOfTheSnapshot(t *testing.T) {
	t.Parallel()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "./gas.sh").CombinedOutput(); err != nil {
		t.Fatalf("contracts/gas.sh: %v\n%s", err, out)
	}
}

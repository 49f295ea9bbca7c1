package contracts_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/contracts"
	"github.com/kinora/kinora/contracts/bindings"
)

// deployScript runs the deploy script against a chain whose node signs for the rich account.
func deployScript(t *testing.T, url string, args ...string) (string, error) {
	t.Helper()
	forge, err := filepath.Abs("../bin/forge")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), forge, append([]string{"script", "script/Deploy.s.sol:Deploy", "--rpc-url", url,
		"--sender", richKey.Address().Hex()}, args...)...)
	cmd.Env = append(os.Environ(), "DEPLOYER="+richKey.Address().Hex(), "GOVERNANCE="+marketKey("governance").Address().Hex(),
		"PAUSER="+marketKey("pauser").Address().Hex())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestDeployScript_deploysVerifiesAndTellsGo deploys to a chain, reads the addresses it wrote, asks the contracts there, and has the
// script check them again; then it spoils one answer and wants the check to fail.
func TestDeployScript_deploysVerifiesAndTellsGo(t *testing.T) {
	t.Parallel()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	url := startAnvil(t)
	if out, err := deployScript(t, url, "--broadcast", "--unlocked"); err != nil {
		t.Fatalf("deploy: %v\n%s", err, out)
	}
	const path = "deployments/31337.json"
	d, err := contracts.ReadDeployment(path)
	if err != nil {
		t.Fatal(err)
	}
	eth, err := ethclient.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer eth.Close()
	bond := bindings.NewTranscoderBond()
	escrowOf := callOne(t, eth, d.Bond, bond.PackESCROW(), bond.UnpackESCROW)
	if escrowOf != d.Escrow || d.ChainID != worldChainID || d.Asset != (common.Address{}) {
		t.Errorf("the bond is of escrow %s, the file says %+v", escrowOf, d)
	}
	escrow := bindings.NewTicketEscrow()
	if got := callOne(t, eth, d.Escrow, escrow.PackAUTHORITY(), escrow.UnpackAUTHORITY); got != d.Authority {
		t.Errorf("the escrow's authority is %s, the file says %s", got, d.Authority)
	}

	if out, err := deployScript(t, url, "--sig", "check()"); err != nil {
		t.Errorf("check: %v\n%s", err, out)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(written, &fields); err != nil {
		t.Fatal(err)
	}
	fields["thaw_period"] = 3600
	spoilt, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, spoilt, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := deployScript(t, url, "--sig", "check()"); err == nil || !strings.Contains(out, "is not that of TicketEscrow") {
		t.Errorf("a check against another thaw period: %v\n%s", err, out)
	}
}

func TestReadDeployment_refusesAFileThatLacksAContract(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.json")
	if err := os.WriteFile(path, []byte(`{"chain_id":1,"escrow":"0x0000000000000000000000000000000000000001"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := contracts.ReadDeployment(path); err == nil || !strings.Contains(err.Error(), "no address of the") {
		t.Errorf("got %v", err)
	}
}

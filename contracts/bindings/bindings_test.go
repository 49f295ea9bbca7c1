package bindings_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/abigen"
)

var update = flag.Bool("update", false, "write the bindings anew (contracts/generate.sh)")

// TestBindings_areThoseOfTheSources compiles contracts/src afresh and generates the bindings from the result: ABI, deploy
// bytecode and Go code must all be the committed ones.
func TestBindings_areThoseOfTheSources(t *testing.T) {
	t.Parallel()
	project, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	forge := filepath.Join(project, "node_modules", ".bin", "forge")
	if _, err := os.Stat(forge); err != nil {
		t.Fatalf("forge is not installed (%v): run make build, or deploy/foundry.sh for the contract tools alone", err)
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), forge, "build", "--skip", "test",
		"--out", filepath.Join(dir, "out"), "--cache-path", filepath.Join(dir, "cache"))
	build.Dir = project // solc.js is found from there
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("forge build: %v\n%s", err, out)
	}

	for _, contract := range []struct {
		name, file string
		aliases    map[string]string
	}{
		{"TicketEscrow", "ticket_escrow.go", nil},
		// Functions of two results get a type named after them; this one is the escrow's too.
		{"TranscoderBond", "transcoder_bond.go", map[string]string{"lastPause": "lastBondPause"}},
		{"TranscoderBondProxy", "transcoder_bond_proxy.go", nil},
		{"ServiceRegistry", "service_registry.go", nil},
		{"Authority", "authority.go", nil},
	} {
		artifact := filepath.Join(dir, "out", contract.name+".sol", contract.name+".json")
		b, err := os.ReadFile(artifact)
		if err != nil {
			t.Fatal(err)
		}
		var compiled struct {
			ABI      json.RawMessage `json:"abi"`
			Bytecode struct {
				Object string `json:"object"`
			} `json:"bytecode"`
		}
		if err := json.Unmarshal(b, &compiled); err != nil {
			t.Fatalf("%s: %v", artifact, err)
		}
		want, err := abigen.BindV2([]string{contract.name}, []string{string(compiled.ABI)}, []string{compiled.Bytecode.Object},
			"bindings", map[string]string{}, contract.aliases)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(contract.file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(contract.file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s is not what the sources and the pinned compiler give: run contracts/generate.sh and commit it", contract.file)
		}
	}
}

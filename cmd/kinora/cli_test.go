package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kinora/kinora/cmd/kinora/internal/settings"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// TestMain lets the scripts run this binary as kinora.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"kinora": main}) }

// TestScripts runs testdata/script: each file is one topic of the command line, told as a user meets it. Scripts see none of
// this process's KINORA_* variables, a chain of their own process at $RPC on
// which `fund` is rich, and kinora-media as $MEDIA_CHILD.
func TestScripts(t *testing.T) {
	t.Parallel()
	rich := newBank(t)
	child, err := media.Find()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each of the many processes sleeps a second at its end
			env.Setenv("MEDIA_CHILD", child)
			env.Setenv("KINORA_FFMPEG", mediatest.FFmpeg(t))
			env.Setenv("RPC", rich.url)
			child, err := media.Find() // scripts run elsewhere
			if err != nil {
				return err
			}
			env.Setenv("CHILD", child)
			env.Setenv("RPC_ADDR", strings.TrimPrefix(rich.url, "http://"))
			env.Values["secrets"] = &[]string{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"secret":    secret,
			"get":       get,
			"is":        is,
			"sums":      sums,
			"uncomment": uncomment,
			"same":      same,
			"fund":      rich.fund,
			"clef":      rich.clef,
			"database":  rich.database,
			"win":       rich.win,
			"chaintime": rich.chaintime,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// exits runs `CODE PROGRAM ARGS…`, wants that exit code, and wants no registered secret in what it printed.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	printed := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for _, s := range *ts.Value("secrets").(*[]string) {
		if strings.Contains(printed, s) {
			ts.Fatalf("a secret was printed: %q", s)
		}
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// secret registers what must never be printed: `PASSWORDFILE [KEYSTORE]`, the password and the private key.
func secret(ts *testscript.TestScript, _ bool, args []string) {
	all := ts.Value("secrets").(*[]string)
	*all = append(*all, strings.TrimSpace(ts.ReadFile(args[0])))
	if len(args) > 1 {
		signer, err := identity.Load(ts.MkAbs(args[1]), ts.MkAbs(args[0]))
		ts.Check(err)
		*all = append(*all, hex.EncodeToString(crypto.FromECDSA(signer.Key())))
	}
}

// get sets VARIABLE to a field of the JSON printed last: `VARIABLE PATH`, the path with dots, numbers for elements.
func get(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	decoder.UseNumber()
	ts.Check(decoder.Decode(&v))
	for _, step := range strings.Split(args[1], ".") {
		switch at := v.(type) {
		case map[string]any:
			found, ok := at[step]
			if !ok {
				ts.Fatalf("no field %s of %s", step, args[1])
			}
			v = found
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			v = at[i]
		default:
			ts.Fatalf("%s leads nowhere at %s", args[1], step)
		}
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

// is wants two words to be the same.
func is(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 || args[0] != args[1] {
		ts.Fatalf("%q are not the same", args)
	}
}

// sums wants the amounts on both sides of a lone = to add up to the same, to the wei; each may be written with a unit.
func sums(ts *testscript.TestScript, _ bool, args []string) {
	var side [2]protocol.Wei
	right := 0
	for _, a := range args {
		if a == "=" {
			right++
			continue
		}
		w, err := parseAmount(a)
		ts.Check(err)
		side[right] = side[right].Add(w)
	}
	if right != 1 || side[0] != side[1] {
		ts.Fatalf("%s: %s on one side, %s on the other", args, side[0], side[1])
	}
}

// uncomment makes every commented setting of the file stand: `FROM TO`.
func uncomment(ts *testscript.TestScript, _ bool, args []string) {
	stands := regexp.MustCompile(`(?m)^( *)# ([a-z0-9-]+: )`).ReplaceAllString(ts.ReadFile(args[0]), "$1$2")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(stands), 0o600))
}

// same compares two outputs of `config show --json`: equal values, and in the second every one that can be set is from the file.
func same(ts *testscript.TestScript, _ bool, args []string) {
	var before, after map[string][]settings.Setting
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &before))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &after))
	if len(before) != len(roles) || len(after) != len(roles) {
		ts.Fatalf("%d and %d roles", len(before), len(after))
	}
	for _, role := range roles {
		if len(before[role]) < 15 || len(before[role]) != len(after[role]) {
			ts.Fatalf("%s has %d and %d settings", role, len(before[role]), len(after[role]))
		}
		for i, b := range before[role] {
			a := after[role][i]
			if a.Name != b.Name || a.Value != b.Value {
				ts.Fatalf("%s: %s is %q without the file, %s is %q with it", role, b.Name, b.Value, a.Name, a.Value)
			}
			collection := slices.Contains([]string{"orchestrator", "market-orchestrator", "allow-orchestrator", "deny-orchestrator", "party"}, a.Name) // an empty one sets nothing
			if fromFile := strings.HasPrefix(a.Source, args[2]+":"); fromFile == collection {
				ts.Fatalf("%s: %s is from %s", role, a.Name, a.Source)
			}
		}
	}
}

// bank is an account with money on a chain that lives as long as the test.
type bank struct {
	t       *testing.T
	url     string
	account *chain.Account
}

func newBank(t *testing.T) *bank {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer := protocol.NewKeySigner(k)
	c, err := devchain.Start(t.Context(), devchain.Options{Prefund: map[common.Address]protocol.Wei{
		signer.Address(): protocol.NewWei(1e18).Mul(1_000_000)}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := chain.Dial(t.Context(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bank{t, c.URL(), chain.NewAccount(client, signer)}
}

// fund sends `ADDRESS AMOUNT`.
func (b *bank) fund(ts *testscript.TestScript, _ bool, args []string) {
	to, err := parseAddress(args[0])
	ts.Check(err)
	amount, err := parseAmount(args[1])
	ts.Check(err)
	_, err = b.account.Transfer(b.t.Context(), to, amount)
	ts.Check(err)
}

// chaintime makes blocks until the chain's clock has reached `UNIXSECOND`: each is at least a second after the last.
func (b *bank) chaintime(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseUint(args[0], 10, 64)
	ts.Check(err)
	for range 100 {
		now, err := b.account.Client().BlockTime(b.t.Context())
		ts.Check(err)
		if now >= want {
			return
		}
		_, err = b.account.Transfer(b.t.Context(), b.account.Address(), protocol.NewWei(1))
		ts.Check(err)
	}
	ts.Fatalf("the chain's clock does not reach %d", want)
}

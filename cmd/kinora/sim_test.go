package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/sim/payments"
)

var update = flag.Bool("update", false, "write what is compared instead of comparing it")

// printed is what a command prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("kinora %s: exit code %d: %s", strings.Join(args, " "), code, &stderr)
	}
	return stdout.String()
}

func TestSimulationDocument_saysWhatTheSimulatorGives(t *testing.T) {
	t.Parallel()
	const file = "../../docs/payments.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	rows := 0
	for i, line := range lines {
		flags, ok := strings.CutPrefix(line, "| `--")
		if !ok {
			continue
		}
		rows++
		flags, _, _ = strings.Cut("--"+flags, "`")
		want := row(t, flags)
		if *update {
			lines[i] = want
		} else if line != want {
			t.Errorf("%s:%d is\n%s\nand should be\n%s\n(go test ./cmd/kinora -run SimulationDocument -update)", file, i+1, line, want)
		}
	}
	if rows < 10 {
		t.Errorf("%s has %d rows", file, rows)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// row is the line of the table for some flags.
func row(t *testing.T, flags string) string {
	t.Helper()
	var r payments.Result
	if err := json.Unmarshal([]byte(printed(t, append([]string{"sim", "payments", "--json"}, strings.Fields(flags)...)...)), &r); err != nil {
		t.Fatal(err)
	}
	in := fiat{rate: 3000}
	money := func(w protocol.Wei) string {
		_, text, _ := strings.Cut(in.about(w), "(")
		return "$" + strings.TrimSuffix(text, ")")
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %.0f / %.0f / %.0f %% | %s | %s | %s | %s | %s | %s |", flags, money(r.Terms.FaceValue), digits(r.Income.Day.Wins),
		percent(r.Gas.Share), 100*r.Income.Day.CV, 100*r.Income.Week.CV, 100*r.Income.Month.CV, percent(r.Income.Day.None), money(r.Float.P999), money(r.Terms.Allocation),
		percent(r.Float.Refused), money(r.Terms.Balance), percent(r.Ruin.Probability))
}

func TestSimPayments_printsJSONForPrograms(t *testing.T) {
	t.Parallel()
	got := printed(t, "sim", "payments", "--days", "7", "--runs", "1", "--top-up", "168h", "--face-value", "50000gwei", "--win-prob", "1/500", "--json")
	for _, want := range []string{`"fee_wei": "100000000000"`, `"win_prob": "36893488147419104"`, `"face_value_by": "given"`, `"month": null`, `"refused_share": 0`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if got == printed(t, "sim", "payments", "--days", "7", "--runs", "1", "--top-up", "168h", "--face-value", "50000gwei", "--seed", "2", "--json") {
		t.Error("another seed printed the same")
	}
}

func TestSimPayments_namesTheFlagThatCannotBe(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--win-prob 1/500":  "win probability is given without a face value",
		"--win-prob 2":      `win probability "2": want above 0, at most 1`,
		"--gas-share 0.02":  `share "0.02": want a percentage`,
		"--gas-share 101%":  `share "101%": want 0% to 100%`,
		"--payers 3":        "payers: 3 have 1 streams, want at least one each",
		"--top-up 1000h":    "top-up: every 1000h0m0s, want at least one in the 30 days",
		"--fiat dear":       `rate "dear": want what one ether is worth`,
		"--fiat=-1USD":      `rate "-1USD": want what one ether is worth`,
		"--stream-price 1x": "unknown unit",
	} {
		var stdout, stderr bytes.Buffer
		if code := run(append([]string{"sim", "payments"}, strings.Fields(flags)...), &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, %s", flags, code, &stderr)
		}
	}
}

func TestSimMarket_endsWithOneObjectOfRegimes(t *testing.T) {
	t.Parallel()
	args := []string{"sim", "market", "--runs", "1", "--length", "40s", "--regime", "steady,flash", "--policy", "round-robin,kinora,oracle", "--json"}
	var got struct {
		Regimes map[string][]struct {
			Policy   string   `json:"policy"`
			MissRate *float64 `json:"miss_rate"`
			P99      float64  `json:"p99"`
			Regret   *float64 `json:"regret"`
			Cost     string   `json:"wei_per_verified_minute"`
		} `json:"regimes"`
	}
	text := printed(t, args...)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for _, regime := range []string{"steady", "flash"} {
		rows := got.Regimes[regime]
		if len(rows) != 3 || rows[1].Policy != "kinora" || rows[1].MissRate == nil || rows[1].P99 <= 0 || rows[1].Regret == nil || rows[1].Cost == "" {
			t.Errorf("%s: %+v", regime, rows)
		}
	}
	if len(got.Regimes) != 2 || text != printed(t, args...) {
		t.Errorf("%d regimes, or another result from the same seed", len(got.Regimes))
	}
	plot := filepath.Join(t.TempDir(), "market.svg")
	if table := printed(t, append(args[:len(args)-1], "--plot", plot)...); !strings.Contains(table, "round-robin") {
		t.Errorf("no table in\n%s", table)
	}
	if b, err := os.ReadFile(plot); err != nil || !bytes.HasPrefix(b, []byte("<svg ")) {
		t.Errorf("no plot: %v", err)
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"sim", "market", "--policy", "best"}, &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), `policy: "best"`) {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}

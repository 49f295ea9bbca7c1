package payment

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// gasFile reads a list of "name gas" lines.
func gasFile(t *testing.T, path string) map[string]uint64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gas := map[string]uint64{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, number, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if gas[name], err = strconv.ParseUint(number, 10, 64); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return gas
}

// What the roles reckon with is what the contracts may cost at most, and not much more than they do cost: a contract that
// gets dearer or cheaper changes these numbers too.
func TestGas_thatIsReckonedWithIsTheContracts(t *testing.T) {
	t.Parallel()
	ceilings, measured := gasFile(t, "../../contracts/gas-ceilings.txt"), gasFile(t, "../../contracts/gas-snapshot.txt")
	of := func(gas map[string]uint64) (winner, run, ticket uint64) {
		for _, name := range []string{"redeem_batch10", "further_payer_1_ticket", "further_payer_10_tickets"} {
			if gas[name] == 0 {
				t.Fatalf("%s is not among the measured paths", name)
			}
		}
		ticket = (gas["further_payer_10_tickets"] - gas["further_payer_1_ticket"]) / 9
		return gas["redeem_batch10"] / 10, gas["further_payer_1_ticket"] - ticket, ticket
	}
	mostWinner, mostRun, mostTicket := of(ceilings)
	winner, run, ticket := of(measured)
	for _, x := range []struct {
		name                     string
		reckoned, most, measured uint64
	}{{"gasPerWinner", gasPerWinner, mostWinner, winner}, {"gasPerRun", gasPerRun, mostRun, run}, {"gasPerTicket", gasPerTicket, mostTicket, ticket}} {
		if x.reckoned != x.most {
			t.Errorf("%s is %d, the contracts' ceilings allow %d", x.name, x.reckoned, x.most)
		}
		if x.reckoned < x.measured || x.reckoned > x.measured*5/4 {
			t.Errorf("%s is %d, measured are %d: want no less, and at most a quarter more", x.name, x.reckoned, x.measured)
		}
	}
}

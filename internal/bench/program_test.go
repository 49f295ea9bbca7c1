package bench_test

import (
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/bench"
)

func TestNumber_refusesWhatIsNone(t *testing.T) {
	for value, want := range map[string]int{"": 7, "3": 3, "0": 0, "-1": 0, "many": 0} {
		t.Setenv("BENCH_SECONDS", value)
		n, err := bench.Number("BENCH_SECONDS", 7, 1)
		if n != want || (err == nil) != (want > 0) || err != nil && !strings.Contains(err.Error(), "BENCH_SECONDS") {
			t.Errorf("%q: %d, %v", value, n, err)
		}
	}
}

package payments

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Run simulates. The same Config gives the same Result, whatever the machine.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.Validate(); err != nil {
		return Result{}, err
	}
	terms, err := c.terms()
	if err != nil {
		return Result{}, err
	}
	daily := 0
	for i := range c.Payers {
		daily += c.segmentsOfPayer(i)
	}
	if wins := float64(daily) * terms.Probability * float64(c.Days) * float64(c.Runs); wins > maxDraws {
		return Result{}, fmt.Errorf("%d runs of %d days have about %.0f winners, more than %d: simulate fewer, or a larger face value", c.Runs, c.Days, wins, maxDraws)
	}
	s := &tally{config: c, terms: terms, income: make([]counts, len(horizons))}
	for run := range c.Runs {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		// A generator of its own for each run: more runs add to the same ones.
		s.run(rand.New(rand.NewPCG(c.Seed, uint64(run))))
	}
	return s.result(daily), nil
}

// winner is a winning ticket. Its segment is counted from the beginning of the run, within its pair.
type winner struct {
	drawn   time.Duration
	payer   int
	segment int
}

// tally adds up what the runs give.
type tally struct {
	config Config
	terms  Terms

	income  []counts // winners per recipient in each horizon
	wins    uint64
	gas     uint64
	txs     uint64
	pending counts // unredeemed winners of a pair at the admission of each segment
	spent   counts // winners per payer in each interval between top-ups
}

// counts are how often each number of winners was seen.
type counts struct {
	seen []uint64
	n    uint64
}

func (c *counts) add(value, times int) {
	if value >= len(c.seen) {
		c.seen = append(c.seen, make([]uint64, value+1-len(c.seen))...)
	}
	c.seen[value] += uint64(times)
	c.n += uint64(times)
}

func (s *tally) run(r *rand.Rand) {
	c := s.config
	spent := make([][]int, c.Payers)
	for i := range spent {
		spent[i] = make([]int, time.Duration(c.Days)*day/c.TopUp)
	}
	for j := range c.Recipients {
		winners := s.draw(r, j)
		s.recipient(winners)
		redeemed := s.redeem(winners)
		s.float(j, winners, redeemed)
		for _, w := range winners {
			if k := int(w.drawn / c.TopUp); k < len(spent[w.payer]) {
				spent[w.payer][k]++
			}
		}
	}
	for _, intervals := range spent {
		for _, n := range intervals {
			s.spent.add(n, 1)
		}
	}
}

// draw is the lottery of one recipient, by time. From winner to winner it skips a geometric number of tickets, which is the
// same as drawing each.
func (s *tally) draw(r *rand.Rand, recipient int) []winner {
	c := s.config
	var all []winner
	for payer := range c.Payers {
		n := c.segmentsOf(payer, recipient)
		total := n * c.Days
		for k := skip(r, s.terms.Probability); k < total; k += 1 + skip(r, s.terms.Probability) {
			all = append(all, winner{drawn: c.at(n, k), payer: payer, segment: k})
		}
	}
	if c.Payers > 1 {
		slices.SortFunc(all, func(a, b winner) int {
			return cmp.Or(cmp.Compare(a.drawn, b.drawn), cmp.Compare(a.payer, b.payer))
		})
	}
	return all
}

// skip is how many tickets lose before one wins.
func skip(r *rand.Rand, p float64) int {
	if p >= 1 {
		return 0
	}
	n := math.Log(1-r.Float64()) / math.Log1p(-p)
	return int(min(n, math.MaxInt32)) // beyond every horizon
}

// at is when segment k of a pair with n a day is paid.
func (c Config) at(n, k int) time.Duration {
	return time.Duration(k/n)*day + time.Duration(float64(c.Live)*float64(k%n)/float64(n))
}

// before is how many segments of a pair with n a day are paid before t.
func (c Config) before(n int, t time.Duration) int {
	whole := t / day
	part := math.Ceil(float64(n) * float64(t-whole*day) / float64(c.Live))
	return int(whole)*n + min(int(part), n)
}

// recipient counts a recipient's winners by day, week and month.
func (s *tally) recipient(winners []winner) {
	s.wins += uint64(len(winners))
	perDay := make([]int, s.config.Days)
	for _, w := range winners {
		perDay[w.drawn/day]++
	}
	for h, horizon := range horizons {
		for from := 0; from+horizon <= len(perDay); from += horizon {
			sum := 0
			for _, n := range perDay[from : from+horizon] {
				sum += n
			}
			s.income[h].add(sum, 1)
		}
	}
}

// redeem sends the recipient's winners to the chain and says when each is redeemed.
func (s *tally) redeem(winners []winner) []time.Duration {
	c := s.config
	at := make([]time.Duration, len(winners))
	seen := make([]uint64, c.Payers) // the last transaction each payer was in, counted from 1
	for from := 0; from < len(winners); {
		ready := winners[from].drawn + c.Settle
		to := from + 1
		for to < len(winners) && to-from < c.Batch && winners[to].drawn+c.Settle <= ready+c.BatchWait {
			to++
		}
		sent := ready + c.BatchWait
		if to-from == c.Batch {
			sent = winners[to-1].drawn + c.Settle
		}
		payers := 0
		for i := from; i < to; i++ {
			at[i] = sent
			if p := winners[i].payer; seen[p] <= s.txs { // not in this transaction yet
				seen[p] = s.txs + 1
				payers++
			}
		}
		s.txs++
		s.gas += c.GasRedeem + uint64(to-from-1)*c.GasTicket + uint64(payers-1)*c.GasPayer
		from = to
	}
	return at
}

// float counts, for each segment of each pair, how many winners of the pair waited when it was admitted.
func (s *tally) float(recipient int, winners []winner, redeemed []time.Duration) {
	c := s.config
	type span struct{ from, to int } // of segments during which a winner waits
	pairs := make([][]span, c.Payers)
	for i, w := range winners {
		n := c.segmentsOf(w.payer, recipient)
		pairs[w.payer] = append(pairs[w.payer], span{w.segment + 1, max(c.before(n, redeemed[i]), w.segment+1)})
	}
	for payer, spans := range pairs {
		total := c.segmentsOf(payer, recipient) * c.Days
		at, begun, ended := 0, 0, 0 // spans begin and end in the same order
		for at < total {
			next := total
			if begun < len(spans) {
				next = min(next, spans[begun].from)
			}
			if ended < begun {
				next = min(next, spans[ended].to)
			}
			if next > at {
				s.pending.add(begun-ended, next-at)
				at = next
			}
			for begun < len(spans) && spans[begun].from <= at {
				begun++
			}
			for ended < begun && spans[ended].to <= at {
				ended++
			}
		}
	}
}

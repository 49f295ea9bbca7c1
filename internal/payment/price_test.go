package payment_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// Quotes are for anybody, unsigned and as often as they like: the chain's node must not have to answer each.
func TestQuotes_askTheChainOnceInAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, down := uint64(0), false
		of := payment.PriceNow(func(ctx context.Context) (protocol.Wei, error) {
			asked++
			if down {
				return protocol.Wei{}, errors.New("no node answers")
			}
			return protocol.NewWei(asked), ctx.Err()
		})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if cost, err := of(t.Context(), 1000); err != nil || cost.Cmp(protocol.NewWei(1000)) != 0 {
					t.Errorf("%s, %v, want the first price for all", cost, err)
				}
			})
		}
		all.Wait()
		time.Sleep(2 * time.Second)
		if cost, err := of(t.Context(), 10); err != nil || cost.Cmp(protocol.NewWei(20)) != 0 || asked != 2 {
			t.Errorf("later: %s, %v, asked %d times", cost, err, asked)
		}
		time.Sleep(2 * time.Second)
		down = true
		for range 10 {
			if _, err := of(t.Context(), 10); err == nil {
				t.Error("a price without a chain")
			}
		}
		if asked != 3 {
			t.Errorf("asked %d times, want a chain that does not answer to be let alone too", asked)
		}
		time.Sleep(2 * time.Second)
		down = false
		over, end := context.WithCancel(t.Context())
		end()
		_, _ = of(over, 10)
		if cost, err := of(t.Context(), 10); err != nil || cost.Cmp(protocol.NewWei(50)) != 0 {
			t.Errorf("%s, %v: one that went away took the answer from the others", cost, err)
		}
	})
}

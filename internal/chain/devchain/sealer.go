package devchain

import (
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/eth/catalyst"
)

// sealer makes the blocks: one every period, or, where that is zero, as soon as there is a transaction. The node's own loop
// does not say when its last block is done, and a block that is written while the database closes ends the process, without a word.
type sealer struct {
	beacon *catalyst.SimulatedBeacon
	pool   *txpool.TxPool
	stop   chan struct{}
	ended  sync.WaitGroup
}

func startSealer(beacon *catalyst.SimulatedBeacon, pool *txpool.TxPool, period time.Duration) *sealer {
	s := &sealer{beacon: beacon, pool: pool, stop: make(chan struct{})}
	if period > 0 {
		s.ended.Go(func() { s.byTime(period) })
		return s
	}
	due, came := make(chan struct{}, 1), make(chan core.NewTxsEvent)
	heard := pool.SubscribeTransactions(came, true)
	if executable, _ := pool.Stats(); executable > 0 { // came before anybody listened
		due <- struct{}{}
	}
	s.ended.Go(func() { defer heard.Unsubscribe(); s.listen(came, due) })
	s.ended.Go(func() { s.onDemand(due) })
	return s
}

// close returns when no block is being made any more.
func (s *sealer) close() {
	close(s.stop)
	s.ended.Wait()
}

func (s *sealer) byTime(period time.Duration) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		s.beacon.Commit()
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
	}
}

// listen never keeps the pool waiting, which waits for whoever hears of its transactions.
func (s *sealer) listen(came <-chan core.NewTxsEvent, due chan<- struct{}) {
	for {
		select {
		case <-s.stop:
			return
		case <-came:
			select {
			case due <- struct{}{}:
			default:
			}
		}
	}
}

func (s *sealer) onDemand(due <-chan struct{}) {
	for {
		select {
		case <-s.stop:
			return
		case <-due:
		}
		for more := true; more; {
			select {
			case <-s.stop:
				return
			default:
			}
			s.beacon.Commit()
			_ = s.pool.Sync() // fails only when the pool has ended
			executable, _ := s.pool.Stats()
			more = executable > 0
		}
	}
}

package orchestrator

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus/callout"
)

// watch cuts the connections of those that are revoked; when they come again, it is to be paid. What was revoked while no orchestrator
// was there comes first; then what came since the last look at which all were cut, however long that is ago.
func (x *exchange) watch(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	failing, done, known := false, time.Now().Add(-callout.UserLife), map[revocation]*cuts{}
	for {
		began := time.Now()
		err := x.expelRevoked(ctx, began.Sub(done)+owedFor+time.Minute, known)
		if err == nil {
			done = began
		}
		if failed := err != nil && ctx.Err() == nil; failed != failing { // once, not every second
			if failing = failed; failing {
				x.log.Error("some that were revoked cannot be cut off now; trying again", "err", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

type revocation struct {
	transcoder common.Address
	at         int64 // microseconds, by the database's clock
}

// cuts are what was done about a revocation: at once, again for those that were just logging in, and when it is owed nothing more.
type cuts struct {
	first time.Time
	times int
}

func (c cuts) due(ago time.Duration) bool {
	switch c.times {
	case 0:
		return true
	case 1:
		return time.Since(c.first) >= watchAgain
	case 2:
		return ago >= owedFor
	}
	return false
}

// expelRevoked cuts all it can. One that was taken back is cut too, so that it comes in as before.
func (x *exchange) expelRevoked(ctx context.Context, within time.Duration, known map[revocation]*cuts) error {
	list, err := x.store.RevokedWithin(ctx, within)
	if err != nil {
		return err
	}
	stands := make(map[revocation]bool, len(list))
	for _, r := range list {
		of := revocation{r.Transcoder, r.At.UnixMicro()}
		stands[of] = true
		c := known[of]
		if c == nil {
			c = &cuts{first: time.Now()}
			known[of] = c
		}
		if !c.due(r.Ago) {
			continue
		}
		if bad := x.expel(ctx, r.Transcoder); bad != nil {
			err = errors.Join(err, bad)
			continue
		}
		if c.times == 0 {
			c.first = time.Now()
		}
		c.times++
	}
	for of, c := range known {
		if stands[of] {
			continue
		}
		if c.times < 3 {
			if bad := x.expel(ctx, of.transcoder); bad != nil {
				err = errors.Join(err, bad)
				continue
			}
		}
		delete(known, of)
	}
	return err
}

package pgstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// clockAge is how old a reading may be: drift of a millisecond, and a database that moved to another machine.
const clockAge = time.Minute

// Clock tells the database's time, so that replicas agree on when a parameter set ends however wrong the clock of one
// machine is. Between readings it runs by the monotonic clock: nobody's setting the time moves it.
func Clock(ctx context.Context, pool *pgxpool.Pool) (now func() time.Time, err error) {
	c := &clock{pool: pool}
	if err := c.read(ctx); err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	return c.now, nil
}

type clock struct {
	pool *pgxpool.Pool

	mu      sync.Mutex
	reading bool
	at      time.Time // monotonic
	then    time.Time // the database's time at that moment
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := time.Since(c.at)
	if passed > clockAge && !c.reading {
		c.reading = true
		go func() { // ends by its timeout; until then, and should it fail, the old reading goes on
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_ = c.read(ctx)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.reading = false
		}()
	}
	return c.then.Add(passed)
}

// read takes the best of a few readings: the shorter the round trip, the surer the middle of it.
func (c *clock) read(ctx context.Context) error {
	best := time.Duration(1<<63 - 1)
	for range 3 {
		sent := time.Now()
		var micros int64
		if err := c.pool.QueryRow(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).Scan(&micros); err != nil {
			return err
		}
		if trip := time.Since(sent); trip < best {
			best = trip
			c.mu.Lock()
			c.at, c.then = sent.Add(trip/2), time.UnixMicro(micros)
			c.mu.Unlock()
		}
	}
	return nil
}

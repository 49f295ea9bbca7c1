package stage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/bench"
)

const (
	segmentTime = 2 * time.Second
	holdBack    = 3 * segmentTime  // a segment that is released later than this after its last byte is late
	giveUp      = 45 * time.Second // after which a segment is lost
	pushAgain   = 200 * time.Millisecond
)

// Load is what is pushed: so many streams in real time, each with segments of two seconds.
type Load struct {
	Streams  int
	Segments [][]byte // of each stream, in their order
	Name     string   // begins the streams' names
}

// Loss is what became of a load.
type Loss struct {
	Streams, Segments int
	Lost              int           // never released
	Late              int           // released, but later than the hold-back
	LateMost          int           // of one stream
	Longest           time.Duration // from a segment's last byte to its release
	Recovered         time.Duration // from the fault until every stream released in time again
	Why               []string      // the last refusals of lost segments
}

// Run pushes the load; fault is called once, with the streams under way, and returns what is to be undone at their end.
// Encoders push in real time, and again at once when an answer is a failure or none comes.
func (l Load) Run(ctx context.Context, s *Stage, after int, fault func(context.Context) error) (Loss, error) {
	out := Loss{Streams: l.Streams, Segments: l.Streams * len(l.Segments)}
	begin := time.Now().Add(500 * time.Millisecond)
	type release struct {
		stream, seq int
		at          time.Time
		tail        time.Duration
		err         error
	}
	releases := make(chan release, out.Segments)
	var pushes sync.WaitGroup
	for i := range l.Streams {
		offset := segmentTime * time.Duration(i) / time.Duration(l.Streams) // their boundaries are spread
		for seq, body := range l.Segments {
			pushes.Go(func() {
				starts := begin.Add(offset + time.Duration(seq)*segmentTime)
				if !sleep(ctx, time.Until(starts)) {
					return
				}
				last := starts.Add(segmentTime)
				at, err := l.push(ctx, s, i, seq, body, last)
				releases <- release{i, seq, at, at.Sub(last), err}
			})
		}
	}
	struck := begin.Add(time.Duration(after) * segmentTime)
	faulted := make(chan error, 1)
	go func() {
		if !sleep(ctx, time.Until(struck)) || fault == nil {
			faulted <- nil
			return
		}
		faulted <- fault(ctx)
	}()
	pushes.Wait()
	close(releases)
	late := make([]int, l.Streams)
	for r := range releases {
		switch {
		case r.err != nil:
			out.Lost++
			out.Why = append(out.Why, fmt.Sprintf("stream %d segment %d: %v", r.stream, r.seq, r.err))
			out.Recovered = max(out.Recovered, r.at.Sub(struck))
			continue
		case r.tail > holdBack:
			late[r.stream]++
			out.Late++
			out.Recovered = max(out.Recovered, r.at.Sub(struck))
		}
		out.Longest = max(out.Longest, r.tail)
		out.LateMost = max(out.LateMost, late[r.stream])
	}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	return out, <-faulted
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// push is one segment until it is released: as it is encoded first, and whole when that fails.
func (l Load) push(ctx context.Context, s *Stage, stream, seq int, body []byte, last time.Time) (time.Time, error) {
	ctx, cancel := context.WithDeadline(ctx, last.Add(giveUp))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	defer client.CloseIdleConnections()
	var refused error
	for first := true; ; first = false {
		var from io.Reader = bytes.NewReader(body)
		if left := time.Until(last); first && left > 0 {
			from = &bench.Paced{Body: body, Over: left}
		}
		err := l.once(ctx, client, fmt.Sprintf("http://%s/live/%s-%d/%d.ts", s.Broadcaster.HTTP(), l.Name, stream, seq), s.secret, from, len(body))
		if err == nil {
			return time.Now(), nil
		}
		if ctx.Err() == nil {
			refused = err
		}
		if !sleep(ctx, pushAgain) {
			return time.Now(), fmt.Errorf("not released within %s: %w", giveUp, refused)
		}
	}
}

// pushPatience is how long an encoder waits for an answer before it pushes again.
const pushPatience = 15 * time.Second

func (l Load) once(ctx context.Context, client *http.Client, url, secret string, from io.Reader, size int) error {
	ctx, cancel := context.WithTimeout(ctx, pushPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, from)
	if err != nil {
		return err
	}
	req.ContentLength = int64(size)
	req.Header.Set("Accept", "multipart/mixed")
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte("Rendition-Name")) {
		return fmt.Errorf("%s: %.300s", resp.Status, answer)
	}
	return nil
}

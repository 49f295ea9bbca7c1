package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// Push takes one segment: it streams p.Body onward while it arrives and returns when the segment was released or refused.
// Errors are *protocol.Error. When ctx ends after the last byte, the segment goes on without its pusher.
func (d *Desk) Push(ctx context.Context, p Push) (Answer, error) {
	var s *Stream
	waiting, stop := context.WithTimeout(ctx, patience)
	err := pgstore.Patiently(waiting, func() (err error) {
		s, err = d.use(waiting, p.Stream, true)
		return err
	})
	stop()
	if err != nil {
		return Answer{}, err
	}
	if !s.limiter.Allow() {
		d.release(s)
		return Answer{}, protocol.Limited(protocol.RateLimited, "max-pushes-per-second", d.cfg.PushesPerSec, "stream %s is pushed too often", p.Stream)
	}
	seg := &segment{SegmentKey: protocol.SegmentKey{Stream: p.Stream, Seq: p.Seq}, push: p, arrived: time.Now(), whole: make(chan struct{}), done: make(chan struct{}),
		source: verify.NewSource(d.cfg.Verify, p.Announced)}
	work, cancel := context.WithCancelCause(d.ctx)
	seg.cancel = cancel
	d.work.Go(func() {
		defer cancel(nil)
		defer seg.source.Cancel()
		defer d.release(s)
		seg.result, seg.err = s.handle(work, seg)
		close(seg.done)
		seg.rest.Wait()
	})
	if !feed(seg) { // the work is cancelled, or over
		<-seg.done
		return seg.result, seg.err
	}
	select {
	case <-seg.done:
		return seg.result, seg.err
	case <-ctx.Done():
		return Answer{}, protocol.Errorf(protocol.Cancelled, "the pusher went away: %w", ctx.Err())
	}
}

// patience is how long a push to a stream that is not at hand waits for the database.
const patience = 10 * time.Second

// feed passes the body to the source until its end, its failure, or the refusal of the segment. It reports whether the
// source is whole.
func feed(seg *segment) bool {
	buf := make([]byte, 64<<10)
	for {
		n, err := seg.push.Body.Read(buf)
		if n > 0 {
			if _, werr := seg.source.Write(buf[:n]); werr != nil {
				seg.cancel(werr)
				return false
			}
		}
		switch {
		case err == io.EOF:
			seg.ended = time.Now()
			_ = seg.source.Close()
			close(seg.whole)
			return true
		case err != nil:
			var typed *protocol.Error
			if !errors.As(err, &typed) {
				err = protocol.Errorf(protocol.Cancelled, "the body broke off: %w", err)
			}
			seg.cancel(err)
			seg.source.Cancel()
			return false
		}
		select {
		case <-seg.done:
			return false
		default:
		}
	}
}

// handle gives a push its identity and does what follows from it.
func (s *Stream) handle(ctx context.Context, seg *segment) (Answer, error) {
	head, err := seg.source.Head(ctx)
	if err != nil {
		return Answer{}, reason(ctx, err)
	}
	s.recipe(seg, head)
	if err := seg.ladder.Validate(); err != nil {
		return Answer{}, protocol.Errorf(protocol.BadLadder, "%w", err)
	}
	if seg.push.Policy != nil {
		if err := s.setPolicy(ctx, seg.push.Policy); err != nil {
			return Answer{}, err
		}
	}
	found, err := s.admit(ctx, seg)
	if err != nil {
		return Answer{}, reason(ctx, err)
	}
	if found != nil {
		return *found, nil
	}
	s.desk.cfg.Events(protocol.Event{Kind: protocol.SegmentIngested, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq})
	got, err := s.transcode(ctx, seg)
	if err != nil {
		err = reason(ctx, err)
		s.lost(seg, err)
		return Answer{}, err
	}
	return got, nil
}

// recipe decides what is to be made of seg.
func (s *Stream) recipe(seg *segment, head verify.Head) {
	s.mu.Lock()
	if head.FPS > 0 && !s.measured {
		s.fps = rateAbove(head.FPS)
	}
	s.mu.Unlock()
	seg.ladder, seg.labels = seg.push.Ladder, seg.push.Labels
	if seg.ladder == nil {
		seg.ladder = fit(s.desk.cfg.Ladder, head.Width, head.Height)
		seg.labels = nil
		for _, p := range seg.ladder {
			seg.labels = append(seg.labels, p.Name)
		}
	}
}

// reason is why work on a segment really ended: the cause of its context, where that is a refusal, hides behind err.
func reason(ctx context.Context, err error) error {
	var typed *protocol.Error
	if cause := context.Cause(ctx); cause != nil && errors.As(cause, &typed) {
		return cause
	}
	if errors.As(err, &typed) {
		return err
	}
	if ctx.Err() != nil {
		return shuttingDown()
	}
	return err
}

// admit places seg: nil when it begins, otherwise the answer it shares with an earlier push.
func (s *Stream) admit(ctx context.Context, seg *segment) (*Answer, error) {
	for {
		s.mu.Lock()
		e := s.epoch
		other := e.flying[seg.Seq]
		newest, started := e.newest()
		if other == nil && (!started || seg.Seq > newest) {
			err := s.place(seg, e)
			s.mu.Unlock()
			return nil, err
		}
		s.mu.Unlock()
		if other != nil {
			k, err := compare(ctx, other, seg)
			if err != nil {
				return nil, err
			}
			if k != unknown && decide(started, newest, seg.Seq, k) == conflict {
				return nil, protocol.Errorf(protocol.SegmentConflict, "other bytes are being pushed as %s/%d: push these under another number, or again once that one is answered", seg.Stream, seg.Seq)
			}
			select {
			case <-other.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if k == unknown {
				continue
			}
			if other.err == nil {
				return &Answer{Segment: other.result.Segment, Replayed: true, Timing: other.result.Timing}, nil
			}
			if c := protocol.CodeOf(other.err); c == protocol.Cancelled || c == protocol.BodyTooSlow {
				continue // it broke off: this push takes its place
			}
			return nil, other.err
		}
		var record store.Segment
		var kept, found bool
		err := pgstore.Patiently(ctx, func() (err error) {
			record, kept, found, err = s.desk.cfg.Store.Lookup(ctx, protocol.SegmentKey{Stream: s.name, Incarnation: e.incarnation, Seq: seg.Seq})
			return err
		})
		if err != nil {
			return nil, err
		}
		k := unknown
		if found && record.State != store.Missing {
			info, err := seg.source.Info(ctx)
			if err != nil {
				return nil, err
			}
			switch same := info.SHA256 == record.Source; {
			case !same:
				k = recordedOther
			case record.State == store.Failed:
				k = recordedFailed
			default:
				k = recordedSame
			}
		}
		switch decide(started, newest, seg.Seq, k) {
		case answer:
			if !kept {
				return nil, protocol.Errorf(protocol.Stale, "%s was published before and its renditions are no longer kept", record.SegmentKey)
			}
			return &Answer{Segment: record, Replayed: true}, nil
		case begin:
			err = s.placeIf(seg, e, e)
		default:
			err = s.placeIf(seg, e, e.next())
		}
		if !errors.Is(err, errOvertaken) {
			return nil, err
		}
	}
}

var errOvertaken = errors.New("another push changed the stream meanwhile")

// placeIf places seg in epoch to, unless the current one is no longer from.
func (s *Stream) placeIf(seg *segment, from, to *epoch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != from || to.flying[seg.Seq] != nil {
		return errOvertaken
	}
	return s.place(seg, to)
}

// place makes seg a segment of e. s.mu is held.
func (s *Stream) place(seg *segment, e *epoch) error {
	if s.ending > 0 {
		return protocol.Errorf(protocol.Draining, "stream %s is being ended", s.name)
	}
	if s.flying >= s.desk.cfg.MaxInFlight {
		return protocol.Limited(protocol.RateLimited, "max-in-flight", s.desk.cfg.MaxInFlight, "stream %s has %d segments in flight", s.name, s.flying)
	}
	if err := s.desk.sit(s); err != nil {
		return err
	}
	if e != s.epoch {
		s.desk.cfg.Log.Info("the encoder restarted: a new incarnation begins", "stream", s.name, "incarnation", e.incarnation, "seq", seg.Seq)
	}
	s.epoch = e
	seg.epoch, seg.Incarnation = e, e.incarnation
	e.flying[seg.Seq] = seg
	s.flying++
	s.lastPush = time.Now()
	s.takenUp()
	if a := seg.push.Announced; a > s.usual || s.usual == 0 {
		s.usual = a
	}
	s.longest = max(s.longest, min(2*s.usual, s.desk.cfg.MaxDuration))
	s.enqueue(seg)
	return nil
}

// overtaken is how long a segment in flight may stay behind a later push of its bytes before that push takes its place:
// an encoder that tries again does not wait for a connection that is dead.
const overtaken = time.Second

// compare reads the sources of a segment in flight and of a push of its key while both arrive. Unknown: the one in flight
// was settled, broke off or was overtaken before they differed; it is over, or will be in a moment.
func compare(ctx context.Context, flying, push *segment) (known, error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	a, b := flying.source.NewReader(reading), push.source.NewReader(ctx)
	// follow reads what the one in flight has where the push has more; late: it did not come.
	follow := func(x []byte) (n int, err error, late bool) {
		timer := time.AfterFunc(overtaken, stop)
		n, err = io.ReadFull(a, x)
		return n, err, !timer.Stop() && err != nil && !isEnd(err)
	}
	takeOver := func() (known, error) {
		flying.cancel(protocol.Errorf(protocol.Cancelled, "a later push of the same bytes was further: it takes over"))
		return unknown, nil
	}
	x, y := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		m, errB := io.ReadFull(b, y)
		if errB != nil && !isEnd(errB) {
			return unknown, fmt.Errorf("read the push: %w", errB)
		}
		n, errA, late := follow(x[:m])
		switch {
		case !bytes.Equal(x[:n], y[:n]) || isEnd(errA):
			return flyingOther, nil
		case late && ctx.Err() == nil:
			return takeOver()
		case errA != nil:
			return unknown, nil
		case errB == nil:
			continue
		}
		switch extra, errA, late := follow(x[:1]); { // the push has ended: has the one in flight too?
		case extra > 0:
			return flyingOther, nil
		case isEnd(errA):
			return flyingSame, nil
		case late && ctx.Err() == nil:
			return takeOver()
		}
		return unknown, nil
	}
}

func isEnd(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

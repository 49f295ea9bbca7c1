package stream

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
)

// Segments are published in the order of their keys. One that is missing holds back its successors until the hold-back
// after its last source byte, after that of a successor when its own does not come, or after the first byte of the next when
// it was never pushed; then it becomes a gap.

func before(a, b protocol.SegmentKey) int {
	return cmp.Or(cmp.Compare(a.Incarnation, b.Incarnation), cmp.Compare(a.Seq, b.Seq))
}

// holdBack is the time from a segment's last source byte after which it is late.
func (s *Stream) holdBack() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holdBackLocked()
}

func (s *Stream) holdBackLocked() time.Duration {
	target := s.target
	if target == 0 {
		target = playlist.TargetSeconds(max(s.usual, s.desk.cfg.Target))
	}
	return time.Duration(s.desk.cfg.HoldBack*target) * time.Second
}

// placed is the last segment that has a place. s.mu is held.
func (s *Stream) placed() *store.Segment {
	if len(s.window) == 0 {
		return nil
	}
	return &s.window[len(s.window)-1]
}

// passed reports whether the playlists are past key. s.mu is held, or s is not shared yet.
func (s *Stream) passed(key protocol.SegmentKey) bool {
	last := s.placed()
	return last != nil && before(key, last.SegmentKey) <= 0
}

// enqueue gives seg its turn, unless the playlists are past it. s.mu is held.
func (s *Stream) enqueue(seg *segment) {
	if s.passed(seg.SegmentKey) {
		return
	}
	s.dequeue(seg.SegmentKey) // one that failed and is tried again
	i, _ := slices.BinarySearchFunc(s.line, seg.SegmentKey, func(x *segment, k protocol.SegmentKey) int { return before(x.SegmentKey, k) })
	s.line = slices.Insert(s.line, i, seg)
}

func (s *Stream) dequeue(key protocol.SegmentKey) {
	s.line = slices.DeleteFunc(s.line, func(x *segment) bool { return x.SegmentKey == key })
}

// begin makes the stream's row ready for segments of so many seconds.
func (s *Stream) begin(ctx context.Context, targetSeconds int) error {
	s.publishMu.Lock()
	defer s.publishMu.Unlock()
	s.mu.Lock()
	known := s.stored && s.target >= targetSeconds
	grows := s.stored && s.target > 0 && s.target < targetSeconds
	s.mu.Unlock()
	if known {
		return nil
	}
	if err := s.desk.cfg.Store.BeginStream(ctx, s.name, targetSeconds); err != nil {
		return err
	}
	if grows {
		s.desk.cfg.Log.Warn("a segment is longer than the target duration, which grows; players may pause once", "stream", s.name, "seconds", targetSeconds)
	}
	s.mu.Lock()
	policy, begins := s.policy, !s.stored
	s.stored, s.ended, s.target = true, false, max(s.target, targetSeconds)
	s.mu.Unlock()
	if policy != nil && begins { // it was said before there was a row
		return s.desk.cfg.Store.SavePolicy(ctx, s.name, policy)
	}
	return nil
}

// release lets the publisher have a committed segment.
func (s *Stream) release(seg *segment, row store.Segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.ready, seg.row = true, row
	if s.passed(seg.SegmentKey) {
		s.aside = append(s.aside, seg.row)
	}
	seg.epoch.settle(seg.Seq)
	s.flying--
	s.lastPush = time.Now()
	s.changed()
}

// lost forgets a segment that was refused, so that the encoder may push its number anew, or records one that failed here.
func (s *Stream) lost(seg *segment, why error) {
	code := protocol.CodeOf(why)
	failed := (code.HTTPStatus() >= 500 || code == protocol.NoAllocation || code == protocol.InsufficientCredit || code == protocol.BudgetTooSmall) && code != protocol.Draining
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.desk.ctx), 10*time.Second)
	defer cancel()
	if failed {
		failed = s.recordFailure(ctx, seg, code)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if failed {
		seg.failed = true
		seg.epoch.settle(seg.Seq)
	} else {
		s.dequeue(seg.SegmentKey)
		if e := seg.epoch.refuse(seg.Seq); s.epoch == seg.epoch {
			s.epoch = e
		}
	}
	s.flying--
	s.lastPush = time.Now()
	if s.flying == 0 && !s.stored {
		s.desk.rise(s)
	}
	s.changed()
	s.desk.cfg.Log.Warn("segment not published", "segment", seg.SegmentKey.String(), "code", code, "err", why, "failed", failed)
	if failed {
		s.desk.cfg.Events(protocol.Event{Kind: protocol.SegmentFailed, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq, Code: code, Detail: why.Error()})
	}
}

// recordFailure reports whether the failure is on record: only a whole source can have failed.
func (s *Stream) recordFailure(ctx context.Context, seg *segment, code protocol.Code) bool {
	if seg.end().IsZero() {
		return false
	}
	info, err := seg.source.Info(ctx)
	if err != nil {
		return false
	}
	row := store.Segment{SegmentKey: seg.SegmentKey, Source: info.SHA256, Code: code, ArrivedAt: seg.arrived}
	if err = s.begin(ctx, playlist.TargetSeconds(max(info.Duration, s.desk.cfg.Target))); err == nil {
		err = s.desk.cfg.Store.CommitFailed(ctx, &row)
	}
	if err != nil {
		s.desk.cfg.Log.Error("cannot record a failed segment", "segment", seg.SegmentKey.String(), "err", err)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.row = row
	return true
}

// run publishes, removes what is past retention and ends the stream when it is idle, until ctx ends or there is no more to
// do.
func (s *Stream) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		next := s.publishOnce(ctx)
		if s.desk.forget(s) {
			return
		}
		if idle := s.idleAt(); !idle.IsZero() {
			if until := time.Until(idle); until <= 0 {
				s.endIdle(ctx)
			} else {
				next = min(next, until)
			}
		}
		timer.Reset(max(next, time.Millisecond))
		select {
		case <-s.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// rest is how long the publisher sleeps when it waits for nothing in particular.
const rest = 10 * time.Second

// publishOnce places whatever may be placed now and says when to look again.
func (s *Stream) publishOnce(ctx context.Context) time.Duration {
	s.publishMu.Lock()
	defer s.publishMu.Unlock()
	for {
		s.mu.Lock()
		row, wait := s.nextPlace(time.Now())
		s.mu.Unlock()
		if row == nil {
			if err := s.removeOld(ctx, time.Now()); err != nil {
				s.desk.cfg.Log.Error("cannot remove old segments; trying again", "stream", s.name, "err", err)
			}
			return wait
		}
		if err := s.desk.cfg.Store.Publish(ctx, row); err != nil {
			if ctx.Err() == nil {
				s.desk.cfg.Log.Error("cannot publish; trying again", "stream", s.name, "err", err)
			}
			return time.Second
		}
		s.mu.Lock()
		s.window = append(s.window, *row)
		s.nextMSN, s.breaks = row.MSN+1, row.DiscontinuitySequence
		s.dequeue(row.SegmentKey)
		s.changed()
		s.mu.Unlock()
		if row.Gap {
			s.desk.cfg.Log.Warn("a gap was published", "segment", row.SegmentKey.String(), "msn", row.MSN)
			continue
		}
		s.desk.cfg.Events(protocol.Event{Kind: protocol.SegmentPublished, Stream: s.name, Incarnation: row.Incarnation, Seq: row.Seq, Attempt: &row.Attempt,
			Count: row.MSN, Millis: row.Latency.Milliseconds()})
	}
}

// nextPlace is the row to publish next with its place, or nil and how long to wait. s.mu is held.
func (s *Stream) nextPlace(now time.Time) (*store.Segment, time.Duration) {
	for len(s.line) > 0 {
		head, last := s.line[0], s.placed()
		due, at := s.gapDue(head, now)
		if last != nil && last.Incarnation == head.Incarnation && head.Seq > last.Seq+1 && head.Seq-last.Seq-1 <= maxFill {
			newest, _ := s.epoch.newest()
			late := head.arrived.Add(s.holdBackLocked())
			switch {
			case !head.ready && !due:
				return nil, until(at, now)
			case s.ending == 0 && now.Before(late) && (s.epoch.incarnation != head.Incarnation || newest <= last.Seq+1+maxFill):
				return nil, until(late, now) // it may still come
			}
			return s.gap(store.Segment{SegmentKey: protocol.SegmentKey{Stream: s.name, Incarnation: head.Incarnation, Seq: last.Seq + 1}, State: store.Missing, ArrivedAt: now}, head, now), 0
		}
		switch {
		case head.ready:
			return s.media(head.row, now), 0
		case !due:
			return nil, until(at, now)
		case last == nil || len(s.line) == 1 && s.ending > 0: // nothing around it: no gap either
			s.line = s.line[1:]
			s.changed()
			continue
		}
		row := store.Segment{SegmentKey: head.SegmentKey, State: store.Missing, ArrivedAt: head.arrived}
		if head.failed {
			row = head.row
		}
		return s.gap(row, s.successor(), now), 0
	}
	return nil, rest
}

func until(at, now time.Time) time.Duration {
	if at.IsZero() {
		return rest
	}
	return min(rest, max(time.Millisecond, at.Sub(now)))
}

// gapDue reports whether head, if it is not ready, has held back its successors for long enough, else when it will have;
// zero: not before something else happens.
func (s *Stream) gapDue(head *segment, now time.Time) (bool, time.Time) {
	if len(s.line) == 1 && s.ending == 0 {
		return false, time.Time{}
	}
	ended := head.end()
	if ended.IsZero() {
		for _, next := range s.line[1:] {
			if e := next.end(); !e.IsZero() && (ended.IsZero() || e.Before(ended)) {
				ended = e
			}
		}
	}
	if ended.IsZero() {
		return false, time.Time{}
	}
	at := ended.Add(s.holdBackLocked())
	return s.ending > 0 && head.failed || !now.Before(at), at
}

// end is when the last source byte came; zero: not yet.
func (seg *segment) end() time.Time {
	select {
	case <-seg.whole:
		return seg.ended
	default:
		return time.Time{}
	}
}

// successor is the next segment in line whose timestamps are known, if any.
func (s *Stream) successor() *segment {
	for _, seg := range s.line[1:] {
		if seg.ready && seg.Incarnation == s.line[0].Incarnation {
			return seg
		}
	}
	return nil
}

// gap places row as lost. It takes the time up to the next known segment, shared with the other numbers missing before it.
func (s *Stream) gap(row store.Segment, next *segment, now time.Time) *store.Segment {
	last := s.placed()
	target := time.Duration(s.target) * time.Second
	row.Duration = min(last.Duration, target)
	if next != nil && next.ready {
		n := time.Duration(next.Seq - row.Seq)
		if d := playlist.Distance(last.EndPTS(), next.row.FirstPTS) / max(n, 1); d >= 100*time.Millisecond && d <= target {
			row.Duration = d
		}
	}
	row.FirstPTS, row.Gap = last.EndPTS(), true
	return s.at(row, false, now)
}

// media places row, marking a discontinuity where its timeline or its tracks do not continue its predecessor's.
func (s *Stream) media(row store.Segment, now time.Time) *store.Segment {
	last := s.placed()
	broken := s.nextMSN > 0
	if last != nil {
		broken = last.Incarnation != row.Incarnation || !playlist.Follows(last.EndPTS(), row.FirstPTS) ||
			row.FirstPTS < last.FirstPTS && fragmented(row.Renditions)
		for i := len(s.window) - 1; i >= 0 && !broken; i-- {
			if !s.window[i].Gap {
				broken = (s.window[i].State == store.Passed) != (row.State == store.Passed) || !alike(s.window[i].Renditions, row.Renditions)
				break
			}
		}
	}
	return s.at(row, broken, now)
}

func (s *Stream) at(row store.Segment, broken bool, now time.Time) *store.Segment {
	row.MSN, row.PublishedAt, row.Discontinuity, row.DiscontinuitySequence = s.nextMSN, now, broken, s.breaks
	if broken {
		row.DiscontinuitySequence++
	}
	row.ProgramAt = row.ArrivedAt
	if last := s.placed(); last != nil {
		if end := last.ProgramAt.Add(last.Duration); !broken || row.ProgramAt.Before(end) {
			row.ProgramAt = end
		}
	}
	return &row
}

// removeOld takes segments past retention out of window, database and disk, in that order.
func (s *Stream) removeOld(ctx context.Context, now time.Time) error {
	if s.desk.cfg.Retention <= 0 {
		return nil
	}
	s.mu.Lock()
	var old []store.Segment
	if last := s.placed(); last != nil {
		newest := last.PublishedAt
		n, most := 0, len(s.window)-1
		if s.ended {
			newest, most = now, len(s.window)
		}
		for n < most && newest.Sub(s.window[n].PublishedAt) > s.keepFor() {
			n++
		}
		old, s.window = s.window[:n:n], slices.Clone(s.window[n:])
	}
	for len(s.aside) > 0 && now.Sub(s.aside[0].CommittedAt) > s.keepFor() {
		old, s.aside = append(old, s.aside[0]), s.aside[1:]
	}
	s.mu.Unlock()
	if len(old) == 0 {
		return nil
	}
	ids := make([]int64, len(old))
	for i, row := range old {
		ids[i] = row.ID
	}
	if err := s.desk.cfg.Store.Remove(ctx, ids); err != nil {
		return err // the files stay until the sweep at the next start
	}
	for _, row := range old {
		for _, r := range row.Renditions {
			if err := s.desk.cfg.Shelf.Remove(s.name, r.Name, r.File); err != nil {
				return err
			}
			if r.Init != "" && !s.needs(r) {
				if err := s.desk.cfg.Shelf.Remove(s.name, r.Name, r.Init); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// keepFor is the retention, but never less than players need to have a segment that left the playlist a moment ago.
func (s *Stream) keepFor() time.Duration {
	return max(s.desk.cfg.Retention, 12*time.Duration(s.target)*time.Second)
}

// idleAt is when the stream ends for want of pushes; zero: not now.
func (s *Stream) idleAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live || s.flying > 0 || s.ending > 0 || s.desk.cfg.Idle <= 0 {
		return time.Time{}
	}
	return s.lastPush.Add(s.desk.cfg.Idle)
}

func (s *Stream) endIdle(ctx context.Context) {
	s.mu.Lock()
	s.lastPush = time.Now()
	s.mu.Unlock()
	s.desk.cfg.Log.Info("no push for a while: the stream ends", "stream", s.name, "after", s.desk.cfg.Idle)
	s.desk.work.Go(func() {
		if _, err := s.desk.End(ctx, s.name); err != nil && ctx.Err() == nil {
			s.desk.cfg.Log.Error("cannot end an idle stream; trying again", "stream", s.name, "err", err)
		}
	})
}

// flushTime bounds how long the end of a stream insists on its tickets being answered; after that the outbox goes on alone.
const flushTime = 20 * time.Second

// End takes no more pushes of a stream, lets those in flight end, publishes what is left and closes the playlists. From
// then on it refuses no push. It goes on to deliver the stream's tickets, and reports whether all were answered in time
// and before a push took the stream up again. Ending twice does no harm.
func (d *Desk) End(ctx context.Context, name string) (delivered bool, err error) {
	s, err := d.use(ctx, name, false)
	if err != nil {
		return false, err
	}
	if s == nil {
		return false, protocol.Errorf(protocol.NotFound, "there is no stream %q", name)
	}
	defer d.release(s)
	idle, err := s.end(ctx)
	if err != nil {
		return false, err
	}
	d.cfg.Log.Info("stream ended", "stream", name)
	flushed := make(chan error, 1)
	if !d.background(func() {
		flush, cancel := context.WithTimeout(idle, flushTime)
		defer cancel()
		err := d.cfg.Flush(flush, name)
		if err != nil && idle.Err() == nil {
			d.cfg.Log.Warn("not every ticket of a stream that ended was answered; the outbox goes on", "stream", name, "err", err)
		}
		s.mu.Lock()
		s.flushing--
		s.changed()
		s.mu.Unlock()
		flushed <- err
	}) {
		return false, nil
	}
	select {
	case err := <-flushed:
		return err == nil, nil
	case <-ctx.Done():
		return false, nil
	}
}

// end closes the playlists once nothing is left to publish. The context it returns ends when a push takes the stream up
// again: its new parameter sets must not be ended with the old ones.
func (s *Stream) end(ctx context.Context) (idle context.Context, err error) {
	s.mu.Lock()
	s.ending++
	stored := s.stored
	s.changed()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.ending--
		s.mu.Unlock()
	}()
	if !s.await(ctx, func() bool { return s.flying == 0 && len(s.line) == 0 }) {
		return nil, protocol.Errorf(protocol.Unavailable, "stream %s still has segments in flight: %w", s.name, ctx.Err())
	}
	if stored {
		if err := s.desk.cfg.Store.EndStream(ctx, s.name, time.Now()); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.stored = true, false
	s.desk.rise(s)
	s.flushing++ // until the caller has delivered the tickets
	s.epoch = s.epoch.next()
	if s.resume == nil {
		s.idle, s.resume = context.WithCancel(s.desk.ctx)
	}
	s.changed()
	return s.idle, nil
}

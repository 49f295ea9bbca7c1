package stream

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

// When the market refuses a stream, for want of capacity, of a price it may pay, or of money, it does with less: it sheds its
// dearest rungs, then it passes its source through, then it stops, as far as its policy goes. From time to time one segment
// tries a step back up.

// SourceName is the rendition that is the source itself.
const SourceName = "source"

// refused reports whether an error is such a refusal.
func refused(err error) bool {
	switch protocol.CodeOf(err) {
	case protocol.NoCapacity, protocol.PriceAboveMax, protocol.SpendCapReached:
		return true
	}
	return false
}

// policyLocked is what the stream puts up with. s.mu is held.
func (s *Stream) policyLocked() route.Policy {
	p := s.desk.cfg.Policy
	if s.policy != nil {
		p = *s.policy
	}
	return route.Policy{MinRungs: p.MinRungs, PassThrough: p.PassThrough, StopAfter: time.Duration(p.StopSeconds) * time.Second}
}

// plan decides what is made of seg as the stream stands: of its whole ladder, which is kept aside, a part or nothing.
func (s *Stream) plan(seg *segment) route.Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.full, seg.fullLabels = seg.ladder, seg.labels
	for _, p := range seg.full {
		if s.rungs == nil {
			s.rungs = make(map[string]bool)
		}
		s.rungs[p.Name] = !p.SoundOnly() && p.Wrapped() == protocol.TS
	}
	now, policy := time.Now(), s.policyLocked()
	if over, is := s.descent.Exhausted(policy, now); is {
		s.stepLocked(seg, over, protocol.DeadlineExceeded, fmt.Sprintf("its source alone went on for %s", policy.StopAfter))
	}
	if s.anew = s.anew && s.descent.Step == route.Stop && policy.PassThrough; s.anew {
		s.anew = false
		d := s.descent
		d.Step, d.Since = route.PassThrough, now
		s.stepLocked(seg, d, s.code, s.why)
	}
	d := s.descent
	if up, ok := d.Up(policy, now); ok && s.trial == nil && len(up.Makes(seg.full)) > 0 {
		s.trial, d = seg, up
	}
	return seg.makes(d)
}

// makes sets what is made of a segment.
func (seg *segment) makes(d route.Descent) route.Step {
	seg.descent = d
	kept := d.Makes(seg.full)
	if kept == nil {
		return d.At()
	}
	seg.ladder, seg.labels = kept, nil
	for i, p := range seg.full {
		if slices.ContainsFunc(kept, func(k protocol.Profile) bool { return k.Name == p.Name }) {
			seg.labels = append(seg.labels, seg.fullLabels[i])
		}
	}
	return d.At()
}

// descend has seg, which was refused, and its stream do with less; Stop says that there is nothing less.
func (s *Stream) descend(seg *segment, err error) route.Step {
	lack := route.Lack{MaxMillis: s.ask(seg).MaxMillis}
	prices := s.desk.cfg.Market.Prices()
	switch protocol.CodeOf(err) {
	case protocol.NoCapacity:
		lack.Room, _ = market.Room(err)
	case protocol.PriceAboveMax:
		lack.TooDear = s.desk.cfg.Market.TooDear
	case protocol.SpendCapReached:
		if left, bounded := s.desk.cfg.Spend.Left(seg.Stream, time.Now()); bounded {
			lack.Budget = &left
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, base := time.Now(), s.desk.cfg.Calm
	if s.trial == seg { // it stays where it was
		s.trial = nil
		s.descent = s.descent.Refused(base, now)
		s.desk.cfg.Log.Info("a step up was refused", "stream", s.name, "step", s.descent.At(), "next_try_in", s.descent.Calm, "err", err)
		return seg.makes(s.descent)
	}
	if now := s.descent.Makes(seg.full); s.descent.At() != route.Whole && len(now) < len(seg.ladder) { // another segment was told before
		return seg.makes(s.descent)
	}
	d := s.descent.Down(seg.ladder, s.fps, prices, lack, s.policyLocked(), base, now)
	s.stepLocked(seg, d, protocol.CodeOf(err), err.Error())
	return seg.makes(d)
}

// stepLocked takes a step and tells of it. s.mu is held.
func (s *Stream) stepLocked(seg *segment, d route.Descent, code protocol.Code, why string) {
	kind := protocol.StreamDegraded
	if code == "" {
		kind = protocol.StreamRestored
	}
	s.descent, s.why, s.code = d, why, code
	made := d.Makes(seg.full)
	detail := Describe(d, seg.full)
	if why != "" {
		detail += ": " + why
	}
	s.desk.cfg.Log.Warn("what is made of a stream changes", "stream", s.name, "step", d.At(), "made", names(made), "left_out", d.Dropped, "why", why)
	s.desk.cfg.Events(protocol.Event{Kind: kind, Stream: s.name, Incarnation: seg.Incarnation, Seq: seg.Seq, Count: uint64(len(made)), Code: code, Detail: detail})
}

// Describe says what is made.
func Describe(d route.Descent, full protocol.Ladder) string {
	switch d.At() {
	case route.PassThrough:
		return "pass_through: the source alone goes on, unpaid"
	case route.Stop:
		return "stop: nothing is made, pushes are refused"
	case route.Shed:
		return fmt.Sprintf("shed: %s without %s", strings.Join(names(d.Makes(full)), ", "), strings.Join(d.Dropped, ", "))
	}
	return "whole: every rung is made"
}

func names(l protocol.Ladder) []string {
	all := make([]string, len(l))
	for i, p := range l {
		all[i] = p.Name
	}
	return all
}

// held says that seg was made as it was planned: where that was a step up, the stream takes it.
func (s *Stream) held(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trial != seg {
		return
	}
	s.trial = nil
	s.stepLocked(seg, seg.descent.Held(time.Now()), "", "")
}

// untried gives a trial back of which nothing came that says anything.
func (s *Stream) untried(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trial == seg {
		s.trial = nil
		s.descent = s.descent.Refused(s.desk.cfg.Calm, time.Now())
	}
}

// rescue is when a segment that is not verified is passed through rather than lost: an eighth of the hold-back before it is
// late. Zero: never.
func (s *Stream) rescue() time.Duration {
	s.mu.Lock()
	passes := s.policyLocked().PassThrough
	s.mu.Unlock()
	if !passes {
		return 0
	}
	return s.holdBack() * 7 / 8
}

// due reports whether seg is to be passed through now, since it would be late.
func (s *Stream) due(seg *segment) bool {
	limit, ended := s.rescue(), seg.end()
	return limit > 0 && !ended.IsZero() && time.Since(ended) >= limit
}

// orPassOn passes a segment through that the market failed, where the stream's policy has it; what is wrong with the segment
// itself, or with this side, is told.
func (s *Stream) orPassOn(ctx context.Context, seg *segment, failure error) (Answer, error) {
	if s.rescue() == 0 {
		return Answer{}, failure
	}
	switch protocol.CodeOf(failure) {
	case protocol.NoOrchestrator, protocol.NoTranscoder, protocol.NoCapacity, protocol.NoAllocation, protocol.InsufficientCredit, protocol.Unreachable, protocol.DeadlineExceeded,
		protocol.VerificationFailed, protocol.TranscodeFailed, protocol.Draining:
	default:
		return Answer{}, failure
	}
	ctx, cancel := context.WithTimeout(ctx, 2*s.holdBack())
	defer cancel()
	got, err := s.passOn(ctx, seg)
	if err != nil {
		return Answer{}, failure
	}
	return got, nil
}

// passOn publishes the source of seg as its only rendition. Nobody is paid for it.
func (s *Stream) passOn(ctx context.Context, seg *segment) (Answer, error) {
	cfg := s.desk.cfg
	info, err := seg.source.Info(ctx)
	if err != nil {
		return Answer{}, reason(ctx, err)
	}
	media, err := io.ReadAll(seg.source.NewReader(ctx))
	if err != nil {
		return Answer{}, reason(ctx, err)
	}
	file := playlist.FileName(seg.Incarnation, seg.Seq, fmt.Sprintf("%x", info.SHA256[:8]), playlist.TSExtension)
	row := store.Segment{SegmentKey: seg.SegmentKey, State: store.Passed, Source: info.SHA256, ArrivedAt: seg.arrived, Duration: info.Duration, FirstPTS: info.FirstPTS,
		Renditions: []store.Rendition{{Name: SourceName, Label: SourceName, File: file, Bytes: int64(len(media)), SHA256: info.SHA256, Width: info.Width, Height: info.Height,
			Frames: info.Frames, FPS: info.FPS, Codecs: info.Codecs, Duration: info.Duration}}}
	if err := cfg.keep(seg.Stream, row.Renditions[0], media); err != nil {
		return Answer{}, err
	}
	if err := pgstore.Patiently(ctx, func() error { return s.begin(ctx, playlist.TargetSeconds(max(row.Duration, cfg.Target))) }); err != nil {
		return Answer{}, err
	}
	if err := pgstore.Patiently(ctx, func() error {
		row.Latency = max(0, time.Since(seg.ended))
		row.Late = row.Latency > s.holdBack()
		return cfg.Store.CommitPassed(context.WithoutCancel(ctx), &row)
	}); err != nil {
		return Answer{}, err
	}
	s.release(seg, row)
	cfg.Log.Info("segment passed through", "segment", seg.SegmentKey.String(), "ms", row.Latency.Milliseconds())
	return Answer{Segment: row, Timing: Timing{Upload: seg.ended.Sub(seg.arrived)}}, nil
}

// stopped is why a stream that has stopped refuses a push.
func (s *Stream) stopped() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return protocol.Errorf(s.code, "stream %s has stopped, and tries again in %s: %s", s.name, max(0, time.Until(s.descent.Next)).Round(time.Second), s.why)
}

// watch tells, once, that a spend cap is nearly used up.
func (s *Stream) watch(seg *segment) {
	near := s.desk.cfg.Spend.Near(seg.Stream, time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, flag := range near {
		if !slices.Contains(s.near, flag) {
			s.desk.cfg.Log.Warn("a spend cap is nearly used up", "stream", seg.Stream, "cap", flag)
			s.desk.cfg.Events(protocol.Event{Kind: protocol.SpendCapNear, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq,
				Detail: fmt.Sprintf("four fifths of --%s are spent: at the cap this stream does with less, then %s", flag, s.endLocked())})
		}
	}
	s.near = near
}

// endLocked says what the policy ends in. s.mu is held.
func (s *Stream) endLocked() string {
	switch p := s.policyLocked(); {
	case p.PassThrough && p.StopAfter > 0:
		return fmt.Sprintf("passes its source through for %s and stops", p.StopAfter)
	case p.PassThrough:
		return "passes its source through"
	}
	return "stops"
}

// Degraded is how a stream stands when not everything is made of it.
type Degraded struct {
	Step    route.Step
	Made    []string
	LeftOut []string
	Why     string
	Since   time.Time
	Next    time.Time // no step up is tried before
}

// SetPolicy says what a stream puts up with from now on; nil: what the settings say. It is kept with the stream.
func (d *Desk) SetPolicy(ctx context.Context, name string, p *store.Policy) error {
	if p != nil {
		if err := CheckPolicy(*p); err != nil {
			return err
		}
	}
	s, err := d.use(ctx, name, false)
	if err != nil {
		return err
	}
	if s == nil {
		return protocol.Errorf(protocol.NotFound, "there is no stream %q", name)
	}
	defer d.release(s)
	return s.setPolicy(ctx, p)
}

// CheckPolicy names the field that cannot be.
func CheckPolicy(p store.Policy) error {
	switch {
	case p.MinRungs < 0 || p.MinRungs > protocol.MaxProfiles:
		return protocol.Errorf(protocol.BadRequest, "min_rungs is %d, want 0 to %d", p.MinRungs, protocol.MaxProfiles)
	case p.StopSeconds < 0 || p.StopSeconds > 10*366*24*3600:
		return protocol.Errorf(protocol.BadRequest, "stop_after_s is %d, want 0 (never) or more", p.StopSeconds)
	}
	return nil
}

func (s *Stream) setPolicy(ctx context.Context, p *store.Policy) error {
	s.mu.Lock()
	same := p == nil && s.policy == nil || p != nil && s.policy != nil && *p == *s.policy
	s.mu.Unlock()
	if same {
		return nil
	}
	if err := s.desk.cfg.Store.SavePolicy(ctx, s.name, p); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy, s.anew = p, true
	s.descent.Next = time.Time{} // what it puts up with now may allow for more at once
	return nil
}

// Policy is what a stream puts up with, and whether that was said of it.
func (d *Desk) Policy(name string) (p store.Policy, own bool, err error) {
	d.mu.Lock()
	s := d.streams[name]
	d.mu.Unlock()
	if s == nil {
		return p, false, protocol.Errorf(protocol.NotFound, "there is no stream %q", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.policy != nil {
		return *s.policy, true, nil
	}
	return d.cfg.Policy, false, nil
}

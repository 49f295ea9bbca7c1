package stream

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// maxTries bounds the attempts an orchestrator may show in one exchange.
const maxTries = 16

// work is one attempt as it comes in.
type work struct {
	rungs      []int           // of the segment's ladder, which it makes
	ladder     protocol.Ladder // those
	assignment protocol.Signed[protocol.Assignment]
	receipt    protocol.Signed[protocol.Receipt]
	outputs    [][]byte
	bytes      int64 // received
	check      *verify.Check
	judged     chan struct{} // closed when verdict is set; nil until the receipt came
	verdict    verify.Verdict
	received   time.Time // of the receipt
}

// collect reads an exchange until its orchestrator vouches for an attempt, or for one of each part of the ladder, and this side has
// judged them. Attempts that the orchestrator gave up or rejected itself cost nobody anything here.
func (s *Stream) collect(ctx context.Context, seg *segment, choice *market.Choice, exchange *market.Exchange, ask market.Ask, heard func()) (*delivery, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tries := make(map[uint8]*work)
	whole := &delivery{outputs: make([][]byte, len(seg.ladder)), made: make([]*work, len(seg.ladder))}
	most, held := mostBytes(ask), int64(0) // of one attempt, and of all that are open
	defer func() {
		for _, w := range tries {
			w.check.Cancel()
		}
	}()
	bad := func(format string, args ...any) error {
		return protocol.Errorf(protocol.BadRequest, "orchestrator %s: "+format, append([]any{choice.URL}, args...)...)
	}
	for seen := 0; ; {
		f, err := exchange.Next()
		heard()
		if err == io.EOF {
			return nil, protocol.Errorf(protocol.TranscodeFailed, "orchestrator %s ended without a verified attempt", choice.URL)
		}
		if err != nil {
			return nil, err
		}
		if f.Kind == protocol.FrameAttempt {
			if seen++; seen > maxTries || tries[f.Attempt] != nil {
				return nil, bad("attempt %d is one too many", f.Attempt)
			}
			w, err := s.try(ctx, seg, choice, f.Payload)
			if err != nil {
				return nil, err
			}
			tries[f.Attempt] = w
			continue
		}
		w := tries[f.Attempt]
		if w == nil {
			continue // frames of an attempt that is over
		}
		switch f.Kind {
		case protocol.FrameRendition:
			if int(f.Rendition) >= len(w.outputs) || w.judged != nil {
				return nil, bad("bytes of rendition %d, which is not expected", f.Rendition)
			}
			w.bytes += int64(len(f.Payload))
			if held += int64(len(f.Payload)); w.bytes > most || held > maxOpen*most {
				return nil, bad("the renditions of attempt %d have more than %d bytes, or those of all open ones more than %d", f.Attempt, most, maxOpen*most)
			}
			if w.check.Write(int(f.Rendition), f.Payload) == nil { // otherwise Finish says what was wrong; its bytes are not kept
				w.outputs[f.Rendition] = append(w.outputs[f.Rendition], f.Payload...)
			}
		case protocol.FrameReceipt:
			if w.judged != nil {
				return nil, bad("a second receipt")
			}
			if w.receipt, err = protocol.Decode[protocol.Signed[protocol.Receipt]](f.Payload); err != nil {
				return nil, err
			}
			w.received, w.judged = time.Now(), make(chan struct{})
			s.desk.work.Go(func() {
				defer close(w.judged)
				w.verdict = w.check.Finish(ctx, w.assignment.Message, w.receipt, s.desk.cfg.Domain)
			})
		case protocol.FrameVerdict:
			v, err := protocol.Decode[protocol.Verdict](f.Payload)
			if err != nil {
				return nil, err
			}
			if w.judged == nil && v.Passed {
				return nil, bad("vouches for attempt %s without a receipt", v.Attempt.Short())
			}
			if v.Passed {
				<-w.judged
				delete(tries, f.Attempt)
				s.judged(seg, w)
				if err := whole.add(w); err != nil {
					return nil, bad("%w", err)
				}
				if whole.settled() {
					return whole, nil
				}
				continue
			}
			fallthrough
		case protocol.FrameAbandoned:
			w.check.Cancel()
			if w.judged != nil {
				<-w.judged
			}
			held -= w.bytes
			delete(tries, f.Attempt)
		default:
			return nil, bad("a frame of kind %d", f.Kind)
		}
	}
}

// maxOpen is how many attempts of full size an orchestrator may show at once: a holder and the one it is hedged to.
const maxOpen = 2

// mostBytes bounds the renditions of one attempt, far above what any encoder makes of their bitrates: they are held in
// memory until they are judged.
func mostBytes(ask market.Ask) int64 {
	var bitrate int64
	for _, p := range ask.Ladder {
		bitrate += int64(p.Bitrate) + 512_000 // sound and container
	}
	return bitrate/8*int64(ask.MaxMillis)/1000*2 + 4<<20
}

// try begins the check of an attempt once its assignment proves to be for this segment.
func (s *Stream) try(ctx context.Context, seg *segment, choice *market.Choice, payload []byte) (*work, error) {
	start, err := protocol.Decode[protocol.AttemptStart](payload)
	if err != nil {
		return nil, err
	}
	a, err := start.Assignment.Open(s.desk.cfg.Domain)
	if err != nil {
		return nil, err
	}
	if a.Orchestrator != choice.Orchestrator || a.SegmentKey != seg.SegmentKey {
		return nil, protocol.Errorf(protocol.BadRequest, "assignment of %s by %s is not for %s by %s", a.SegmentKey, a.Orchestrator, seg.SegmentKey, choice.Orchestrator)
	}
	rungs, ladder, err := start.Of(seg.ladder)
	if err != nil {
		return nil, protocol.Errorf(protocol.BadRequest, "attempt %s: %w", a.Attempt.Short(), err)
	}
	spec := verify.Spec{Ladder: ladder, Deep: s.desk.cfg.Market.Deep(a.Orchestrator, a.Attempt), Payee: a.Orchestrator.Hex()}
	s.desk.cfg.Events(protocol.Event{Kind: protocol.AttemptStarted, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq, Attempt: &a.Attempt,
		Lease: &a.Lease, Counterparty: &a.Transcoder})
	return &work{rungs: rungs, ladder: ladder, assignment: start.Assignment, outputs: make([][]byte, len(ladder)), check: verify.Begin(ctx, seg.source, spec)}, nil
}

// judged tells of the verdict.
func (s *Stream) judged(seg *segment, w *work) {
	a := w.assignment.Message
	e := protocol.Event{Kind: protocol.OutputVerified, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq, Attempt: &a.Attempt, Lease: &a.Lease,
		Counterparty: &a.Transcoder, Layers: w.verdict.Layers, Millis: time.Since(w.received).Milliseconds()}
	if !w.verdict.Passed {
		e.Kind, e.Code, e.Detail = protocol.OutputRejected, w.verdict.Code, w.verdict.Detail
	}
	s.desk.cfg.Events(e)
}

// ask is what quotes for seg must cover.
func (s *Stream) ask(seg *segment) market.Ask {
	s.mu.Lock()
	defer s.mu.Unlock()
	return market.Ask{Stream: seg.Stream, Ladder: seg.ladder, FPS: s.fps, SegmentMillis: millis(s.usual), MaxMillis: millis(max(s.longest, s.usual)), Seq: seg.Seq}
}

// learn keeps what a measured source says about the quotes to come.
func (s *Stream) learn(info verify.SourceInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if info.FPS > 0 {
		s.fps, s.measured = rateAbove(info.FPS), true
	}
	if info.Duration > s.longest {
		s.longest = min(2*info.Duration, s.desk.cfg.MaxDuration)
	}
	s.usual = min(max(s.usual, info.Duration.Truncate(time.Millisecond)), s.longest)
}

// rowOf describes a verified segment.
func (s *Stream) rowOf(seg *segment, d *delivery) store.Segment {
	info := d.first().verdict.Source
	row := store.Segment{SegmentKey: seg.SegmentKey, State: store.Verified, Source: info.SHA256, Attempt: d.first().assignment.Message.Attempt, ArrivedAt: seg.arrived,
		Duration: info.Duration, FirstPTS: info.FirstPTS}
	for i := range seg.ladder {
		o := d.output(i)
		r := store.Rendition{Name: seg.ladder[i].Name, Label: seg.labels[i], Bytes: o.Bytes, InitBytes: o.InitBytes, SHA256: o.SHA256,
			Width: o.Width, Height: o.Height, Frames: o.Frames, FPS: o.FPS, Codecs: o.Codecs, Duration: o.Duration}
		extension := playlist.TSExtension
		if o.InitBytes > 0 {
			init := sha256.Sum256(d.outputs[i][:o.InitBytes])
			r.Init, extension = playlist.InitName(fmt.Sprintf("%x", init[:8])), playlist.MediaExtension
		}
		r.File = playlist.FileName(seg.Incarnation, seg.Seq, fmt.Sprintf("%x", o.SHA256[:8]), extension)
		row.Renditions = append(row.Renditions, r)
	}
	return row
}

// Sorted are renditions smallest first: the order in which they are answered.
func Sorted(renditions []store.Rendition) []store.Rendition {
	sorted := slices.Clone(renditions)
	slices.Reverse(sorted)
	return sorted
}

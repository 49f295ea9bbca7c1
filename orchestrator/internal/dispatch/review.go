package dispatch

import (
	"context"
	"io"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

const (
	reviewTime = 30 * time.Second // for one look at a delivery
	reviews    = 2                // at once, beside the work that is paid
)

// Rejected hears that a payer does not pay for an attempt. The word is not signed: it is worth a look if the delivery is
// at hand and there is time for it, and nothing more.
func (d *Dispatcher) Rejected(payer common.Address, attempt protocol.ID) {
	d.mu.Lock()
	var rejected *segment
	var by *try
	for _, s := range d.kept {
		for _, t := range s.won {
			if s.id.payer == payer && t.id == attempt {
				rejected, by = s, t
			}
		}
	}
	d.mu.Unlock()
	if rejected != nil && len(d.reviewing) < cap(d.reviewing) {
		d.background(func() { d.review(rejected, by) })
	}
}

// review looks deeply, once, at a kept delivery that its payer rejects, where so far only its containers were read: a
// transcoder whose attempts are only sampled is found out by the payer first. If the payer is right, it owes nothing, and
// the transcoder answers for it; the ticket it was sent stands.
func (d *Dispatcher) review(s *segment, t *try) {
	d.mu.Lock()
	again := s.reviewed
	s.reviewed = true
	d.mu.Unlock()
	if again || t.verdict.Layers == verify.L0L1 {
		return
	}
	ctx, cancel := context.WithTimeout(d.life, reviewTime)
	defer cancel()
	select {
	case d.reviewing <- struct{}{}:
		defer func() { <-d.reviewing }()
	case <-ctx.Done():
		return
	}
	v, err := d.look(ctx, s, t)
	switch {
	case err != nil || v.Inconclusive:
		s.log.Warn("a delivery that its payer rejects could not be looked at again", "attempt", t.id.Short(), "transcoder", t.transcoder,
			"err", err, "code", v.Code, "detail", v.Detail)
		return
	case v.Passed:
		s.log.Info("a delivery that its payer rejects is good: still owed", "attempt", t.id.Short(), "transcoder", t.transcoder)
		return
	}
	x := store.Settlement{Payer: s.id.payer, Assignment: t.assignment, Receipt: t.receipt, State: store.Rejected, Verdict: v, Code: v.Code, Detail: v.Detail}
	judged, err := d.store.Judge(ctx, x)
	if err != nil {
		s.log.Error("a failed output was not judged", "attempt", t.id.Short(), "transcoder", t.transcoder, "err", err)
		return
	}
	if err := d.recipient.Forgive(ctx, s.won[0].id); err != nil {
		s.log.Warn("a bad delivery is still owed", "attempt", t.id.Short(), "err", err)
	}
	d.fleet.Failed(t.transcoder)
	e := t.event(protocol.OutputRejected)
	e.Code, e.Detail, e.Layers = v.Code, v.Detail, v.Layers
	d.cfg.Events(e)
	s.log.Warn("the payer was right to reject a delivery", "attempt", t.id, "transcoder", t.transcoder, "code", v.Code, "detail", v.Detail)
	d.judged(t, x, judged)
}

// look runs the deep check on the copies that were kept of source and renditions.
func (d *Dispatcher) look(ctx context.Context, s *segment, t *try) (verify.Verdict, error) {
	src := d.newSource(s.id.payer, s.offer.DurationMillis)
	defer src.Cancel()
	if _, err := io.Copy(src, s.src.NewReader(ctx)); err != nil {
		return verify.Verdict{}, err
	}
	if err := src.Close(); err != nil {
		return verify.Verdict{}, err
	}
	check := verify.Begin(ctx, src, verify.Spec{Ladder: t.lease.ladder(), Payee: t.transcoder.Hex(), Deep: true})
	defer check.Cancel()
	for _, f := range s.answer.of(t.ordinal) {
		if f.Kind == protocol.FrameRendition {
			_ = check.Write(int(f.Rendition), f.Payload) // Finish says what was wrong
		}
	}
	return check.Finish(ctx, t.assignment.Message, *t.receipt, d.cfg.Domain), nil
}

// newSource begins the check of a source of payer that was announced to last so long.
func (d *Dispatcher) newSource(payer common.Address, millis uint32) *verify.Source {
	checks := d.cfg.Verify
	checks.Origin = payer.Hex()
	return verify.NewSource(checks, time.Duration(millis)*time.Millisecond)
}

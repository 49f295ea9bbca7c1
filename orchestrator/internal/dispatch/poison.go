package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// proof is what this orchestrator found when it decoded a source itself that a transcoder calls poison.
type proof int

const (
	pending proof = iota // nothing yet
	unclear              // it could not tell
	sound                // it decodes: whoever says that it cannot be, errs or lies
	poison               // it ended the child here too
)

// prove decodes the source here, in a child of its own, for at most a part of the budget. Two that collude could end any
// segment by their word alone.
func (d *Dispatcher) prove(s *segment) <-chan proof {
	found := make(chan proof, 1)
	d.running.Go(func() {
		select {
		case <-s.src.ended: // a payer that sends slowly does not use up the time to find it out
		case <-s.done:
			return
		case <-d.life.Done():
			return
		}
		ctx, cancel := context.WithTimeout(d.life, max(time.Duration(s.offer.BudgetMillis)*time.Millisecond/4, time.Second))
		defer cancel()
		err := s.src.Decodes(ctx)
		switch protocol.CodeOf(err) {
		case protocol.ChildCrashed, protocol.PoisonSegment:
			found <- poison
		default:
			if err == nil {
				found <- sound
			} else {
				found <- unclear
			}
		}
		s.log.Info("decoded a source that is called poison", "err", err)
	})
	return found
}

// claim hears a transcoder say that the source is poison. That counts against nobody, unless the source decodes here, or another
// transcoder makes an output of it that passes: then it was an excuse, or a machine on which media crashes, and counts as any
// failure does.
func (d *Dispatcher) claim(t *try) {
	s := t.seg
	if !slices.ContainsFunc(s.claims, func(x *try) bool { return x.lease.transcoder == t.lease.transcoder }) {
		s.claims = append(s.claims, t)
	}
	d.refute(s)
}

// refute judges the claims that are proven wrong.
func (d *Dispatcher) refute(s *segment) {
	standing := s.claims[:0]
	for _, t := range s.claims {
		if s.proof != sound && !s.decoded(t.lease.transcoder) {
			standing = append(standing, t)
			continue
		}
		s.log.Warn("a transcoder called a segment poison that can be decoded", "transcoder", t.lease.transcoder, "attempt", t.id.Short(), "said", detail(t.err))
		d.fleet.Failed(t.lease.transcoder)
		if !t.probe {
			d.end(t.lease, "it called a good segment poison", true)
		}
	}
	s.claims = standing
}

// calledPoison are the claims of those who were given the segment for its own sake. A suspect gets every segment, and has nothing to
// lose by what it says.
func (s *segment) calledPoison() (said []*try) {
	for _, t := range s.claims {
		if !t.probe {
			said = append(said, t)
		}
	}
	return said
}

// failure is why s failed, t being its last try. That it is poison is believed only where it ended the child here too: the payer
// gives such a segment up, and asks no other orchestrator.
func (s *segment) failure(t *try) error {
	said := s.calledPoison()
	switch {
	case len(said) > 0 && s.proof == poison:
		return said[0].failure()
	case t.poison() && s.proof == sound:
		return protocol.Errorf(protocol.TranscodeFailed, "those who had it call it poison, but it decodes here: %s", detail(t.err))
	case t.poison():
		return protocol.Errorf(protocol.TranscodeFailed, "those who had it call it poison, which could not be found out here: %s", detail(t.err))
	case t.final && len(said) > 0: // which says more than that nobody else would have it
		return protocol.Errorf(protocol.TranscodeFailed, "those who had it call it poison, which could not be found out here: %s", detail(said[0].err))
	}
	return t.failure()
}

package dispatch

import (
	"context"

	"github.com/kinora/kinora/internal/protocol"
)

// errCalledOff ends a story at its payer's word.
var errCalledOff = protocol.Errorf(protocol.Cancelled, "the payer called the segment off")

// CallOff ends the story of a segment, at the word of who signed its header, unless a receipt has come in: what is done is
// judged, and owed if it is good. When it returns, nothing that was not done by then is.
func (d *Dispatcher) CallOff(ctx context.Context, offer protocol.SegmentOffer) error {
	s, err := d.admit(ctx, offer)
	if err != nil {
		return err
	}
	defer s.src.Source.Cancel() // its own, which nobody reads
	d.mu.Lock()
	e := d.segments[s.id]
	d.mu.Unlock()
	if e == nil {
		return protocol.Errorf(protocol.NotFound, "no segment %s of %s is in flight", s.id.key, s.id.payer)
	}
	e.offOnce.Do(func() { close(e.off) })
	return nil
}

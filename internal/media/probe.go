package media

import (
	"context"
	"strings"

	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

type (
	// Probe says which encoder or decoder to try, and on what.
	Probe = wire.Probe
	// Probed is how that went.
	Probed = wire.Probed
)

// FFmpeg is the version of FFmpeg in the child, as it says itself.
func (c *Child) FFmpeg() string { return c.hello.FFmpeg }

// Probe tries an encoder or a decoder on pictures or sound that the child makes itself. What cannot be opened, or does not
// do its work, is an error with code UnsupportedCodec or TranscodeFailed that says why.
func (c *Child) Probe(ctx context.Context, p Probe) (*Probed, error) {
	answer, err := newJob(c, strings.NewReader("")).run(ctx, wire.KindProbe, p)
	if err != nil {
		return nil, err
	}
	var done Probed
	if err := wire.Decode(answer, &done); err != nil {
		return nil, protocol.Errorf(protocol.Internal, "media child %d: %w", c.Pid(), err)
	}
	return &done, nil
}

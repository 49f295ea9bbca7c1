package transcoder

import (
	"maps"
	"slices"
	"sync"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

// record is what this transcoder says of its machine, signed with its bids; each part is told when it is known.
type record struct {
	tell func(protocol.Capabilities)

	mu sync.Mutex
	c  protocol.Capabilities
}

func (r *record) change(part func(c *protocol.Capabilities)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	part(&r.c)
	r.tell(r.c)
}

// said is what is told now.
func (r *record) said() protocol.Capabilities {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.c
}

// measured tells what the machine was found to do.
func (r *record) measured(t devices.Tuning) {
	r.change(func(c *protocol.Capabilities) {
		c.Measured = protocol.Measured{Encode: t.Rates.Encode, Decode: slices.Sorted(maps.Keys(t.Rates.Decode)), Method: t.Method}
		if c.Measured.Decode == nil {
			c.Measured.Decode = []string{}
		}
		if !t.At.IsZero() {
			c.Measured.At = uint64(t.At.Unix())
		}
		if t.Machine.FFmpeg != "" {
			c.Engine = "kinora-media, FFmpeg " + t.Machine.FFmpeg
		}
	})
}

package devices

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
)

// A device that failed is tried again after firstTrial, after twice as long each further time, and after lastTrial at most. One that
// works for steady is new to failing again.
const (
	firstTrial = 5 * time.Second
	lastTrial  = 10 * time.Minute
	steady     = 10 * time.Minute
)

// Cards lend the encoders of a machine's devices to leases. Its methods may be called from several goroutines at once.
type Cards struct {
	wake chan struct{} // holds a token when a device failed

	mu    sync.Mutex
	found []Codec
	on    []Device
	used  map[string]int     // sessions, by device file
	out   map[string]*outage // by device file
}

// outage is of one device.
type outage struct {
	down  bool
	since time.Time     // when it failed last
	wait  time.Duration // from then to the next trial
}

// NewCards has no devices until Use.
func NewCards() *Cards {
	return &Cards{wake: make(chan struct{}, 1), used: make(map[string]int), out: make(map[string]*outage)}
}

// Use replaces what is known of the devices.
func (c *Cards) Use(found []Codec, on []Device) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found, c.on = found, on
}

// Devices are those that encode, failed ones included.
func (c *Cards) Devices() []Device {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Device
	for _, card := range cards(c.found, c.on) {
		out = append(out, card.Device)
	}
	return out
}

// Take chooses for a ladder; release gives back what that takes, once. A Choice without a device takes nothing.
func (c *Cards) Take(ladder protocol.Ladder) (_ Choice, release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	choice := Choose(c.found, c.upLocked(), c.used, ladder)
	path := choice.Device.Path
	c.used[path] += choice.Sessions
	return choice, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.used[path] -= choice.Sessions
	})
}

func (c *Cards) upLocked() []Device {
	return slices.DeleteFunc(slices.Clone(c.on), func(d Device) bool { o := c.out[d.Path]; return o != nil && o.down })
}

// Fail lends d no more until Mend has seen it work. It reports whether d was lent until now.
func (c *Cards) Fail(d Device, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.out[d.Path]
	switch {
	case o == nil:
		o = &outage{wait: firstTrial}
		c.out[d.Path] = o
	case o.down:
		return false
	case now.Sub(o.since) > steady:
		o.wait = firstTrial
	default:
		o.wait = min(2*o.wait, lastTrial)
	}
	o.down, o.since = true, now
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return true
}

// Mend tries the devices that failed when their time has come, until ctx ends. back is told of each that works again.
func (c *Cards) Mend(ctx context.Context, try func(context.Context, Device) error, back func(Device)) error {
	for {
		var due <-chan time.Time
		d, at, any := c.next()
		if any {
			due = time.After(time.Until(at))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
			continue
		case <-due:
		}
		err := try(ctx, d)
		if ctx.Err() != nil {
			return nil
		}
		c.mu.Lock()
		o := c.out[d.Path]
		o.since = time.Now()
		if o.down = err != nil; o.down {
			o.wait = min(2*o.wait, lastTrial)
		}
		c.mu.Unlock()
		if err == nil {
			back(d)
		}
	}
}

// next is the device to be tried next.
func (c *Cards) next() (d Device, at time.Time, any bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, card := range cards(c.found, c.on) {
		o := c.out[card.Path]
		if o == nil || !o.down {
			continue
		}
		if t := o.since.Add(o.wait); !any || t.Before(at) {
			d, at, any = card.Device, t, true
		}
	}
	return d, at, any
}

// Rates are full, which was measured with every device, less the part of those that failed: by what one session of each encoder
// made alone, the processor's included.
func (c *Cards) Rates(full capacity.Rates) capacity.Rates {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := full
	out.Encode = slices.Clone(full.Encode)
	for i, r := range out.Encode {
		var all, up float64
		for _, f := range c.found {
			if f.Direction == Encode && f.Device == CPU && f.OK && f.Codec == string(r.Codec) {
				all, up = all+float64(f.PixelRate), up+float64(f.PixelRate)
			}
		}
		for _, card := range cards(c.found, c.on) {
			rate := float64(card.encoders[r.Codec].PixelRate)
			all += rate
			if o := c.out[card.Path]; o == nil || !o.down {
				up += rate
			}
		}
		if all > 0 {
			out.Encode[i].PixelRate = max(1, uint64(float64(r.PixelRate)*up/all))
		}
	}
	return out
}

package devices

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/kinora/kinora/internal/protocol"
)

// Choice is what makes one lease's renditions.
type Choice struct {
	Device   Device   // zero: the processor makes all of them
	Encoders []string // FFmpeg's, by index of the ladder; empty: the software encoder of the profile's codec
	Sessions int      // of the device's that it may take
}

// encoderEnds are the ends of the names of each kind's encoders.
var encoderEnds = map[string]string{NVENC: "_nvenc", VAAPI: "_vaapi", QSV: "_qsv"}

// Pictures that devices are trusted with: every generation of each maker takes these, and H.264 no wider ones.
const (
	leastWidth, leastHeight = 256, 128
	mostWidth, mostHeight   = 4096, 4096
)

// rungSessions is how many encoders of one rung are open at once: a segment's while the one before drains.
const rungSessions = 2

// card is a device with what it was found to encode, by codec.
type card struct {
	Device
	encoders map[protocol.Codec]Codec
	rate     uint64 // of them together
	ceiling  int    // of its sessions; 0: none was found
}

// cards are the devices that encode, one for each device file: where two ways lead to the same one, the one that makes more.
func cards(found []Codec, on []Device) []card {
	var out []card
	for _, d := range on {
		c := card{Device: d, encoders: make(map[protocol.Codec]Codec)}
		for _, f := range found {
			if d.Missing == "" && f.OK && f.Direction == Encode && f.Device == d.Path && encoderEnds[d.Kind] != "" && strings.HasSuffix(f.Name, encoderEnds[d.Kind]) {
				c.encoders[protocol.Codec(f.Codec)] = f
				c.rate += f.PixelRate
				if f.Sessions > 0 && (c.ceiling == 0 || f.Sessions < c.ceiling) {
					c.ceiling = f.Sessions
				}
			}
		}
		if len(c.encoders) == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(o card) bool { return o.Path == d.Path })
		switch {
		case i < 0:
			out = append(out, c)
		case len(c.encoders) > len(out[i].encoders), len(c.encoders) == len(out[i].encoders) && c.rate > out[i].rate:
			out[i] = c
		}
	}
	return out
}

// Choose picks the device for a lease, and which of its rungs are made there, by what a Survey found. Of devices that take as
// many rungs, it is the one with the least to do for its speed. used are the sessions taken by device file. A rung whose codec
// the device does not make, or that is beyond its sessions, is made in software.
func Choose(found []Codec, on []Device, used map[string]int, ladder protocol.Ladder) Choice {
	var best Choice
	bestLoad := 0.0
	for _, c := range cards(found, on) {
		choice, load := c.choose(used[c.Path], ladder)
		if choice.Sessions > best.Sessions || choice.Sessions > 0 && choice.Sessions == best.Sessions && load < bestLoad {
			best, bestLoad = choice, load
		}
	}
	return best
}

// choose gives the largest rungs to the card; load is how much it then has to do.
func (c card) choose(used int, ladder protocol.Ladder) (_ Choice, load float64) {
	free := math.MaxInt
	if c.ceiling > 0 {
		free = c.ceiling - used
	}
	order := make([]int, len(ladder))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(uint64(ladder[b].Width)*uint64(ladder[b].Height), uint64(ladder[a].Width)*uint64(ladder[a].Height))
	})
	choice := Choice{Device: c.Device, Encoders: make([]string, len(ladder))}
	for _, i := range order {
		encoder, ok := c.encoders[ladder[i].Codec]
		if ok && suits(ladder[i]) && choice.Sessions+rungSessions <= free {
			choice.Encoders[i] = encoder.Name
			choice.Sessions += rungSessions
		}
	}
	if choice.Sessions == 0 {
		return Choice{}, 0
	}
	return choice, float64(used+choice.Sessions) / float64(max(c.rate, 1))
}

// suits tells whether a rung is like what surveys try: 8 bit, and of an ordinary size.
func suits(p protocol.Profile) bool {
	return p.CodecProfile != "main10" && p.Width >= leastWidth && p.Height >= leastHeight && p.Width <= mostWidth && p.Height <= mostHeight
}

// Nodes are the device files that a child needs to use d, and no others.
func (d Device) Nodes() []string {
	switch {
	case d.Path == "":
		return nil
	case d.Kind == NVENC && strings.HasPrefix(d.Path, "/dev/nvidia"):
		return []string{"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", d.Path}
	}
	return []string{d.Path}
}

// Card is the UUID by which the CUDA driver is told to show d alone, empty where it has none.
func (d Device) Card() string {
	if d.Kind == NVENC && strings.HasPrefix(d.ID, "GPU-") {
		return d.ID
	}
	return ""
}

// Engine is how a job names d in a child that may use Nodes, and sees Card alone.
func (d Device) Engine() string {
	switch d.Kind {
	case NVENC:
		return "cuda:" + d.number()
	case VAAPI:
		return "vaapi:" + d.Path
	case QSV:
		return "qsv" // of the only render node that it may use
	}
	return ""
}

// number is what FFmpeg is told of an NVIDIA card.
func (d Device) number() string {
	if d.Card() != "" {
		return "0"
	}
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(d.Path, "/dev/nvidia"), "/dev/dxg"), "0")
}

// Key names d among the devices of a machine.
func (d Device) Key() string { return d.Kind + " " + d.Path }

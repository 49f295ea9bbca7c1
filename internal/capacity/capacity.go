// Package capacity says how much live work a machine can take. Work is weighed in pixels a second by codec class against what
// the machine was measured to hold, decoding included; what is promised is counted; and what segments turn out to cost
// corrects both.
package capacity

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Whole is all of a machine, in the unit of every share here: billionths.
const Whole = 1_000_000_000

// Sold is the part of what a machine was measured to hold that is promised: the rest is for what no measurement saw.
const Sold = Whole / 100 * 98

// Rates are what a machine holds in real time of each kind of work when it does nothing else, in pixels a second.
type Rates struct {
	Encode   protocol.CodecRates `json:"encode"`             // at the preset taken where a profile names none
	Decode   map[string]uint64   `json:"decode,omitempty"`   // by FFmpeg's name of the codec; one that is missing is not weighed
	Sessions int                 `json:"sessions,omitempty"` // streams at once; 0: no bound of its own
	// MilliCPU is the CPU time per second, in milliseconds, that all streams together had when the machine was full of them:
	// less than its cores give where something else runs too. 0: all that the cores give.
	MilliCPU int `json:"milli_cpu,omitempty"`
}

// Work is one live stream.
type Work struct {
	Ladder    protocol.Ladder
	SourceFPS float64
	// Source says what is decoded. Where the size is unknown, it is taken to be that of the largest profile; without a codec, H.264.
	SourceCodec               string
	SourceWidth, SourceHeight int
}

// share is the part of the machine that work takes, more than Whole where it is too much; false where a codec is not made here.
func (r Rates) share(w Work) (uint64, bool) {
	var sum uint64
	largest := uint64(w.SourceWidth) * uint64(w.SourceHeight)
	known := largest > 0
	for _, p := range w.Ladder {
		rate, _ := r.Encode.Of(p.Codec)
		if rate == 0 {
			return 0, false
		}
		sum = add(sum, part(p.PixelRate(w.SourceFPS)*p.Effort(), min(rate, 1<<56)*100))
		if !known {
			largest = max(largest, uint64(p.Width)*uint64(p.Height))
		}
	}
	if rate := r.decode(w.SourceCodec); rate > 0 {
		sum = add(sum, part(uint64(float64(largest)*w.SourceFPS), rate))
	}
	return sum, true
}

func (r Rates) decode(codec string) uint64 { return r.Decode[cmp.Or(codec, string(protocol.H264))] }

// part is n of rate in billionths, rounded down as what is free is, so that what is free can be taken; or a number that is
// beyond any machine.
func part(n, rate uint64) uint64 {
	hi, lo := bits.Mul64(n, Whole)
	if hi >= rate {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, rate)
	return min(q, 1<<63-1)
}

func add(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry > 0 {
		return 1<<64 - 1
	}
	return sum
}

// of is what share of rate is.
func of(share, rate uint64) uint64 {
	hi, lo := bits.Mul64(min(share, Whole), rate)
	q, _ := bits.Div64(hi, lo, Whole)
	return q
}

// Config of a Meter.
type Config struct {
	Rates Rates
	Sold  uint64 // the part of Rates that is promised; 0: Sold
	CPUs  int    // cores that do the work, by which CPU time is read; 0: work on a device, of which CPU time says nothing
	Most  int    // leases at once, whatever they weigh; 0: no bound
}

// Meter counts what is promised. Its methods may be called from several goroutines at once.
type Meter struct {
	mu      sync.Mutex
	cfg     Config
	ceiling uint64    // of all shares; shrinks while segments are late
	changed time.Time // when it was last touched
	cut     time.Time // when it was last lowered
	loads   map[protocol.ID]*load
	behind  time.Time // when a segment was late last
	late    uint64
	seen    uint64
}

type load struct {
	work     Work
	estimate uint64 // of its share
	share    uint64 // estimated, then corrected
	measured bool
}

// New makes a Meter of an idle machine.
func New(cfg Config) *Meter {
	cfg.Sold = cmp.Or(cfg.Sold, Sold)
	return &Meter{cfg: cfg, ceiling: cfg.Sold, loads: make(map[protocol.ID]*load)}
}

// SetRates replaces what the machine is known to hold. What was promised stays promised.
func (m *Meter) SetRates(r Rates) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cfg.Rates = r
	for _, l := range m.loads {
		share, ok := r.share(l.work)
		if !ok {
			continue
		}
		if l.estimate = share; !l.measured {
			l.share = share
		}
	}
}

// Rates is what the machine is known to hold.
func (m *Meter) Rates() Rates {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cfg.Rates
}

// Reserve promises work under id, or refuses at once: NoCapacity with the numbers, UnsupportedCodec.
func (m *Meter) Reserve(id protocol.ID, w Work, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	share, err := m.fits(w, now)
	if err == nil {
		m.loads[id] = &load{work: w, estimate: share, share: share}
	}
	return err
}

// Fits says whether Reserve would promise work now.
func (m *Meter) Fits(w Work, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.fits(w, now)
	return err
}

// fits is the share that work takes, or why it cannot have it.
func (m *Meter) fits(w Work, now time.Time) (uint64, error) {
	m.heal(now)
	share, ok := m.cfg.Rates.share(w)
	if !ok {
		i := slices.IndexFunc(w.Ladder, func(p protocol.Profile) bool { rate, _ := m.cfg.Rates.Encode.Of(p.Codec); return rate == 0 })
		return 0, protocol.Errorf(protocol.UnsupportedCodec, "profile %q: this machine was not measured to make %s", w.Ladder[i].Name, w.Ladder[i].Codec)
	}
	if most := m.mostSessions(); most > 0 && len(m.loads) >= most {
		return 0, protocol.Limited(protocol.NoCapacity, "sessions", most, "all %d sessions are taken", most)
	}
	if free := m.free(now); share > free {
		codec := w.Ladder[0].Codec
		rate := m.cfg.Rates.free(codec, free)
		return 0, protocol.Limited(protocol.NoCapacity, "free_pixel_rate", rate,
			"the work needs %d pixels a second of %s with its decoding, which is %s of this machine; %s is free, %d pixels a second, of the %s that is sold",
			sumOf(w.Ladder.PixelRates(w.SourceFPS)), codec, percent(share), percent(free), rate, percent(m.ceiling))
	}
	return share, nil
}

func sumOf(r protocol.CodecRates) (sum uint64) {
	for _, c := range r {
		sum += c.PixelRate
	}
	return sum
}

// Release gives back what id was promised, if anything.
func (m *Meter) Release(id protocol.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.loads, id)
}

// Segment is what one segment of promised work turned out to be.
type Segment struct {
	Media time.Duration // of the source
	CPU   time.Duration // all that was spent on it; 0 where that is not known
	Tail  time.Duration // from its last source byte to the last of its renditions, without waiting for whoever takes them
}

// How the meter learns.
const (
	memory   = 4                // a segment counts a quarter, what was believed before the rest
	shortest = time.Second      // shorter segments say nothing about pace: their tail is mostly fixed cost
	briefest = shortest / 4     // what a source says of its length counts for so long at least: what a segment costs anyway is not the stream's pace
	cheapest = 8                // an eighth of its estimate is what a stream weighs at least, however long its segments say they are
	backOff  = 90               // percent of what is in use that is left when it was too much
	patience = 2 * time.Second  // streams fall behind together: that is one sign, not one each
	holdOff  = 4 * time.Second  // after a late segment nothing new is taken
	least    = 4                // a quarter of what is sold stays so: what is wrong with less has another cause
	recovery = 60 * time.Second // from nothing to all, when no segment is late
)

// Observe takes note of a segment of the work under id: its cost, and whether it kept pace.
func (m *Meter) Observe(id protocol.ID, s Segment, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.loads[id]
	if l == nil || s.Media <= 0 {
		return
	}
	m.heal(now)
	m.seen++
	if m.cfg.CPUs > 0 && s.CPU > 0 {
		full := cmp.Or(uint64(m.cfg.Rates.MilliCPU), uint64(m.cfg.CPUs)*1000)
		cost := part(uint64(s.CPU), uint64(max(s.Media, briefest)/1000)*full)
		l.share, l.measured = (l.share*(memory-1)+max(min(cost, 4*Whole), l.estimate/cheapest))/memory, true
	}
	if s.Media < shortest || s.Tail <= s.Media {
		return
	}
	m.late++
	if now.Sub(m.cut) >= patience || m.late == 1 {
		m.ceiling = max(min(m.ceiling, m.used())/100*backOff, m.cfg.Sold/least)
		m.changed, m.cut = now, now
	}
	m.behind = now
}

// heal raises the ceiling for the time since it was last touched.
func (m *Meter) heal(now time.Time) {
	if m.ceiling >= m.cfg.Sold {
		return
	}
	since := now.Sub(m.changed)
	if since < patience { // a segment takes that long to tell
		return
	}
	m.ceiling = min(m.cfg.Sold, m.ceiling+uint64(since)*(m.cfg.Sold/1000)/uint64(recovery/1000))
	m.changed = now
}

func (m *Meter) used() (sum uint64) {
	for _, l := range m.loads {
		sum = add(sum, l.share)
	}
	return sum
}

func (m *Meter) free(now time.Time) uint64 {
	if !m.behind.IsZero() && now.Sub(m.behind) < holdOff {
		return 0
	}
	used := m.used()
	return m.ceiling - min(used, m.ceiling)
}

func (m *Meter) mostSessions() int {
	switch s := m.cfg.Rates.Sessions; {
	case s == 0:
		return m.cfg.Most
	case m.cfg.Most == 0:
		return s
	default:
		return min(s, m.cfg.Most)
	}
}

// free is how many pixels a second of codec fit into share, with the decoding of as many: what is sold by this number is
// never refused for its decoding.
func (r Rates) free(codec protocol.Codec, share uint64) uint64 {
	encode, _ := r.Encode.Of(codec)
	decode := r.decode("")
	if decode == 0 || encode == 0 {
		return of(share, encode)
	}
	hi, lo := bits.Mul64(encode, decode)
	total := add(encode, decode)
	if hi >= total {
		return of(share, encode)
	}
	both, _ := bits.Div64(hi, lo, total)
	return of(share, both)
}

// State is what a Meter knows.
type State struct {
	Capacity protocol.CodecRates `json:"capacity"` // pixels a second with their decoding, when idle
	Free     protocol.CodecRates `json:"free"`     // now
	Used     uint64              `json:"used_ppb"` // of the machine, in billionths
	Ceiling  uint64              `json:"ceiling_ppb"`
	Streams  int                 `json:"streams"`
	Late     uint64              `json:"late_segments"`
	Segments uint64              `json:"segments"`
}

// State reports how things stand.
func (m *Meter) State(now time.Time) State {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heal(now)
	s := State{Used: m.used(), Ceiling: m.ceiling, Streams: len(m.loads), Late: m.late, Segments: m.seen}
	free := m.free(now)
	if most := m.mostSessions(); most > 0 && len(m.loads) >= most {
		free = 0
	}
	for _, c := range m.cfg.Rates.Encode {
		s.Capacity = append(s.Capacity, protocol.CodecRate{Codec: c.Codec, PixelRate: m.cfg.Rates.free(c.Codec, m.cfg.Sold)})
		s.Free = append(s.Free, protocol.CodecRate{Codec: c.Codec, PixelRate: m.cfg.Rates.free(c.Codec, free)})
	}
	return s
}

func percent(share uint64) string {
	return strconv.FormatFloat(float64(min(share, 1000*Whole))/(Whole/100), 'f', 1, 64) + " %"
}

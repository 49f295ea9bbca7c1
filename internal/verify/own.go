package verify

import (
	"bytes"
	"context"
	"math"
	"sort"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

// What an encode of this side's own excuses. Where it is poor itself, the payee's may be off as far as it is, and somewhat
// further, within the second that an encoder's buffer spans: two encoders do not fall behind at the same picture. Where it
// is good, nothing excuses the payee. Several are made, and the poorest counts, cell by cell: next to nothing, as by way of
// which size a picture was scaled, decides whether a starved encoder falls behind or not.
const (
	excuseShare = 1.25 // of the own encode's errors
	excuseSpan  = 1.0  // seconds to either side
	excuseFrom  = 1.0  // of a threshold: where the own encode is beyond that, it is poor

	// At the second look the thresholds are so much wider, for encoders that spread their bits otherwise than this side's, and
	// wider yet where the profile grants less than starvedBelow of the source's bits a pixel: by the root of the ratio, at most
	// maxStarved times. It is the payer's profile that widens them, never the output.
	besideSlack  = 1.5
	starvedBelow = 0.4
	maxStarved   = 1.5
)

// excuse is how far each cell may be off at which time.
type excuse struct {
	times       []int64
	may, mayLag []cells // of pictures, and of pictures smoothed
}

// noExcuse is what nil excuses.
var noExcuse cells

// newExcuse compares encodes of this side's own with the source.
func newExcuse(source []media.FrameGrid, own [][]media.FrameGrid, resampled bool) *excuse {
	e := excuseOf(source, own[0], resampled)
	for _, o := range own[1:] {
		more := excuseOf(source, o, resampled)
		for i, t := range e.times {
			may, mayLag := more.at(t)
			for c := range may {
				e.may[i][c], e.mayLag[i][c] = max(e.may[i][c], may[c]), max(e.mayLag[i][c], mayLag[c])
			}
		}
	}
	return e
}

// excuseOf is what one encode excuses.
func excuseOf(source, own []media.FrameGrid, resampled bool) *excuse {
	f := newFilm(source, own, resampled)
	n := len(own)
	e := &excuse{times: f.times, may: make([]cells, n), mayLag: make([]cells, n)}
	before := make([]int, n+1) // how many poor pictures there are before each
	for i, t := range f.compare(nil) {
		before[i+1] = before[i]
		if x, _ := t.excess(); x > excuseFrom {
			before[i+1]++
		}
	}
	const span = int64(excuseSpan * ticks)
	largest(f.times, errorsOf(f.shown, f.seen), e.may, span)
	largest(f.times, errorsOf(f.smoothShown, f.smoothSeen), e.mayLag, span)
	for i, at := range f.times {
		from := sort.Search(n, func(j int) bool { return f.times[j] >= at-span })
		to := sort.Search(n, func(j int) bool { return f.times[j] > at+span })
		if before[from] == before[to] {
			e.may[i], e.mayLag[i] = noExcuse, noExcuse
		}
	}
	return e
}

// at is what is excused in the picture at time t.
func (e *excuse) at(t int64) (may, mayLag *cells) {
	if e == nil {
		return &noExcuse, &noExcuse
	}
	i := sort.Search(len(e.times), func(i int) bool { return e.times[i] >= t-1 })
	if i == len(e.times) || !within(e.times[i], t, 1) {
		return &noExcuse, &noExcuse
	}
	return &e.may[i], &e.mayLag[i]
}

// errorsOf is excuseShare of the largest error of each cell and the eight around it: what moves does not lag in the same
// place twice.
func errorsOf(shown, seen []cells) []cells {
	out := make([]cells, len(shown))
	for i := range out {
		var rows cells
		for c := range wire.GridLen {
			x := c % wire.GridWidth
			for d := max(0, x-1); d <= min(wire.GridWidth-1, x+1); d++ {
				at := c - x + d
				rows[c] = max(rows[c], excuseShare*math.Abs(seen[i][at]-shown[i][at]))
			}
		}
		for c := range wire.GridLen {
			y := c / wire.GridWidth
			for d := max(0, y-1); d <= min(wire.GridHeight-1, y+1); d++ {
				out[i][c] = max(out[i][c], rows[d*wire.GridWidth+c%wire.GridWidth])
			}
		}
	}
	return out
}

// largest fills out with the maximum of each cell over the pictures within span, in time linear in the pictures.
func largest(times []int64, in, out []cells, span int64) {
	queue := make([]int, 0, len(times)) // falling values, of which the first is the largest
	for c := range wire.GridLen {
		queue = queue[:0]
		first, next := 0, 0
		for i, at := range times {
			for ; next < len(times) && times[next] <= at+span; next++ {
				for len(queue) > first && in[queue[len(queue)-1]][c] <= in[next][c] {
					queue = queue[:len(queue)-1]
				}
				queue = append(queue, next)
			}
			for times[queue[first]] < at-span {
				first++
			}
			out[i][c] = in[queue[first]][c]
		}
	}
}

// besideSlackFor is how much wider the thresholds are at the second look, for profile p of source src.
func besideSlackFor(src Stream, p protocol.Profile) float64 {
	fps := src.FPS
	if p.FPSNum != 0 {
		fps = float64(p.FPSNum) / float64(p.FPSDen)
	}
	if src.Pixels == 0 || fps == 0 || src.VideoBytes == 0 {
		return besideSlack
	}
	granted := float64(p.Bitrate) / (float64(p.Width) * float64(p.Height) * fps)
	needed := float64(8*src.VideoBytes) / float64(src.Pixels)
	return besideSlack * min(max(1, math.Sqrt(starvedBelow*needed/granted)), maxStarved)
}

// ownID tells which profile of which ladder.
type ownID struct {
	ladder common.Hash
	index  int
}

// ownEncode is what this side makes of a source by one profile, for all checks that ask.
type ownEncode struct {
	done   chan struct{} // closed when the rest is known
	excuse *excuse
	err    error
}

// ownExcuse encodes the source by profile i of ladder, once, and waits for it until ctx ends.
func (s *Source) ownExcuse(ctx context.Context, ladder protocol.Ladder, i int) (*excuse, error) {
	id := ownID{ladder.Hash(), i}
	s.mu.Lock()
	o := s.own[id]
	if o == nil {
		o = &ownEncode{done: make(chan struct{})}
		s.own[id] = o
		go func() {
			defer close(o.done)
			o.excuse, o.err = s.makeExcuse(ladder, i)
		}()
	}
	s.mu.Unlock()
	select {
	case <-o.done:
		return o.excuse, o.err
	case <-ctx.Done():
		return nil, contextError(ctx.Err())
	}
}

func (s *Source) makeExcuse(ladder protocol.Ladder, i int) (*excuse, error) {
	info, err := s.Info(s.ctx)
	if err != nil {
		return nil, err
	}
	source, err := s.pictures(s.ctx, seenIn(info.Stream, ladder[i]))
	if err != nil {
		return nil, err
	}
	of, err := s.shownIn(s.ctx, ladder[i])
	if err != nil {
		return nil, err
	}
	own, err := s.cfg.Meter.encode(s.ctx, "origin "+s.cfg.Origin, s.tape, ladder, i, of)
	if err != nil {
		return nil, err
	}
	return newExcuse(source.Frames, own, ladder[i].FPSNum != 0), nil
}

// encode makes what is on the tape into profile i of ladder, in several ways, and measures that, with the child that measures
// the source: whoever could take that over could as well say anything of the source. Few encodes run at once.
func (m *Meter) encode(ctx context.Context, party string, t *tape, ladder protocol.Ladder, i int, of media.MeasureOptions) ([][]media.FrameGrid, error) {
	select {
	case m.encodes <- struct{}{}:
		defer func() { <-m.encodes }()
	case <-ctx.Done():
		return nil, contextError(ctx.Err())
	}
	var grids [][]media.FrameGrid
	err := m.with(ctx, party, func(c *media.Child) (err error) {
		grids, err = encodeOwn(ctx, c, t, ladder, i, of)
		return err
	})
	return grids, err
}

func encodeOwn(ctx context.Context, c *media.Child, t *tape, ladder protocol.Ladder, i int, of media.MeasureOptions) (grids [][]media.FrameGrid, err error) {
	of.Grid = true
	for _, l := range waysTo(ladder, i) {
		var out bytes.Buffer
		if _, err := c.Transcode(ctx, media.Job{Ladder: l, Source: t.reader(ctx), Out: func(i int, b []byte) error {
			if i == 0 {
				out.Write(b)
			}
			return nil
		}}); err != nil {
			return nil, err
		}
		m, err := c.Measure(ctx, &out, of)
		if err != nil {
			return nil, err
		}
		grids = append(grids, m.Frames)
	}
	return grids, nil
}

// waysTo are the ladders whose first profile is made for comparison: i of ladder straight from the source; the same by an
// encoder that looks less closely and has half as much to spend, since whether a starved one falls behind is chance; and by
// way of the larger sizes that come with it, which are encoded as cheaply as can be, since it is their scaling that matters.
func waysTo(ladder protocol.Ladder, i int) []protocol.Ladder {
	p := ladder[i]
	p.AudioCodec, p.AudioBitrate, p.AudioChannels = "none", 0, 0
	poorer := p
	poorer.Bitrate = max(poorer.Bitrate/2, 1000) // which is the least a profile may ask for
	if poorer.Preset != "ultrafast" {
		poorer.Preset = "superfast"
	}
	ways := []protocol.Ladder{{p}, {poorer}}
	chain := protocol.Ladder{p}
	for j, q := range ladder {
		if j != i && q.Width >= p.Width && q.Height >= p.Height {
			q = protocol.Profile{Name: q.Name, Width: q.Width, Height: q.Height, FPSNum: q.FPSNum, FPSDen: q.FPSDen, Fit: q.Fit, Codec: protocol.H264,
				Preset: "ultrafast", Bitrate: min(q.Bitrate, 100_000), AudioCodec: "none"}
			chain = append(chain, q)
		}
	}
	if len(chain) > 1 {
		ways = append(ways, chain)
	}
	return ways
}

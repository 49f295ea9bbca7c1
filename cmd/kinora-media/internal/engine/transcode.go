package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// ratePictures is how many pictures of a stream's first segment are held back to learn its frame rate.
const ratePictures = 4

// maxUndated bounds the pictures without a time kept until one has.
const maxUndated = 16

// maxEarlyAudio bounds the sound packets kept before the first picture.
const maxEarlyAudio = 1000

// transcoding is one segment on its way: read, decoded and scaled on one goroutine, encoded on one per rendition.
type transcoding struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	server *server
	job    *job
	line   *line
	req    wire.Transcode

	demux    *demuxer
	decoder  *decoder
	normal   normaliser
	look     look     // of its pictures
	levels   []*level // in the order of the ladder
	order    []*level // from the largest
	started  bool
	running  sync.WaitGroup
	sent     atomic.Int64    // bytes of all renditions
	undated  []*astiav.Frame // without a time, while the frame rate is not known
	held     []*astiav.Frame
	early    []*astiav.Packet // sound before the first picture
	sound    *astiav.CodecParameters
	num, den int // source frame rate

	source    wire.Stream
	firstPTS  int64 // unwrapped
	lastPTS   int64
	lastFrame int64 // PTS of the last picture, which the next must exceed
}

// level is one rung: its rendition, how its pictures are made, and which of them.
type level struct {
	*rendition
	parent *level // scaled from its pictures; nil: from the source's
	scaler *scaler

	// With a frame rate of its own: the picture that waits to know how long it lasts, and its slot.
	pending *picture
	slot    int64
	shown   int // pictures given to the encoder

	captions captions
}

// picture is one decoded picture with its scaled versions, made when first wanted.
type picture struct {
	frame  *astiav.Frame
	scaled []*astiav.Frame // by index of the ladder
	uses   int
}

func (p *picture) release() {
	if p.uses--; p.uses > 0 {
		return
	}
	p.frame.Free()
	for _, f := range p.scaled {
		if f != nil {
			f.Free()
		}
	}
}

// transcode makes every rendition of the segment.
func transcode(ctx context.Context, s *server, j *job, l *line, req wire.Transcode) (*wire.Result, error) {
	t := &transcoding{server: s, job: j, line: l, req: req}
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	defer t.cancel(nil)
	res, err := t.run()
	if !t.started {
		l.drop()
	}
	l.prev = nil // or every segment would keep all before it
	return res, err
}

func (t *transcoding) run() (*wire.Result, error) {
	err := t.readAll()
	if err != nil {
		t.cancel(err)
	}
	if t.started {
		for _, l := range t.levels {
			close(l.in)
		}
		t.running.Wait()
	}
	t.release()
	if cause := context.Cause(t.ctx); cause != nil { // the first thing that went wrong
		return nil, cause
	}
	t.source.Bytes = t.job.source.bytes()
	t.source.FirstPTS, t.source.LastPTS = shown(t.firstPTS, t.firstPTS), shown(t.lastPTS, t.firstPTS)
	t.source.Duration = ticks(t.end() - t.firstPTS)
	if n := t.source.Frames; n > 1 {
		t.source.FPSNum, t.source.FPSDen = t.num, t.den
	}
	res := &wire.Result{Source: t.source}
	for _, l := range t.levels {
		res.Renditions = append(res.Renditions, l.stats)
	}
	return res, nil
}

// start opens the renditions and gives them what was held back.
func (t *transcoding) start() error {
	if t.num == 0 {
		t.num, t.den = measureRate(t.held, t.decoder.cc.Framerate())
	}
	t.line.setRate(t.num, t.den)
	if a := t.demux.audio; a.Stream != nil && carried(a.CodecParameters().CodecID()) {
		// A copy: a rendition may need it when the demuxer is closed already.
		t.sound = astiav.AllocCodecParameters()
		if err := a.CodecParameters().Copy(t.sound); err != nil {
			return err
		}
	}
	for i, p := range t.req.Ladder {
		r := &rendition{index: i, profile: p, line: t.line, in: make(chan item, queueLen), out: t.output, audio: t.sound,
			rate: t.demux.sound.rate, num: t.num, den: t.den, look: t.look}
		if p.FPSNum > 0 {
			r.num, r.den = p.FPSNum, p.FPSDen
		}
		t.levels = append(t.levels, &level{rendition: r})
	}
	t.chain()
	t.started = true
	for _, l := range t.levels {
		t.running.Go(func() {
			if err := l.run(t.ctx); err != nil {
				t.cancel(classify(err))
				t.job.source.end(context.Canceled) // do not wait for more of it
			}
		})
	}
	for _, pkt := range t.early {
		if err := t.carry(pkt); err != nil {
			return err
		}
	}
	held := t.held
	t.held = nil
	for i, f := range held {
		if err := t.deliver(f); err != nil {
			for _, f := range held[i+1:] {
				f.Free()
			}
			return err
		}
	}
	return nil
}

// chain decides from which larger rung each one is scaled: the smallest that holds it.
func (t *transcoding) chain() {
	t.order = slices.Clone(t.levels)
	slices.SortStableFunc(t.order, func(a, b *level) int {
		return b.profile.Width*b.profile.Height - a.profile.Width*a.profile.Height
	})
	for i, l := range t.order {
		for _, larger := range t.order[:i] {
			if larger.profile.Width >= l.profile.Width && larger.profile.Height >= l.profile.Height &&
				larger.profile.Width <= t.source.Width && larger.profile.Height <= t.source.Height {
				l.parent = larger
			}
		}
	}
}

// deliver gives one picture, which it takes over, to every rendition that shows it.
func (t *transcoding) deliver(f *astiav.Frame) error {
	pic := &picture{frame: f, scaled: make([]*astiav.Frame, len(t.levels)), uses: 1}
	defer pic.release()
	said := captionsOf(f)
	for _, l := range t.order {
		if l.profile.FPSNum == 0 {
			l.captions.add(said, true)
			if err := t.show(l, pic, f.Pts()); err != nil {
				return err
			}
			continue
		}
		slot := wire.Slot(f.Pts()-t.turns(), l.num, l.den)
		if l.pending != nil {
			if err := t.showUntil(l, slot); err != nil {
				return err
			}
			l.pending.release()
		}
		l.captions.add(said, false)
		pic.uses++
		l.pending, l.slot = pic, max(slot, l.slot)
	}
	return nil
}

// showUntil shows the level's pending picture in its slots before end.
func (t *transcoding) showUntil(l *level, end int64) error {
	for ; l.slot < end; l.slot++ {
		if err := t.show(l, l.pending, wire.SlotPTS(l.slot, l.num, l.den)+t.turns()); err != nil {
			return err
		}
	}
	return nil
}

// show queues the picture, scaled, for the level's encoder.
func (t *transcoding) show(l *level, pic *picture, pts int64) error {
	f, err := t.scaled(l, pic)
	if err != nil {
		return err
	}
	c := f.Clone()
	c.SetPts(pts)
	if err := l.captions.put(c); err != nil {
		c.Free()
		return err
	}
	select {
	case l.in <- item{frame: c}:
		l.shown++
		return nil
	case <-t.ctx.Done():
		c.Free()
		return context.Cause(t.ctx)
	}
}

// scaled is the picture in the level's size. It stays the picture's.
func (t *transcoding) scaled(l *level, pic *picture) (*astiav.Frame, error) {
	if f := pic.scaled[l.index]; f != nil {
		return f, nil
	}
	from := pic.frame
	if l.parent != nil {
		var err error
		if from, err = t.scaled(l.parent, pic); err != nil {
			return nil, err
		}
	}
	key := scalerKey{from.Width(), from.Height(), from.PixelFormat(), l.profile.Width, l.profile.Height, astiav.PixelFormatYuv420P}
	if key.fromW == key.toW && key.fromH == key.toH && key.from == key.to && from.ColorRange() != astiav.ColorRangeJpeg {
		f := from.Clone()
		pic.scaled[l.index] = f
		return f, nil
	}
	if l.scaler == nil || l.scaler.key != key {
		if l.scaler != nil {
			t.server.warm.give(l.scaler)
			l.scaler = nil
		}
		s, err := t.server.warm.take(key)
		if err != nil {
			return nil, err
		}
		l.scaler = s
	}
	f, err := l.scaler.scale(from)
	if err != nil {
		return nil, err
	}
	pic.scaled[l.index] = f
	return f, nil
}

// carry gives every rendition a packet, which it takes over.
func (t *transcoding) carry(pkt *astiav.Packet) error {
	defer pkt.Free()
	pkt.SetPts(pkt.Pts() + t.demux.shift)
	pkt.SetDts(pkt.Dts() + t.demux.shift)
	for _, l := range t.levels {
		c := pkt.Clone()
		select {
		case l.in <- item{audio: c}:
		case <-t.ctx.Done():
			c.Free()
			return context.Cause(t.ctx)
		}
	}
	return nil
}

// end is when the last picture ends.
func (t *transcoding) end() int64 {
	step := interval(t.num, t.den)
	if n := int64(t.source.Frames); n > 1 {
		step = (t.lastPTS - t.firstPTS + (n-1)/2) / (n - 1)
	}
	return t.lastPTS + step
}

// turns is what unwrapped times of this segment exceed the container's by. Slots are counted in the container's time, so
// that whoever makes a segment, and whoever checks it, counts alike.
func (t *transcoding) turns() int64 { return t.firstPTS &^ (wrapTicks - 1) }

// release frees what the goroutine of this segment holds.
func (t *transcoding) release() {
	for _, f := range slices.Concat(t.undated, t.held) {
		f.Free()
	}
	if !t.started {
		for _, p := range t.early {
			p.Free()
		}
	}
	for _, l := range t.levels {
		if l.pending != nil {
			l.pending.release()
		}
		if l.scaler != nil {
			t.server.warm.give(l.scaler)
		}
	}
	if t.decoder != nil {
		t.decoder.free()
	}
	if t.sound != nil {
		t.sound.Free()
	}
	t.normal.free()
	t.look.free()
}

// output sends bytes of a rendition to the parent as it grants.
func (t *transcoding) output(index int, p []byte) error {
	if t.sent.Add(int64(len(p))) > t.req.Limits.MaxOutput {
		return limitf(wire.CodeFailed, "max_output", t.req.Limits.MaxOutput, "the renditions have more than %d bytes", t.req.Limits.MaxOutput)
	}
	for len(p) > 0 {
		n := min(len(p), wire.DataChunk)
		if err := t.job.window.take(t.ctx, n); err != nil {
			return err
		}
		if err := t.server.send(wire.Frame{Kind: wire.KindOutput, Rendition: uint8(index), Job: t.job.id, Payload: p[:n]}); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// classify gives an error of an encoder or a muxer its code.
func classify(err error) error {
	var f *wire.Failure
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	return failf(wire.CodeFailed, "%v", err)
}

// carried tells whether an MPEG-TS can carry sound of this codec as it is.
func carried(id astiav.CodecID) bool {
	switch id {
	case astiav.CodecIDAac, astiav.CodecIDMp2, astiav.CodecIDMp3, astiav.CodecIDAc3, astiav.CodecIDEac3:
		return true
	}
	return false
}

// interval of pictures at num/den per second, in ticks; 0 while unknown.
func interval(num, den int) int64 {
	if num <= 0 {
		return 0
	}
	return (int64(den)*wire.TicksPerSecond + int64(num)/2) / int64(num)
}

func ticks(n int64) time.Duration {
	return time.Duration(n) * time.Second / wire.TicksPerSecond
}

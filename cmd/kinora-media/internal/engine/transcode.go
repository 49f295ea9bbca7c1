package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// ratePictures is how many pictures of a stream's first segment are held back to learn its frame rate.
const ratePictures = 4

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
	levels   []*level // in the order of the ladder
	order    []*level // from the largest
	started  bool
	running  sync.WaitGroup
	sent     atomic.Int64 // bytes of all renditions
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

// readAll reads, decodes and scales the whole source.
func (t *transcoding) readAll() (err error) {
	for _, p := range t.req.Ladder {
		if p.Codec != "h264" {
			return failf(wire.CodeUnsupportedCodec, "profile %q: no encoder for %s, only h264", p.Name, p.Codec)
		}
	}
	if t.demux, err = openDemuxer(t.job.source, t.req.Limits); err != nil {
		return err
	}
	defer t.demux.close()
	defer func() {
		if t.decoder != nil {
			t.source.Damaged = t.decoder.bad
		}
	}()
	for {
		pkt, isVideo, err := t.demux.next()
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		switch {
		case errors.Is(err, io.EOF):
			return t.finish()
		case err != nil:
			return err
		case isVideo:
			err = t.video(pkt)
		default:
			err = t.audio(pkt)
		}
		if err != nil {
			return err
		}
	}
}

// video decodes one coded picture.
func (t *transcoding) video(pkt *astiav.Packet) error {
	if t.decoder == nil {
		if !pkt.Flags().Has(astiav.PacketFlagKey) {
			return failf(wire.CodeNoKeyframe, "the segment does not begin with a keyframe")
		}
		if pkt.Pts() == astiav.NoPtsValue {
			return failf(wire.CodeBadMedia, "the first picture has no timestamp")
		}
		var err error
		if t.decoder, err = openDecoder(t.demux.video.Stream, t.req.Limits); err != nil {
			return err
		}
		t.source.Codec = t.decoder.name
		t.demux.place(pkt.Pts(), t.line.nearby())
		t.line.setNear(pkt.Pts() + t.demux.shift)
	}
	return t.decoder.decode(pkt, t.frame)
}

// frame takes one decoded picture.
func (t *transcoding) frame(f *astiav.Frame) error {
	if err := checkSize(f, t.req.Limits); err != nil {
		return err
	}
	pts := f.Pts()
	if pts != astiav.NoPtsValue {
		pts += t.demux.shift
	}
	step := interval(t.num, t.den)
	if t.source.Frames == 0 {
		if pts == astiav.NoPtsValue {
			return failf(wire.CodeBadMedia, "the first picture has no timestamp")
		}
		t.firstPTS = pts
		t.source.Width, t.source.Height = f.Width(), f.Height()
		sar := f.SampleAspectRatio()
		t.source.SARNum, t.source.SARDen = sar.Num(), sar.Den()
		t.num, t.den = t.line.rate()
	} else if pts == astiav.NoPtsValue || pts <= t.lastPTS { // none, or one that jumps back
		pts = t.lastPTS + max(step, 1)
	}
	t.lastPTS = pts
	t.source.Frames++
	c := f.Clone()
	c.SetPts(pts)
	if t.started {
		return t.deliver(c)
	}
	t.held = append(t.held, c)
	if t.num == 0 && len(t.held) < ratePictures {
		return nil
	}
	return t.start()
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
			rate: t.demux.sound.rate, num: t.num, den: t.den, colours: t.decoder.cc}
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
	for _, l := range t.order {
		if l.profile.FPSNum == 0 {
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

// audio dates one sound packet and carries it to every rendition.
func (t *transcoding) audio(pkt *astiav.Packet) error {
	if !carried(t.demux.audio.CodecParameters().CodecID()) || !t.demux.dateAudio(pkt) {
		return nil
	}
	a := &t.source.Audio
	if a.Packets == 0 {
		a.Codec = t.demux.audio.CodecParameters().CodecID().Name()
		a.FirstPTS = shown(pkt.Pts(), pkt.Pts())
	}
	a.SampleRate, a.Channels = t.demux.sound.rate, t.demux.sound.channels
	a.Packets++
	a.Bytes += int64(pkt.Size())
	a.LastPTS = pkt.Pts() & (wrapTicks - 1)
	c := pkt.Clone()
	if t.started {
		return t.carry(c)
	}
	if len(t.early) >= maxEarlyAudio {
		c.Free()
		return failf(wire.CodeBadMedia, "more than %d sound packets before the first picture", maxEarlyAudio)
	}
	t.early = append(t.early, c)
	return nil
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

// finish brings the last pictures out.
func (t *transcoding) finish() error {
	if t.decoder == nil {
		return failf(wire.CodeBadMedia, "the video track has no pictures")
	}
	if err := t.decoder.decode(nil, t.frame); err != nil {
		return err
	}
	if t.source.Frames == 0 {
		return failf(wire.CodeBadMedia, "none of %d coded pictures decodes", t.demux.packets)
	}
	if !t.started {
		if err := t.start(); err != nil {
			return err
		}
	}
	for _, l := range t.order {
		if l.pending != nil {
			end := wire.Slot(t.end()-t.turns(), l.num, l.den)
			if l.shown == 0 { // a segment shorter than a slot still shows its picture
				end = max(end, l.slot+1)
			}
			if err := t.showUntil(l, end); err != nil {
				return err
			}
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
	for _, f := range t.held {
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

// commonRates are what cameras and encoders make; a measured rate this close to one is that one.
var commonRates = [][2]int{{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60000, 1001}, {60, 1}, {120, 1},
	{15, 1}, {20, 1}, {12, 1}, {10, 1}, {48, 1}, {100, 1}}

// measureRate is the frame rate by the timestamps of the first pictures, or what the stream says when there is but one.
func measureRate(frames []*astiav.Frame, said astiav.Rational) (num, den int) {
	if len(frames) < 2 {
		if f := said.Float64(); f >= 1 && f <= 240 {
			return said.Num(), said.Den()
		}
		return 30, 1
	}
	var steps []int64
	for i := 1; i < len(frames); i++ {
		steps = append(steps, frames[i].Pts()-frames[i-1].Pts())
	}
	slices.Sort(steps)
	step := float64(steps[len(steps)/2])
	if steps[len(steps)-1]*5 < steps[0]*6 { // only rounding apart
		step = float64(frames[len(frames)-1].Pts()-frames[0].Pts()) / float64(len(steps))
	}
	rate := min(max(wire.TicksPerSecond/step, 1), 240)
	for _, r := range commonRates {
		if c := float64(r[0]) / float64(r[1]); rate/c < 1.0003 && rate/c > 0.9997 {
			return r[0], r[1]
		}
	}
	for _, r := range commonRates { // timestamps in milliseconds
		if c := float64(r[0]) / float64(r[1]); rate/c < 1.005 && rate/c > 0.995 {
			return r[0], r[1]
		}
	}
	return int(rate*1000 + 0.5), 1000
}

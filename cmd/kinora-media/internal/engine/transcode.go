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
	if a := t.demux.audio; a.Stream != nil {
		// A copy: a rendition may need it when the demuxer is closed already.
		t.sound = astiav.AllocCodecParameters()
		if err := a.CodecParameters().Copy(t.sound); err != nil {
			return err
		}
	}
	if err := t.fanOut(); err != nil {
		return err
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

// audio dates one sound packet and carries it to every rendition.
func (t *transcoding) audio(pkt *astiav.Packet) error {
	if !t.demux.dateAudio(pkt) {
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
	return t.lastPictures()
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
		l.scale.free(t.server.warm)
	}
	if t.decoder != nil {
		t.decoder.free()
	}
	if t.sound != nil {
		t.sound.Free()
	}
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

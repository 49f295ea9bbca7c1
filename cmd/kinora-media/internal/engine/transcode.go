package engine

import (
	"context"
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
	loud     loudness
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
	alone    bool // there are no pictures
	num, den int  // source frame rate

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
	defer t.loud.free()
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
	t.loud.finish(&t.source.Audio)
	t.source.Bytes = t.job.source.bytes()
	t.source.FirstPTS, t.source.LastPTS = shown(t.firstPTS, t.firstPTS), shown(t.lastPTS, t.firstPTS)
	t.source.Duration = ticks(t.end() - t.firstPTS)
	if n := t.source.Frames; n > 1 {
		t.source.FPSNum, t.source.FPSDen = t.num, t.den
	}
	res := &wire.Result{Source: t.source, Renditions: make([]wire.Rendition, len(t.req.Ladder))}
	for i, p := range t.req.Ladder { // what no pictures could be made for is named, and empty
		res.Renditions[i].Name = p.Name
	}
	for _, l := range t.levels {
		res.Renditions[l.index] = l.stats
	}
	return res, nil
}

// start opens the renditions and gives them what was held back.
func (t *transcoding) start() error {
	if t.num == 0 {
		t.num, t.den = measureRate(t.held, t.decoder.cc.Framerate())
	}
	if !t.alone {
		t.line.setRate(t.num, t.den)
	}
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
	for len(t.early) > 0 {
		pkt := t.early[0]
		t.early = t.early[1:]
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

// end is when the last picture ends.
func (t *transcoding) end() int64 {
	step := interval(t.num, t.den)
	if t.alone {
		return t.demux.sound.next() + t.demux.shift
	}
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
	for _, p := range t.early {
		p.Free()
	}
	for _, l := range t.levels {
		l.release(t.server.warm)
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

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// queueLen is how many pictures and sound packets a rendition may lag behind the decoder.
const queueLen = 16

// item is a picture to encode or a sound packet to carry; whoever takes it frees it.
type item struct {
	frame *astiav.Frame
	audio *astiav.Packet
}

// rendition encodes one profile of one segment on a goroutine of its own.
type rendition struct {
	index   int
	profile wire.Profile
	line    *line
	in      chan item
	out     func(rendition int, p []byte) error
	audio   *astiav.CodecParameters // nil without a sound track
	rate    int                     // of the sound
	num     int                     // frame rate of the pictures that come
	den     int
	look    look // of the pictures that come

	cc      *astiav.CodecContext
	pkt     *astiav.Packet
	mux     *muxer
	waiting []waiting // packets that came before the muxer did
	first   int64
	nextKey int64

	stats wire.Rendition
	pts   struct{ first, last int64 }
}

type waiting struct {
	pkt     *astiav.Packet
	isVideo bool
}

// lookahead of x264's presets, in pictures. Live, more than liveLookahead buys delay rather than quality.
var presetLookahead = map[string]int{"ultrafast": 0, "superfast": 0, "veryfast": 10, "faster": 20, "fast": 30, "medium": 40,
	"slow": 50, "slower": 60, "veryslow": 60}

const (
	liveLookahead = 10
	defaultPreset = "veryfast"
)

// encoderOptions are x264's options for a profile. Each is known to it, or opening fails.
func encoderOptions(p wire.Profile) []string {
	preset := cmp.Or(p.Preset, defaultPreset)
	o := []string{"preset", preset, "profile", x264Profile(p.CodecProfile), "forced-idr", "1", "sc_threshold", "0"}
	switch {
	case p.Lookahead < 0:
		o = append(o, "tune", "zerolatency")
	case p.Lookahead > 0:
		o = append(o, "rc-lookahead", strconv.Itoa(p.Lookahead))
	default:
		o = append(o, "rc-lookahead", strconv.Itoa(min(presetLookahead[preset], liveLookahead)))
	}
	return o
}

func x264Profile(name string) string {
	switch name {
	case "baseline", "constrained_baseline": // x264 makes no other
		return "baseline"
	case "main":
		return "main"
	}
	return "high"
}

// encoderThreads is chosen by measurement on two cores: two frame threads for each rendition. Pictures beyond 720p get more
// where there are cores, since the largest rendition ends every segment.
func encoderThreads(p wire.Profile) int {
	return min(max(2, p.Width*p.Height/(1280*720)*2), max(runtime.NumCPU(), 2), 8)
}

func (r *rendition) open() error {
	codec := astiav.FindEncoderByName("libx264")
	if codec == nil {
		return errors.New("this build has no libx264")
	}
	p := r.profile
	cc := astiav.AllocCodecContext(codec)
	r.cc = cc
	cc.SetWidth(p.Width)
	cc.SetHeight(p.Height)
	cc.SetPixelFormat(astiav.PixelFormatYuv420P)
	cc.SetSampleAspectRatio(astiav.NewRational(1, 1))
	cc.SetTimeBase(timeBase)
	cc.SetFramerate(astiav.NewRational(r.num, r.den)) // without it x264 believes in 90,000 pictures per second
	cc.SetBitRate(p.Bitrate)
	cc.SetRateControlMaxRate(p.Bitrate)
	cc.SetRateControlMinRate(p.Bitrate)
	cc.SetRateControlBufferSize(int(p.Bitrate)) // one second
	cc.SetGopSize(1 << 30)                      // keyframes are those asked for below
	if err := r.look.dress(cc); err != nil {
		return err
	}
	cc.SetThreadCount(encoderThreads(p))
	cc.SetThreadType(astiav.ThreadTypeFrame)
	if p.Lookahead < 0 {
		cc.SetThreadType(astiav.ThreadTypeSlice) // frame threads would hold pictures back
	}
	opts, err := options(encoderOptions(p)...)
	if err != nil {
		return err
	}
	defer opts.Free()
	if err := cc.Open(codec, opts); err != nil {
		return failf(wire.CodeBadLadder, "profile %q: the encoder refuses it: %v", p.Name, err)
	}
	return leftover(opts)
}

// run encodes what comes in until in is closed, and hands the muxer on. It always empties in.
func (r *rendition) run(ctx context.Context) (err error) {
	defer func() {
		for it := range r.in {
			it.free()
		}
		for _, w := range r.waiting {
			w.pkt.Free()
		}
		if r.cc != nil {
			r.cc.Free()
		}
		if err != nil {
			if r.mux != nil {
				r.mux.free()
			} else if prev := r.line.prev; prev != nil {
				go func() { // the muxer this rendition did not come to use
					if m := <-prev.batons[r.index]; m != nil {
						m.free()
					}
				}()
			}
			r.mux = nil
		}
		r.line.batons[r.index] <- r.mux
	}()
	r.stats.Name = r.profile.Name
	if err := r.open(); err != nil {
		return err
	}
	r.pkt = astiav.AllocPacket()
	defer r.pkt.Free()
	for it := range r.in {
		if err := ctx.Err(); err != nil {
			it.free()
			return err
		}
		if it.audio != nil {
			r.stats.AudioPackets++
			err = r.emit(it.audio, false)
			it.audio = nil
		} else {
			err = r.encode(it.frame)
		}
		it.free()
		if err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.cc.SendFrame(nil); err != nil {
		return fmt.Errorf("drain encoder: %w", err)
	}
	if err := r.receive(ctx); err != nil {
		return err
	}
	if r.mux == nil {
		if err := r.acquire(ctx, true); err != nil {
			return err
		}
	}
	if err := r.mux.end(); err != nil {
		return err
	}
	r.stats.Pixels = int64(r.stats.Frames) * int64(r.profile.Width) * int64(r.profile.Height)
	r.stats.FirstPTS, r.stats.LastPTS = shown(r.pts.first, r.pts.first), shown(r.pts.last, r.pts.first)
	r.stats.Duration = ticks(r.pts.last - r.pts.first + interval(r.num, r.den))
	return nil
}

func (it item) free() {
	if it.frame != nil {
		it.frame.Free()
	}
	if it.audio != nil {
		it.audio.Free()
	}
}

// encode gives one picture to x264, as a keyframe at the start of the segment and whenever the profile's interval is over.
func (r *rendition) encode(f *astiav.Frame) error {
	pts := f.Pts()
	f.SetPictureType(astiav.PictureTypeNone) // the decoder's would be copied by x264
	if r.stats.Frames == 0 {
		r.first, r.nextKey = pts, pts
		r.pts.first, r.pts.last = pts, pts
	}
	if gop := int64(r.profile.GOPMillis) * wire.TicksPerSecond / 1000; r.stats.Frames == 0 || gop > 0 && pts+interval(r.num, r.den)/2 >= r.nextKey {
		f.SetPictureType(astiav.PictureTypeI)
		for gop > 0 && r.nextKey <= pts+interval(r.num, r.den)/2 {
			r.nextKey += gop
		}
	}
	r.stats.Frames++
	r.pts.last = pts
	if err := r.cc.SendFrame(f); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return r.receive(context.Background()) // no long wait: pictures go in as they come out
}

// receive takes every packet that is ready.
func (r *rendition) receive(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.cc.ReceivePacket(r.pkt)
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			return fmt.Errorf("encode: %w", err)
		}
		r.stats.VideoBytes += int64(r.pkt.Size())
		if r.pkt.Flags().Has(astiav.PacketFlagKey) {
			r.stats.Keyframes++
		}
		if err := r.emit(r.pkt.Clone(), true); err != nil {
			return err
		}
	}
}

// emit muxes pkt and frees it, or keeps it while the segment before still holds the muxer.
func (r *rendition) emit(pkt *astiav.Packet, isVideo bool) error {
	r.waiting = append(r.waiting, waiting{pkt, isVideo})
	if r.mux == nil {
		if !isVideo {
			return nil // the first picture says whether the muxer still fits
		}
		return r.acquire(context.Background(), false)
	}
	return r.flush()
}

func (r *rendition) flush() error {
	for len(r.waiting) > 0 {
		w := r.waiting[0]
		r.waiting = r.waiting[1:]
		err := r.mux.put(w.pkt, w.isVideo)
		w.pkt.Free()
		if err != nil {
			return err
		}
	}
	return nil
}

// acquire takes the muxer over from the segment before, or makes one. Without wait it leaves things as they are while the
// segment before is not done.
func (r *rendition) acquire(ctx context.Context, wait bool) error {
	var m *muxer
	if prev := r.line.prev; prev != nil {
		if wait {
			select {
			case m = <-prev.batons[r.index]:
			case <-ctx.Done():
				return ctx.Err()
			}
		} else {
			select {
			case m = <-prev.batons[r.index]:
			default:
				return nil
			}
		}
		prev.batons[r.index] <- nil // taken; what looks for it later finds nothing
	}
	if m != nil && !m.fits(r.audio, r.firstDTS()) {
		m.free()
		m = nil
	}
	if m == nil {
		var err error
		if m, err = newMuxer(r.cc, r.audio, r.rate); err != nil {
			return err
		}
	}
	r.mux = m
	if err := m.begin(func(p []byte) error {
		r.stats.Bytes += int64(len(p))
		return r.out(r.index, p)
	}); err != nil {
		return err
	}
	return r.flush()
}

func (r *rendition) firstDTS() int64 {
	for _, w := range r.waiting {
		if w.isVideo {
			return w.pkt.Dts()
		}
	}
	return 0
}

package engine

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/media/wire"
)

var testLimits = wire.Limits{MaxPixels: 1 << 24, MaxStreams: 16, MaxFrames: 1000, MaxDuration: time.Minute, MaxOutput: 1 << 30}

// openBytes is a demuxer over a whole segment, which must fit the window.
func openBytes(t *testing.T, b []byte) *demuxer {
	t.Helper()
	src := newSource(func(int) {})
	if err := src.put(b); err != nil {
		t.Fatal(err)
	}
	src.end(io.EOF)
	d, err := openDemuxer(src, testLimits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

// sound is decoded sound in one shape, as one run of samples of the first channel.
type sound struct {
	t       *testing.T
	decoder *audioDecoder
	shaper  *audioShaper
	first   int64
	next    int64
	jumps   int
	samples []float64
}

func newSound(t *testing.T, want soundShape) *sound {
	t.Helper()
	shaper, err := newAudioShaper(want)
	if err != nil {
		t.Fatal(err)
	}
	s := &sound{t: t, shaper: shaper}
	t.Cleanup(func() {
		shaper.free()
		if s.decoder != nil {
			s.decoder.free()
		}
	})
	return s
}

func (s *sound) take(f *astiav.Frame) error {
	defer f.Free()
	w := s.shaper.want
	if f.SampleRate() != w.rate || f.SampleFormat() != w.format || !f.ChannelLayout().Equal(w.channels) || w.samples > 0 && f.NbSamples() != w.samples {
		s.t.Errorf("a frame of %d samples, %s at %d Hz", f.NbSamples(), f.ChannelLayout(), f.SampleRate())
	}
	if len(s.samples) == 0 {
		s.first, s.next = f.Pts(), f.Pts()
	}
	if d := f.Pts() - s.next; d > 1 || d < -1 {
		s.jumps++
	}
	s.next = f.Pts() + int64(f.NbSamples())*wire.TicksPerSecond/int64(w.rate)
	b, err := f.Data().Bytes(1)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range f.NbSamples() { // planar floats: the first plane comes first
		s.samples = append(s.samples, float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))))
	}
	return nil
}

// play decodes the sound of a segment.
func (s *sound) play(d *demuxer) {
	s.t.Helper()
	for {
		pkt, isVideo, err := d.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if isVideo || !d.dateAudio(pkt) {
			continue
		}
		if s.decoder == nil {
			if s.decoder, err = openAudioDecoder(d.audio.CodecParameters()); err != nil {
				s.t.Fatal(err)
			}
		}
		if err := s.decoder.decode(pkt, func(f *astiav.Frame) error { return s.shaper.shape(f, s.take) }); err != nil {
			s.t.Fatal(err)
		}
	}
}

// roughness is how far the samples are at most from a pure tone, for which each follows from the two before.
func roughness(samples []float64, frequency, rate float64) float64 {
	k, worst := 2*math.Cos(2*math.Pi*frequency/rate), 0.0
	for i := 2; i < len(samples); i++ {
		worst = max(worst, math.Abs(samples[i]-k*samples[i-1]+samples[i-2]))
	}
	return worst
}

var stereo48k = soundShape{rate: 48000, channels: astiav.ChannelLayoutStereo, format: astiav.SampleFormatFltp, samples: 1024}

func TestSound_goesOnFromSegmentToSegmentWithoutASeam(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{48000, 44100} {
		segments := mediatest.Segments(t, mediatest.Spec{Width: 64, Height: 36, Seconds: 3, SegmentSeconds: 1, SampleRate: rate})
		s := newSound(t, stereo48k)
		for _, seg := range segments {
			s.play(openBytes(t, seg.Bytes))
		}
		if s.jumps != 0 || len(s.samples) < 2.9*48000 || len(s.samples) > 3.1*48000 {
			t.Errorf("%d Hz: %d samples with %d jumps", rate, len(s.samples), s.jumps)
		}
		// The tone begins and ends at once, so the first and last frames are not pure.
		if r := roughness(s.samples[4096:len(s.samples)-8192], 440, 48000); r > 0.0002 {
			t.Errorf("%d Hz: the tone is broken by %.4f", rate, r)
		}
	}
}

func TestSound_isMadeOfOneShapeWhateverItsLayout(t *testing.T) {
	t.Parallel()
	tone := func(layout, rate string) []byte {
		return mediatest.Make(t, "ts", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=30:duration=1", "-f", "lavfi", "-i", "sine=duration=1:sample_rate="+rate,
			"-c:v", "libx264", "-preset", "ultrafast", "-c:a", "ac3", "-b:a", "384k", "-channel_layout", layout, "-af", "aformat=channel_layouts="+layout)
	}
	s := newSound(t, stereo48k)
	s.play(openBytes(t, tone("5.1", "48000")))
	five := len(s.samples)
	if five < 0.9*48000 || s.jumps != 0 {
		t.Fatalf("5.1: %d samples with %d jumps", five, s.jumps)
	}
	s.play(openBytes(t, tone("mono", "44100"))) // begins where the other began: it overlaps wholly, so the count goes on
	if got := len(s.samples); got < five+40000 || s.jumps != 0 {
		t.Errorf("mono: %d samples with %d jumps", got, s.jumps)
	}
	if _, err := newAudioShaper(soundShape{rate: 48000, channels: astiav.ChannelLayoutHexadecagonal, format: astiav.SampleFormatFltp}); err == nil {
		t.Error("sixteen channels are taken")
	}
}

func TestSound_fillsGapsAndDropsOverlaps(t *testing.T) {
	t.Parallel()
	s := newSound(t, stereo48k)
	tone := 0
	put := func(pts int64, n int) {
		t.Helper()
		f, err := s.shaper.filled(n)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Free()
		b := make([]byte, n*4*2)
		for i := range n {
			v := math.Float32bits(float32(0.1 + float64(tone)/1e6))
			tone++
			binary.LittleEndian.PutUint32(b[4*i:], v)
			binary.LittleEndian.PutUint32(b[4*(n+i):], v)
		}
		if err := f.Data().SetBytes(b, 1); err != nil {
			t.Fatal(err)
		}
		f.SetPts(pts)
		if err := s.shaper.shape(f, s.take); err != nil {
			t.Fatal(err)
		}
	}
	silent := func() (n int) {
		for _, v := range s.samples {
			if v == 0 {
				n++
			}
		}
		return n
	}
	put(90000, 4800)
	put(90000+9000+100, 4800) // inexact
	put(90000+18000+18000, 4800)
	if n := silent(); n != 9600 {
		t.Errorf("%d samples of silence in a gap of 9600", n)
	}
	if p := s.shaper.end() - s.shaper.at(); p < 0 || p > 1024*90000/48000 {
		t.Errorf("%d ticks are pending", p)
	}
	before := len(s.samples) + s.shaper.fifo.Size()
	put(90000+18000+18000, 4800) // again
	if n := len(s.samples) + s.shaper.fifo.Size(); n != before {
		t.Errorf("an overlap added %d samples", n-before)
	}
	put(90000+36000+9000, 4800)
	if s.jumps != 0 || s.first != 90000 {
		t.Errorf("begins at %d, %d jumps", s.first, s.jumps)
	}
	put(90000+900_000, 4800) // too far to fill
	if err := s.shaper.flush(s.take); err != nil {
		t.Fatal(err)
	}
	if s.jumps != 1 || s.shaper.fifo.Size() != 0 {
		t.Errorf("%d jumps, %d samples left", s.jumps, s.shaper.fifo.Size())
	}
}

func TestSound_isSilentWhereItIsNoNumber(t *testing.T) {
	t.Parallel()
	for _, format := range []astiav.SampleFormat{astiav.SampleFormatFlt, astiav.SampleFormatFltp, astiav.SampleFormatDblp} {
		f := astiav.AllocFrame()
		defer f.Free()
		f.SetChannelLayout(astiav.ChannelLayoutStereo)
		f.SetSampleRate(48000)
		f.SetSampleFormat(format)
		f.SetNbSamples(1024)
		if err := f.AllocBuffer(1); err != nil {
			t.Fatal(err)
		}
		b, err := f.Data().Bytes(1)
		if err != nil {
			t.Fatal(err)
		}
		wild := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e30, 0.5}
		for i := range 2 * 1024 {
			if format == astiav.SampleFormatDblp {
				binary.NativeEndian.PutUint64(b[8*i:], math.Float64bits(wild[i%len(wild)]))
			} else {
				binary.NativeEndian.PutUint32(b[4*i:], math.Float32bits(float32(wild[i%len(wild)])))
			}
		}
		if err := f.Data().SetBytes(b, 1); err != nil {
			t.Fatal(err)
		}
		s := newSound(t, stereo48k)
		if err := s.shaper.shape(f, s.take); err != nil {
			t.Fatal(err)
		}
		loud := 0
		for _, v := range s.samples {
			switch v {
			case 0:
			case 0.5:
				loud++
			default:
				t.Fatalf("%s: a sample is %v", format, v)
			}
		}
		if len(s.samples) != 1024 || loud < 200 || loud > 210 {
			t.Errorf("%s: %d of %d samples are what they were", format, loud, len(s.samples))
		}
	}
}

package engine

// #include <libavcodec/avcodec.h>
// static void kinora_packet_time_base(void *cc, int num, int den) { ((AVCodecContext *)cc)->pkt_timebase = (AVRational){num, den}; }
import "C"

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// audioDecoder decodes a sound track. It is kept from segment to segment of a stream: the first frame of a fresh one is not
// the sound that was encoded, since AAC, MP3 and Opus overlap their frames. None of them holds a frame back, so it need not
// be drained at a segment's end.
type audioDecoder struct {
	cc    *astiav.CodecContext
	frame *astiav.Frame
	name  string
	next  int64 // when the sound after the last frame begins
	begun bool
	bad   int // packets that were refused
}

// openAudioDecoder opens a decoder for a track of these parameters.
func openAudioDecoder(track *astiav.CodecParameters) (*audioDecoder, error) {
	id := track.CodecID()
	var codec *astiav.Codec
	if id == astiav.CodecIDOpus { // FFmpeg's own has no packet loss concealment, and is not bit exact with the reference
		codec = astiav.FindDecoderByName("libopus")
	}
	if codec == nil {
		codec = astiav.FindDecoder(id)
	}
	if codec == nil {
		return nil, failf(wire.CodeUnsupportedCodec, "no decoder for sound of codec %s", id.Name())
	}
	cc := astiav.AllocCodecContext(codec)
	if err := track.ToCodecContext(cc); err != nil {
		cc.Free()
		return nil, fmt.Errorf("open decoder %s: %w", id.Name(), err)
	}
	cc.SetThreadCount(1)
	C.kinora_packet_time_base(cc.UnsafePointer(), 1, wire.TicksPerSecond)
	if err := cc.Open(codec, nil); err != nil {
		cc.Free()
		return nil, failf(wire.CodeBadMedia, "the decoder refuses the sound track (%s): %v", id.Name(), err)
	}
	return &audioDecoder{cc: cc, frame: astiav.AllocFrame(), name: id.Name()}, nil
}

func (d *audioDecoder) free() {
	d.frame.Free()
	d.cc.Free()
}

// decode gives pkt (1/90000 s; nil: the end of the stream) to the decoder and every frame that comes out, dated in
// 1/90000 s, to take. The frame stays the decoder's.
func (d *audioDecoder) decode(pkt *astiav.Packet, take func(*astiav.Frame) error) error {
	return decode(d.cc, d.frame, pkt, &d.bad, func(f *astiav.Frame) error {
		rate := int64(f.SampleRate())
		if rate <= 0 || f.NbSamples() <= 0 || f.Pts() == astiav.NoPtsValue && !d.begun {
			return nil
		}
		if f.Pts() == astiav.NoPtsValue {
			f.SetPts(d.next)
		}
		d.begun, d.next = true, f.Pts()+int64(f.NbSamples())*wire.TicksPerSecond/rate
		return take(f)
	})
}

// maxChannels of an encoder: libav's queues of samples see no more planes.
const maxChannels = 8

// soundShape is how an encoder wants its sound.
type soundShape struct {
	rate     int
	channels astiav.ChannelLayout // at most maxChannels
	format   astiav.SampleFormat
	samples  int // of every frame; 0: as they come
}

const (
	soundSlack = wire.TicksPerSecond / 20 // timestamps this far from the count of samples are inexact, no gap
	soundGap   = wire.TicksPerSecond      // silence fills a gap up to this; beyond it the sound goes on at its new time
)

// audioShaper makes frames of one shape from frames of any, changing ones included: without gaps, dated by counting
// samples. Like the decoder it is kept from segment to segment.
type audioShaper struct {
	want soundShape
	swr  *astiav.SoftwareResampleContext
	fifo *astiav.AudioFifo

	begun  bool
	anchor int64 // PTS of the first sample since the last jump
	given  int64 // samples given out since
	excess int   // samples to drop: sound that overlaps what was there before
}

func newAudioShaper(want soundShape) (*audioShaper, error) {
	if n := want.channels.Channels(); n < 1 || n > maxChannels {
		return nil, fmt.Errorf("shape sound: %d channels, at most %d", n, maxChannels)
	}
	fifo := astiav.AllocAudioFifo(want.format, want.channels.Channels(), max(want.samples, 1024)*2)
	if fifo == nil {
		return nil, errors.New("shape sound: no memory")
	}
	return &audioShaper{want: want, fifo: fifo}, nil
}

func (s *audioShaper) free() {
	if s.swr != nil {
		s.swr.Free()
	}
	s.fifo.Free()
}

// shape takes a decoded frame (PTS in 1/90000 s) and gives every frame that is complete to take, whose frame it becomes.
func (s *audioShaper) shape(f *astiav.Frame, take func(*astiav.Frame) error) error {
	if !s.begun {
		s.begun, s.anchor = true, f.Pts()
	}
	if off := f.Pts() - s.end(); off > soundGap {
		if err := s.flush(take); err != nil {
			return err
		}
		s.begun, s.anchor, s.given = true, f.Pts(), 0
	} else if off > soundSlack {
		if err := s.silence(s.count(off)); err != nil {
			return err
		}
	} else if off < -soundSlack && off > -soundGap {
		s.excess = s.count(-off)
	}
	if err := s.convert(f); err != nil {
		return err
	}
	return s.give(take, s.want.samples)
}

// flush gives out what is left, the last frame filled up with silence, as at the end of a stream or before a jump.
func (s *audioShaper) flush(take func(*astiav.Frame) error) error {
	if err := s.empty(); err != nil {
		return err
	}
	if n := s.want.samples; n > 0 && s.fifo.Size()%n > 0 {
		if err := s.silence(n - s.fifo.Size()%n); err != nil {
			return err
		}
	}
	err := s.give(take, s.want.samples)
	s.begun, s.excess = false, 0
	return err
}

// at is when the next frame begins.
func (s *audioShaper) at() int64 { return s.anchor + s.given*wire.TicksPerSecond/int64(s.want.rate) }

// end is when the sound taken so far ends.
func (s *audioShaper) end() int64 {
	held := int64(s.fifo.Size() - s.excess)
	if s.swr != nil {
		held += s.swr.Delay(int64(s.want.rate))
	}
	return s.anchor + (s.given+held)*wire.TicksPerSecond/int64(s.want.rate)
}

func (s *audioShaper) count(ticks int64) int {
	return int(ticks * int64(s.want.rate) / wire.TicksPerSecond)
}

// empty brings out what the resampler holds, and closes it.
func (s *audioShaper) empty() error {
	if s.swr == nil {
		return nil
	}
	to := s.blank()
	defer to.Free()
	err := s.swr.ConvertFrame(nil, to)
	s.swr.Free()
	s.swr = nil
	if err != nil {
		return fmt.Errorf("end resampling: %w", err)
	}
	return s.write(to)
}

// convert resamples f into the fifo.
func (s *audioShaper) convert(f *astiav.Frame) error {
	if err := tame(f); err != nil {
		return err
	}
	if s.swr == nil {
		s.swr = astiav.AllocSoftwareResampleContext()
	}
	to := s.blank()
	defer to.Free()
	err := s.swr.ConvertFrame(f, to)
	if errors.Is(err, astiav.ErrInputChanged) { // another rate, layout or format from here on
		if err := s.empty(); err != nil {
			return err
		}
		s.swr = astiav.AllocSoftwareResampleContext()
		to.Unref()
		s.dress(to)
		err = s.swr.ConvertFrame(f, to)
	}
	if err != nil {
		s.swr.Free() // it may be half open
		s.swr = nil
		return failf(wire.CodeBadMedia, "sound at %d Hz cannot be made %s at %d Hz: %v", f.SampleRate(), s.want.channels, s.want.rate, err)
	}
	return s.write(to)
}

// blank is a frame of the wanted shape without samples; free it.
func (s *audioShaper) blank() *astiav.Frame {
	f := astiav.AllocFrame()
	s.dress(f)
	return f
}

func (s *audioShaper) dress(f *astiav.Frame) {
	f.SetChannelLayout(s.want.channels)
	f.SetSampleRate(s.want.rate)
	f.SetSampleFormat(s.want.format)
}

func (s *audioShaper) write(f *astiav.Frame) error {
	if f.NbSamples() == 0 {
		return nil
	}
	if n := min(s.excess, f.NbSamples()); n > 0 {
		s.excess -= n
		rest, err := s.without(f, n)
		if err != nil || rest == nil {
			return err
		}
		defer rest.Free()
		f = rest
	}
	if _, err := s.fifo.Write(f); err != nil {
		return fmt.Errorf("keep sound: %w", err)
	}
	return nil
}

// without is f without its first n samples, nil if it has no more.
func (s *audioShaper) without(f *astiav.Frame, n int) (*astiav.Frame, error) {
	if f.NbSamples() <= n {
		return nil, nil
	}
	fifo := astiav.AllocAudioFifo(s.want.format, s.want.channels.Channels(), f.NbSamples())
	if fifo == nil {
		return nil, errors.New("drop sound: no memory")
	}
	defer fifo.Free()
	if _, err := fifo.Write(f); err != nil {
		return nil, fmt.Errorf("drop sound: %w", err)
	}
	read := func(n int) (*astiav.Frame, error) {
		part, err := s.filled(n)
		if err != nil {
			return nil, err
		}
		if _, err := fifo.Read(part); err != nil {
			part.Free()
			return nil, fmt.Errorf("drop sound: %w", err)
		}
		return part, nil
	}
	head, err := read(n)
	if err != nil {
		return nil, err
	}
	head.Free()
	return read(f.NbSamples() - n)
}

// filled is a frame of the wanted shape with room for n samples; free it.
func (s *audioShaper) filled(n int) (*astiav.Frame, error) {
	f := s.blank()
	f.SetNbSamples(n)
	if err := f.AllocBuffer(0); err != nil {
		f.Free()
		return nil, fmt.Errorf("sound of %d samples: %w", n, err)
	}
	return f, nil
}

func (s *audioShaper) silence(n int) error {
	f, err := s.filled(n)
	if err != nil {
		return err
	}
	defer f.Free()
	if err := f.SamplesFillSilence(); err != nil {
		return fmt.Errorf("silence: %w", err)
	}
	return s.write(f)
}

// give gives out frames of n samples (0: of all there are).
func (s *audioShaper) give(take func(*astiav.Frame) error, n int) error {
	for size := s.fifo.Size(); size > 0 && size >= n; size = s.fifo.Size() {
		f, err := s.filled(cmp.Or(n, size))
		if err != nil {
			return err
		}
		if _, err := s.fifo.Read(f); err != nil {
			f.Free()
			return fmt.Errorf("take sound: %w", err)
		}
		f.SetPts(s.at())
		s.given += int64(f.NbSamples())
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}

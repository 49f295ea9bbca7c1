package engine

import (
	"math"
	"strconv"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// loudness measures the sound of one segment by EBU R 128.
type loudness struct {
	decoder *audioDecoder
	shaper  *audioShaper
	graph   *graph

	integrated, peak float64 // LUFS, and the largest amplitude between the samples
	seen             bool
	broken           bool // the sound cannot be decoded; that is no reason to fail the segment
}

// take measures a packet of the track (1/90000 s).
func (m *loudness) take(track *astiav.CodecParameters, pkt *astiav.Packet) {
	if !m.broken && m.add(track, pkt) != nil {
		m.broken, m.seen = true, false
	}
}

func (m *loudness) add(track *astiav.CodecParameters, pkt *astiav.Packet) (err error) {
	if m.decoder == nil {
		if m.decoder, err = openAudioDecoder(track); err != nil {
			return err
		}
	}
	return m.decoder.decode(pkt, func(f *astiav.Frame) error {
		if m.shaper == nil {
			if err := m.open(f.ChannelLayout().Channels()); err != nil {
				return err
			}
		}
		return m.shaper.shape(f, m.measure)
	})
}

// open takes the channels as they are at first: what comes from other ones is brought into them.
func (m *loudness) open(channels int) (err error) {
	want := soundShape{rate: 48_000, channels: astiav.ChannelLayoutStereo, format: astiav.SampleFormatDbl, samples: 4800}
	switch channels {
	case 1:
		want.channels = astiav.ChannelLayoutMono
	case 6:
		want.channels = astiav.ChannelLayout5Point1Back
	}
	if m.shaper, err = newAudioShaper(want); err != nil {
		return err
	}
	m.graph, err = newSoundGraph(want, "ebur128=metadata=1:peak=true:framelog=quiet")
	return err
}

func (m *loudness) measure(f *astiav.Frame) error {
	defer f.Free()
	return m.graph.push(f, func(f *astiav.Frame) error {
		said := f.Metadata()
		number := func(key string) float64 {
			e := said.Get(key, nil, 0)
			if e == nil {
				return math.NaN()
			}
			v, err := strconv.ParseFloat(e.Value(), 64)
			if err != nil {
				return math.NaN()
			}
			return v
		}
		if i, p := number("lavfi.r128.I"), number("lavfi.r128.true_peak"); !math.IsNaN(i) && !math.IsNaN(p) {
			m.integrated, m.peak, m.seen = i, p, true
		}
		return nil
	})
}

// silence is what stands for no sound at all: the gate of EBU R 128.
const silence = -70

// finish tells the audio what was measured.
func (m *loudness) finish(a *wire.Audio) {
	if m.shaper != nil && !m.broken && m.shaper.flush(m.measure) != nil {
		m.seen = false
	}
	if m.seen {
		a.LUFS, a.TruePeak = max(m.integrated, silence), silence
		if m.peak > 0 {
			a.TruePeak = max(20*math.Log10(m.peak), silence)
		}
	}
}

func (m *loudness) free() {
	if m.decoder != nil {
		m.decoder.free()
	}
	if m.shaper != nil {
		m.shaper.free()
	}
	if m.graph != nil {
		m.graph.free()
	}
}

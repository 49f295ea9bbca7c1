package engine

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// What becomes of the sound in a rendition.
type soundMode int

const (
	soundNone soundMode = iota
	soundCopy
	soundEncode
)

// encodedRate of sound is always the same: both encoders like it, and its frames are whole numbers of ticks.
const encodedRate = 48_000

// planSound decides what becomes of a track (nil: the source has none) in profile p.
func planSound(p wire.Profile, source *astiav.CodecParameters) (soundMode, error) {
	if source == nil {
		if p.SoundOnly() {
			return soundNone, failf(wire.CodeBadMedia, "profile %q is sound alone, and the segment has no sound track", p.Name)
		}
		return soundNone, nil
	}
	switch p.AudioCodec {
	case "none":
		return soundNone, nil
	case "aac", "opus":
		return soundEncode, nil
	}
	id := source.CodecID()
	switch {
	case carries(p, source):
		return soundCopy, nil
	case p.AudioCodec == "copy":
		return soundNone, failf(wire.CodeBadLadder, "profile %q: audio_codec is copy, but %s does not carry the source's %s", p.Name, wrapping(p), id.Name())
	case astiav.FindDecoder(id) == nil && !p.SoundOnly():
		return soundNone, nil
	}
	return soundEncode, nil
}

func wrapping(p wire.Profile) string {
	if p.Fragmented() {
		return "fmp4"
	}
	return "ts"
}

// carries tells whether the rendition's container takes sound of these parameters as it is.
func carries(p wire.Profile, source *astiav.CodecParameters) bool {
	switch source.CodecID() {
	case astiav.CodecIDAac:
		return true
	case astiav.CodecIDMp2, astiav.CodecIDMp3, astiav.CodecIDAc3, astiav.CodecIDEac3:
		return !p.Fragmented()
	case astiav.CodecIDOpus:
		return p.Fragmented() && len(source.ExtraData()) > 0
	}
	return false
}

// soundEncoder makes one rendition's sound anew. It is kept from segment to segment, so that what primes it is heard once.
type soundEncoder struct {
	decoder *audioDecoder
	shaper  *audioShaper
	cc      *astiav.CodecContext
	pkt     *astiav.Packet
	params  *astiav.CodecParameters
	source  astiav.CodecID
}

// openSoundEncoder opens one for sound of these parameters, of which first is a packet.
func openSoundEncoder(p wire.Profile, source *astiav.CodecParameters, first *astiav.Packet) (e *soundEncoder, err error) {
	e = &soundEncoder{source: source.CodecID(), pkt: astiav.AllocPacket()}
	defer func() {
		if err != nil {
			e.free()
			e = nil
		}
	}()
	name, extra := "aac", []string(nil)
	if p.AudioCodec == "opus" {
		name, extra = "libopus", []string{"frame_duration", "20"}
	}
	codec := astiav.FindEncoderByName(name)
	if codec == nil {
		return e, failf(wire.CodeUnsupportedCodec, "profile %q: audio_codec: this build of FFmpeg has no encoder %s", p.Name, name)
	}
	if e.decoder, err = openAudioDecoder(source); err != nil {
		return e, err
	}
	channels := soundChannels(p, source, first)
	layout := map[int]astiav.ChannelLayout{1: astiav.ChannelLayoutMono, 2: astiav.ChannelLayoutStereo, 6: astiav.ChannelLayout5Point1Back}[channels]
	format := astiav.SampleFormatFltp
	if name == "libopus" {
		format = astiav.SampleFormatFlt
	}
	e.cc = astiav.AllocCodecContext(codec)
	e.cc.SetSampleRate(encodedRate)
	e.cc.SetSampleFormat(format)
	e.cc.SetChannelLayout(layout)
	e.cc.SetTimeBase(timeBase)
	e.cc.SetBitRate(int64(64_000 * channels))
	if p.AudioBitrate > 0 {
		e.cc.SetBitRate(int64(p.AudioBitrate))
	}
	e.cc.SetFlags(e.cc.Flags().Add(astiav.CodecContextFlagGlobalHeader))
	opts, err := options(extra...)
	if err != nil {
		return e, err
	}
	defer opts.Free()
	if err := e.cc.Open(codec, opts); err != nil {
		return e, failf(wire.CodeBadLadder, "profile %q: the encoder %s refuses %d channels at %s bit/s: %v", p.Name, name, channels, strconv.FormatInt(e.cc.BitRate(), 10), err)
	}
	if err := leftover(opts); err != nil {
		return e, fmt.Errorf("%s: %w", name, err)
	}
	if e.shaper, err = newAudioShaper(soundShape{rate: encodedRate, channels: layout, format: format, samples: e.cc.FrameSize()}); err != nil {
		return e, err
	}
	e.params = astiav.AllocCodecParameters()
	if err := e.cc.ToCodecParameters(e.params); err != nil {
		return e, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}

// soundChannels is how many channels to encode: what the profile says, else the source's, at most two.
func soundChannels(p wire.Profile, source *astiav.CodecParameters, first *astiav.Packet) int {
	if p.AudioChannels > 0 {
		return p.AudioChannels
	}
	n := source.ChannelLayout().Channels()
	if n == 0 && first != nil {
		head, _ := readSoundHead(source.CodecID(), first.Data())
		n = head.channels
	}
	if n == 1 {
		return 1
	}
	return 2
}

// fits tells whether the encoder can go on with sound of these parameters.
func (e *soundEncoder) fits(source *astiav.CodecParameters) bool { return e.source == source.CodecID() }

// encode takes a packet of the source and gives those that are made of it to emit, whose they become.
func (e *soundEncoder) encode(pkt *astiav.Packet, emit func(*astiav.Packet) error) error {
	return e.decoder.decode(pkt, func(f *astiav.Frame) error {
		return e.shaper.shape(f, func(f *astiav.Frame) error {
			defer f.Free()
			if err := e.cc.SendFrame(f); err != nil {
				return fmt.Errorf("encode sound: %w", err)
			}
			for {
				err := e.cc.ReceivePacket(e.pkt)
				switch {
				case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
					return nil
				case err != nil:
					return fmt.Errorf("encode sound: %w", err)
				}
				if err := emit(e.pkt.Clone()); err != nil {
					return err
				}
			}
		})
	})
}

func (e *soundEncoder) free() {
	if e.decoder != nil {
		e.decoder.free()
	}
	if e.shaper != nil {
		e.shaper.free()
	}
	if e.cc != nil {
		e.cc.Free()
	}
	if e.params != nil {
		e.params.Free()
	}
	e.pkt.Free()
}

// withConfig is the parameters of an AAC track as containers want them that are not MPEG-TS: what every ADTS header says, said
// once. Free them.
func withConfig(source *astiav.CodecParameters, first *astiav.Packet) (*astiav.CodecParameters, error) {
	out := astiav.AllocCodecParameters()
	if err := source.Copy(out); err != nil {
		out.Free()
		return nil, err
	}
	if source.CodecID() != astiav.CodecIDAac || first == nil || !isADTS(first) {
		return out, nil
	}
	h := first.Data()
	object, rate, channels := h[2]>>6+1, h[2]>>2&15, h[2]&1<<2|h[3]>>6
	if err := out.SetExtraData([]byte{object<<3 | rate>>1, rate<<7 | channels<<3}); err != nil {
		out.Free()
		return nil, err
	}
	out.SetSampleRate(adtsRates[rate])
	out.SetFrameSize(1024)
	switch channels {
	case 1:
		out.SetChannelLayout(astiav.ChannelLayoutMono)
	case 6:
		out.SetChannelLayout(astiav.ChannelLayout5Point1Back)
	default:
		out.SetChannelLayout(astiav.ChannelLayoutStereo)
	}
	return out, nil
}

func isADTS(pkt *astiav.Packet) bool {
	_, ok := readSoundHead(astiav.CodecIDAac, pkt.Data())
	return ok
}

// withoutADTS takes the header off a packet of AAC.
func withoutADTS(pkt *astiav.Packet) (*astiav.Packet, error) {
	b := pkt.Data()
	head, ok := readSoundHead(astiav.CodecIDAac, b)
	if !ok {
		return pkt, nil
	}
	bare := astiav.AllocPacket()
	if err := bare.FromData(b[min(head.length, len(b)):]); err != nil {
		bare.Free()
		return nil, err
	}
	bare.SetPts(pkt.Pts())
	bare.SetDts(pkt.Dts())
	bare.SetFlags(pkt.Flags())
	pkt.Free()
	return bare, nil
}

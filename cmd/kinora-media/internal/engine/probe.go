package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// maxProbeBytes bounds what a probe of a decoder keeps of the coded pictures.
const maxProbeBytes = 64 << 20

// probe tries an encoder, or a decoder on what the encoder made.
func probe(ctx context.Context, req wire.Probe) (*wire.Probed, error) {
	if req.Frames < 1 || req.Frames > wire.MaxProbeFrames || req.Sessions < 0 || req.Sessions > wire.MaxProbeSessions || req.Budget <= 0 {
		return nil, failf(wire.CodeBadLadder, "probe of %d pictures in %d sessions within %s: want 1 to %d, 0 to %d and some time",
			req.Frames, req.Sessions, req.Budget, wire.MaxProbeFrames, wire.MaxProbeSessions)
	}
	if req.Width < 0 || req.Height < 0 || (req.Width == 0) != (req.Height == 0) || req.Width > 1<<14 || req.Height > 1<<14 || req.Width*req.Height > wire.MaxProbePixels {
		return nil, failf(wire.CodeBadLadder, "probe at %d×%d: want both or neither, at most %d pixels", req.Width, req.Height, wire.MaxProbePixels)
	}
	out := &wire.Probed{}
	begun := time.Now()
	e, err := openProbe(req)
	if err != nil {
		return nil, err
	}
	defer e.free()
	out.Open, out.Sessions = time.Since(begun), 1
	if req.Decoder != "" {
		return out, e.decoded(ctx, req, out)
	}
	if req.Sessions > 1 {
		return out, e.together(ctx, req, out)
	}
	begun = time.Now()
	for out.Frames < req.Frames && (out.Frames == 0 || time.Since(begun) < req.Budget) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := e.encode(); err != nil {
			return nil, err
		}
		out.Frames++
	}
	if err := e.drain(); err != nil {
		return nil, err
	}
	out.Took, out.Bytes = time.Since(begun), e.bytes
	if e.bytes == 0 {
		return nil, failf(wire.CodeFailed, "%s made nothing of %d pictures", req.Encoder, out.Frames)
	}
	return out, nil
}

// together opens sessions beside e until one is refused; each counts once it took a picture.
func (e *probeEncoder) together(ctx context.Context, req wire.Probe, out *wire.Probed) error {
	all := []*probeEncoder{e}
	defer func() {
		for _, more := range all[1:] {
			more.free()
		}
	}()
	begun := time.Now()
	for len(all) < req.Sessions && time.Since(begun) < req.Budget {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := openProbe(req)
		if err == nil {
			all = append(all, more)
			err = more.encode()
		}
		if err != nil {
			out.Refused = err.Error()
			break
		}
		out.Sessions++
	}
	for _, one := range all[:out.Sessions] { // those that were open stay so until here
		if err := one.encode(); err != nil {
			return err
		}
		out.Frames++
		out.Bytes += one.bytes
	}
	out.Took = time.Since(begun)
	return nil
}

// probeEncoder is an open encoder with the picture it is fed, over and over with a part that moves.
type probeEncoder struct {
	name   string
	cc     *astiav.CodecContext
	frame  *astiav.Frame // in memory
	pixels []byte        // of which each picture shows size, a little further on
	size   int
	format astiav.PixelFormat
	device *astiav.HardwareDeviceContext
	frames *astiav.HardwareFramesContext
	pkt    *astiav.Packet
	next   int64
	step   int64
	bytes  int64
	keep   bool // the packets
	made   []*astiav.Packet
}

func openProbe(req wire.Probe) (_ *probeEncoder, err error) {
	codec := astiav.FindEncoderByName(req.Encoder)
	if codec == nil {
		return nil, failf(wire.CodeUnsupportedCodec, "this build of FFmpeg has no encoder %.40q", req.Encoder)
	}
	e := &probeEncoder{name: req.Encoder, cc: astiav.AllocCodecContext(codec), pkt: astiav.AllocPacket(), frame: astiav.AllocFrame(), step: 1, keep: req.Decoder != ""}
	defer func() {
		if err != nil {
			e.free()
		}
	}()
	if req.Threads > 0 {
		e.cc.SetThreadCount(req.Threads)
	}
	set := e.picture
	if req.Width == 0 {
		set = e.sound
	}
	pairs, err := set(codec, req)
	if err != nil {
		return nil, err
	}
	for k, v := range req.Options {
		pairs = append(pairs, k, v)
	}
	opts, err := options(pairs...)
	if err != nil {
		return nil, err
	}
	defer opts.Free()
	if err := e.cc.Open(codec, opts); err != nil {
		return nil, failf(wire.CodeUnsupportedCodec, "%s cannot be opened: %v", req.Encoder, err)
	}
	if err := leftover(opts); err != nil {
		return nil, failf(wire.CodeBadLadder, "%s: %v", req.Encoder, err)
	}
	if req.Width == 0 {
		e.frame.SetNbSamples(max(e.cc.FrameSize(), 1))
		if e.cc.FrameSize() == 0 {
			e.frame.SetNbSamples(1024)
		}
		e.frame.SetSampleFormat(e.cc.SampleFormat())
		e.frame.SetSampleRate(e.cc.SampleRate())
		e.frame.SetChannelLayout(e.cc.ChannelLayout())
		e.step = int64(e.frame.NbSamples())
		if err := e.frame.AllocBuffer(0); err != nil {
			return nil, err
		}
		return e, e.frame.SamplesFillSilence()
	}
	e.frame.SetWidth(req.Width)
	e.frame.SetHeight(req.Height)
	e.frame.SetPixelFormat(e.format)
	if err := e.frame.AllocBuffer(0); err != nil {
		return nil, err
	}
	if e.size, err = e.frame.ImageBufferSize(1); err != nil {
		return nil, err
	}
	e.pixels = texture(e.size+64*req.Width, req.Width)
	return e, nil
}

// picture sets the encoder up for pictures, on its device where it has one.
func (e *probeEncoder) picture(codec *astiav.Codec, req wire.Probe) ([]string, error) {
	cc := e.cc
	cc.SetWidth(req.Width)
	cc.SetHeight(req.Height)
	cc.SetTimeBase(astiav.NewRational(1, 30))
	cc.SetFramerate(astiav.NewRational(30, 1))
	cc.SetBitRate(int64(max(req.Width*req.Height*2, 100_000)))
	cc.SetGopSize(60)
	formats := codec.PixelFormats()
	e.format = astiav.PixelFormatYuv420P
	if len(formats) > 0 && !slices.Contains(formats, e.format) {
		e.format = formats[0]
		if slices.Contains(formats, astiav.PixelFormatNv12) {
			e.format = astiav.PixelFormatNv12
		}
	}
	switch {
	case strings.HasSuffix(req.Encoder, "_vaapi"):
		return nil, e.onVAAPI(req)
	case strings.HasSuffix(req.Encoder, "_nvenc"):
		cc.SetPixelFormat(e.format)
		if req.Device != "" {
			return []string{"gpu", req.Device}, nil
		}
		return nil, nil
	}
	cc.SetPixelFormat(e.format)
	return nil, nil
}

// onVAAPI has the encoder take pictures that lie on the device; each is copied there first.
func (e *probeEncoder) onVAAPI(req wire.Probe) (err error) {
	if e.device, err = astiav.CreateHardwareDeviceContext(astiav.HardwareDeviceTypeVAAPI, req.Device, nil, 0); err != nil {
		return failf(wire.CodeUnsupportedCodec, "%s: the device %q cannot be opened for VAAPI: %v", req.Encoder, req.Device, err)
	}
	e.frames = astiav.AllocHardwareFramesContext(e.device)
	e.frames.SetWidth(req.Width)
	e.frames.SetHeight(req.Height)
	e.frames.SetHardwarePixelFormat(astiav.PixelFormatVaapi)
	e.frames.SetSoftwarePixelFormat(astiav.PixelFormatNv12)
	e.frames.SetInitialPoolSize(16)
	if err := e.frames.Initialize(); err != nil {
		return failf(wire.CodeUnsupportedCodec, "%s: no pictures of %d×%d on %q: %v", req.Encoder, req.Width, req.Height, req.Device, err)
	}
	e.format = astiav.PixelFormatNv12
	e.cc.SetPixelFormat(astiav.PixelFormatVaapi)
	e.cc.SetHardwareFramesContext(e.frames)
	return nil
}

func (e *probeEncoder) sound(codec *astiav.Codec, _ wire.Probe) ([]string, error) {
	formats := codec.SampleFormats()
	if len(formats) == 0 {
		return nil, failf(wire.CodeUnsupportedCodec, "%s names no sample format: it is no encoder of sound", codec.Name())
	}
	e.cc.SetSampleFormat(formats[0])
	e.cc.SetSampleRate(48000)
	e.cc.SetChannelLayout(astiav.ChannelLayoutStereo)
	e.cc.SetTimeBase(astiav.NewRational(1, 48000))
	e.cc.SetBitRate(96_000)
	return nil, nil
}

// texture is a picture that is neither flat nor noise: what an encoder makes of it takes about the time of ordinary footage.
func texture(size, width int) []byte {
	b := make([]byte, size)
	for i := range b {
		x, y := i%width, i/width
		b[i] = byte(96 + (x*x+y*y)>>9&63 + (x^y)&15)
	}
	return b
}

// encode gives the encoder one more picture, moved along, and takes what is ready.
func (e *probeEncoder) encode() error {
	f := e.frame
	if e.pixels != nil {
		if err := f.MakeWritable(); err != nil {
			return err
		}
		shift := int(e.next) * 7 % (len(e.pixels) - e.size)
		if err := f.Data().SetBytes(e.pixels[shift:shift+e.size], 1); err != nil {
			return err
		}
	}
	if e.frames != nil {
		f = astiav.AllocFrame()
		defer f.Free()
		if err := f.AllocHardwareBuffer(e.frames); err != nil {
			return failf(wire.CodeFailed, "%s: no picture on the device: %v", e.name, err)
		}
		if err := e.frame.TransferHardwareData(f); err != nil {
			return failf(wire.CodeFailed, "%s: copy a picture to the device: %v", e.name, err)
		}
	}
	f.SetPts(e.next)
	e.next += e.step
	if err := e.cc.SendFrame(f); err != nil {
		return failf(wire.CodeFailed, "%s: encode: %v", e.name, err)
	}
	return e.receive()
}

func (e *probeEncoder) drain() error {
	if err := e.cc.SendFrame(nil); err != nil {
		return failf(wire.CodeFailed, "%s: drain: %v", e.name, err)
	}
	return e.receive()
}

func (e *probeEncoder) receive() error {
	for {
		err := e.cc.ReceivePacket(e.pkt)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return failf(wire.CodeFailed, "%s: encode: %v", e.name, err)
		}
		if e.bytes += int64(e.pkt.Size()); e.keep {
			if e.bytes > maxProbeBytes {
				return limitf(wire.CodeFailed, "max_probe_bytes", maxProbeBytes, "%s made more than %d bytes", e.name, maxProbeBytes)
			}
			e.made = append(e.made, e.pkt.Clone())
		}
		e.pkt.Unref()
	}
}

func (e *probeEncoder) free() {
	for _, p := range e.made {
		p.Free()
	}
	e.frame.Free()
	e.pkt.Free()
	e.cc.Free()
	if e.frames != nil {
		e.frames.Free()
	}
	if e.device != nil {
		e.device.Free()
	}
}

// decoded has e make all its pictures and then times a decoder on them.
func (e *probeEncoder) decoded(ctx context.Context, req wire.Probe, out *wire.Probed) error {
	for range req.Frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.encode(); err != nil {
			return err
		}
	}
	if err := e.drain(); err != nil {
		return err
	}
	codec := astiav.FindDecoderByName(req.Decoder)
	if codec == nil {
		return failf(wire.CodeUnsupportedCodec, "this build of FFmpeg has no decoder %.40q", req.Decoder)
	}
	cc := astiav.AllocCodecContext(codec)
	var device *astiav.HardwareDeviceContext
	defer func() {
		cc.SetPixelFormatCallback(nil) // a later context at this address would inherit it
		cc.Free()
		if device != nil {
			device.Free()
		}
	}()
	cc.SetTimeBase(e.cc.TimeBase())
	cc.SetThreadCount(max(req.Threads, 1))
	if extra := e.cc.ExtraData(); len(extra) > 0 {
		if err := cc.SetExtraData(extra); err != nil {
			return err
		}
	}
	if req.Width == 0 {
		cc.SetSampleRate(e.cc.SampleRate())
		cc.SetChannelLayout(e.cc.ChannelLayout())
	}
	surface := astiav.PixelFormatNone
	if kind := decodingDevice(req); kind != astiav.HardwareDeviceTypeNone {
		for _, c := range codec.HardwareConfigs() {
			if c.HardwareDeviceType() == kind && c.MethodFlags().Has(astiav.CodecHardwareConfigMethodFlagHwDeviceCtx) {
				surface = c.PixelFormat()
			}
		}
		if surface == astiav.PixelFormatNone {
			return failf(wire.CodeUnsupportedCodec, "%s has no decoding on %s in this build", req.Decoder, kind)
		}
		var err error
		if device, err = astiav.CreateHardwareDeviceContext(kind, req.Device, nil, 0); err != nil {
			return failf(wire.CodeUnsupportedCodec, "%s: the device %q cannot be opened for %s: %v", req.Decoder, req.Device, kind, err)
		}
		cc.SetHardwareDeviceContext(device)
		cc.SetPixelFormatCallback(func(formats []astiav.PixelFormat) astiav.PixelFormat {
			if slices.Contains(formats, surface) {
				return surface
			}
			return astiav.PixelFormatNone // decoding on the CPU instead would prove nothing
		})
	}
	begun := time.Now()
	if err := cc.Open(codec, nil); err != nil {
		return failf(wire.CodeUnsupportedCodec, "%s cannot be opened: %v", req.Decoder, err)
	}
	out.Open, out.Bytes = time.Since(begun), e.bytes
	frame := astiav.AllocFrame()
	defer frame.Free()
	begun = time.Now()
	for _, pkt := range append(slices.Clone(e.made), nil) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if pkt != nil && out.Frames > 0 && time.Since(begun) >= req.Budget {
			continue
		}
		if err := cc.SendPacket(pkt); err != nil {
			return failf(wire.CodeFailed, "%s: decode: %v", req.Decoder, err)
		}
		for {
			err := cc.ReceiveFrame(frame)
			if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
				break
			}
			if err != nil {
				return failf(wire.CodeFailed, "%s: decode: %v", req.Decoder, err)
			}
			if surface != astiav.PixelFormatNone && frame.PixelFormat() != surface {
				return failf(wire.CodeFailed, "%s decoded to %s, not on the device", req.Decoder, frame.PixelFormat())
			}
			out.Frames++
			frame.Unref()
		}
	}
	out.Took = time.Since(begun)
	if out.Frames == 0 {
		return failf(wire.CodeFailed, "%s made no picture of %d coded ones", req.Decoder, len(e.made))
	}
	return nil
}

// decodingDevice is what a decoder without a device in its name is to run on.
func decodingDevice(req wire.Probe) astiav.HardwareDeviceType {
	switch {
	case req.Device == "", strings.HasSuffix(req.Decoder, "_cuvid"), strings.HasSuffix(req.Decoder, "_qsv"):
		return astiav.HardwareDeviceTypeNone
	case strings.HasPrefix(req.Device, "/dev/dri/"):
		return astiav.HardwareDeviceTypeVAAPI
	}
	return astiav.HardwareDeviceTypeCUDA
}

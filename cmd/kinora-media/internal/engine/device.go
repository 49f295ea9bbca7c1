package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// device is a graphics device on which pictures are decoded, scaled and encoded.
type device struct {
	kind string // cuda, vaapi or qsv
	ctx  *astiav.HardwareDeviceContext
}

// deviceKinds are the devices that are taken, with the filter that scales on each.
var deviceKinds = map[string]struct {
	kind  astiav.HardwareDeviceType
	scale string
}{
	"cuda":  {astiav.HardwareDeviceTypeCUDA, "scale_cuda=w=%d:h=%d:interp_algo=bicubic:format=%s"},
	"vaapi": {astiav.HardwareDeviceTypeVAAPI, "scale_vaapi=w=%d:h=%d:mode=hq:format=%s"},
	"qsv":   {astiav.HardwareDeviceTypeQSV, "scale_qsv=w=%d:h=%d:mode=hq:format=%s"},
}

// devices are those that were opened: opening one takes longer than a segment has time.
type devices struct {
	mu    sync.Mutex
	known map[string]*device
}

// open gives a device by its name: its kind, and after a colon its number or path. It stays open. An empty name is none.
func (d *devices) open(name string) (*device, error) {
	if name == "" {
		return nil, nil
	}
	kind, which, _ := strings.Cut(name, ":")
	sort, ok := deviceKinds[kind]
	if !ok {
		return nil, failf(wire.CodeBadLadder, "device %.40q: want cuda, vaapi or qsv, with its number or path after a colon", name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if dev := d.known[name]; dev != nil {
		return dev, nil
	}
	ctx, err := astiav.CreateHardwareDeviceContext(sort.kind, which, nil, 0)
	if err != nil {
		return nil, failf(wire.CodeUnsupportedCodec, "device %s does not open on this machine: %v", name, err)
	}
	if d.known == nil {
		d.known = make(map[string]*device)
	}
	d.known[name] = &device{kind, ctx}
	return d.known[name], nil
}

// spareFrames are pictures beyond the decoder's own that queues to the encoders may hold.
const spareFrames = 8 + queueLen

// decodes is which of a decoder's ways of working is on the device, below zero if none is.
func (d *device) decodes(codec *astiav.Codec) int {
	return slices.IndexFunc(codec.HardwareConfigs(), func(c astiav.CodecHardwareConfig) bool {
		return c.HardwareDeviceType() == deviceKinds[d.kind].kind && c.MethodFlags().Has(astiav.CodecHardwareConfigMethodFlagHwDeviceCtx)
	})
}

// attach has a decoder, not yet open, work on the device.
func (d *device) attach(cc *astiav.CodecContext, codec *astiav.Codec) error {
	i := d.decodes(codec)
	if i < 0 {
		return failf(wire.CodeUnsupportedCodec, "pictures of codec %s are not decoded on %s by this build of FFmpeg", codec.Name(), d.kind)
	}
	format := codec.HardwareConfigs()[i].PixelFormat()
	cc.SetHardwareDeviceContext(d.ctx)
	cc.SetExtraHardwareFrames(spareFrames)
	cc.SetPixelFormatCallback(func(offered []astiav.PixelFormat) astiav.PixelFormat {
		if slices.Contains(offered, format) {
			return format
		}
		for _, f := range offered { // this stream is beyond the device: the processor decodes it
			if !onDeviceFormat(f) {
				return f
			}
		}
		return astiav.PixelFormatNone
	})
	return nil
}

// detach undoes what attach left outside of cc: its address may become another's.
func detach(cc *astiav.CodecContext, on *device) {
	if on != nil {
		cc.SetPixelFormatCallback(nil)
	}
}

func onDeviceFormat(f astiav.PixelFormat) bool {
	return f == astiav.PixelFormatCuda || f == astiav.PixelFormatVaapi || f == astiav.PixelFormatQsv || f == astiav.PixelFormatVdpau
}

// onDevice tells whether the picture lies on a device.
func onDevice(f *astiav.Frame) bool { return onDeviceFormat(f.PixelFormat()) }

// download is the picture in memory; free it.
func download(f *astiav.Frame) (*astiav.Frame, error) {
	out := astiav.AllocFrame()
	if err := f.TransferHardwareData(out); err != nil {
		out.Free()
		return nil, fmt.Errorf("download a picture: %w", err)
	}
	if err := copyProperties(out, f); err != nil {
		out.Free()
		return nil, err
	}
	return out, nil
}

// normalise brings one dated picture into the form that renditions are made of. Pictures on a device that need it come down.
func (t *transcoding) normalise(f *astiav.Frame) error {
	if !onDevice(f) || !t.normal.wants(f) {
		return t.normal.push(f, t.upright)
	}
	low, err := download(f)
	if err != nil {
		return err
	}
	defer low.Free()
	return t.normal.push(low, t.upright)
}

// placeOn decides where the level's pictures are scaled, and gives its encoder the device it works on: the one that decodes where it is of
// its kind, else the first.
func (t *transcoding) placeOn(l *level) error {
	kind := deviceType(encoderName(l.profile))
	if kind == "" {
		return nil
	}
	l.stays, l.device = t.stays(l), t.device
	if t.device != nil && t.device.kind == kind {
		return nil
	}
	var err error
	var f *wire.Failure
	if l.device, err = t.server.devices.open(kind); errors.As(err, &f) {
		return failf(f.Code, "profile %q: encoder %s: %s", l.profile.Name, l.profile.Encoder, f.Detail)
	}
	return err
}

// stays tells whether the level's pictures stay on the device that decodes: its encoder is there too, and all that is to be done is
// scaling.
func (t *transcoding) stays(l *level) bool {
	return t.device != nil && len(t.held) > 0 && onDevice(t.held[0]) && deviceType(encoderName(l.profile)) == t.device.kind && l.scale.plain() &&
		(l.profile.DynamicRange != "sdr" || !hdr(t.held[0]))
}

// deviceScaler scales pictures on their device.
type deviceScaler struct {
	graph *graph
	fromW int
	fromH int
}

// scale makes a picture of the level's size on the device; free it.
func (s *deviceScaler) scale(kind string, from *astiav.Frame, w, h int, to astiav.PixelFormat) (*astiav.Frame, error) {
	if s.graph == nil || s.fromW != from.Width() || s.fromH != from.Height() {
		s.free()
		g, err := newGraph(from, fmt.Sprintf(deviceKinds[kind].scale, w, h, to.Name()))
		if err != nil {
			return nil, fmt.Errorf("scale on %s: %w", kind, err)
		}
		s.graph, s.fromW, s.fromH = g, from.Width(), from.Height()
	}
	return s.graph.one(from, "scale on "+kind)
}

func (s *deviceScaler) free() {
	if s.graph != nil {
		s.graph.free()
		s.graph = nil
	}
}

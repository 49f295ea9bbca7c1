package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// Nothing here has run on a device: it is written from FFmpeg's and go-astiav's sources, is reached when the parent names such
// an encoder, and says in a Failure what the machine lacks.

// deviceTypes of the encoders by the end of their names.
var deviceTypes = map[string]string{"_nvenc": "cuda", "_vaapi": "vaapi", "_qsv": "qsv"}

// deviceType is the kind of device an encoder of FFmpeg works on; empty: none.
func deviceType(encoder string) string {
	if i := strings.LastIndexByte(encoder, '_'); i >= 0 {
		return deviceTypes[encoder[i:]]
	}
	return ""
}

func isHardware(encoder string) bool { return deviceType(encoder) != "" }

// device is a graphics device as an encoder needs it.
type device struct {
	ctx    *astiav.HardwareDeviceContext
	frames *astiav.HardwareFramesContext // pool of its own for pictures that are uploaded; nil where the encoder uploads
}

func (d *device) free() {
	if d.frames != nil {
		d.frames.Free()
	}
	if d.ctx != nil {
		d.ctx.Free()
	}
}

// openDevice makes what the encoder needs before it opens. Encoders that upload pictures themselves need nothing.
func (e *videoEncoder) openDevice(p wire.Profile) error {
	if deviceType(e.name) != "vaapi" {
		return nil
	}
	ctx, err := astiav.CreateHardwareDeviceContext(astiav.HardwareDeviceTypeVAAPI, "", nil, 0)
	if err != nil {
		return failf(wire.CodeUnsupportedCodec, "profile %q: encoder %s has no VAAPI device on this machine: %v", p.Name, e.name, err)
	}
	d := &device{ctx: ctx}
	if d.frames = astiav.AllocHardwareFramesContext(ctx); d.frames == nil {
		d.free()
		return fmt.Errorf("%s: no memory for pictures", e.name)
	}
	d.frames.SetHardwarePixelFormat(astiav.PixelFormatVaapi)
	d.frames.SetSoftwarePixelFormat(pixelFormat(p))
	d.frames.SetWidth(p.Width)
	d.frames.SetHeight(p.Height)
	d.frames.SetInitialPoolSize(32)
	if err := d.frames.Initialize(); err != nil {
		d.free()
		return failf(wire.CodeUnsupportedCodec, "profile %q: encoder %s gets no pictures of %d×%d from its device: %v", p.Name, e.name, p.Width, p.Height, err)
	}
	e.device = d
	e.cc.SetPixelFormat(astiav.PixelFormatVaapi)
	e.cc.SetHardwareFramesContext(d.frames)
	return nil
}

// upload is the picture where the encoder can take it; free it. It is f itself, cloned, where nothing has to move.
func (e *videoEncoder) upload(f *astiav.Frame) (*astiav.Frame, error) {
	if e.device == nil || e.device.frames == nil || f.HardwareFramesContext() != nil {
		return f.Clone(), nil
	}
	hw := astiav.AllocFrame()
	if err := hw.AllocHardwareBuffer(e.device.frames); err != nil {
		hw.Free()
		return nil, fmt.Errorf("%s: picture on the device: %w", e.name, err)
	}
	if err := f.TransferHardwareData(hw); err != nil {
		hw.Free()
		return nil, fmt.Errorf("%s: upload: %w", e.name, err)
	}
	if err := copyProperties(hw, f); err != nil {
		hw.Free()
		return nil, err
	}
	return hw, nil
}

// hardwareOptions are those of NVENC, VAAPI and Quick Sync: constant bitrate, keyframes where they are asked for.
func hardwareOptions(name string, p wire.Profile) []string {
	rank := slices.Index(presetNames, cmp.Or(p.Preset, defaultPreset)) // 0 is the fastest
	var o []string
	switch deviceType(name) {
	case "cuda":
		o = []string{"preset", fmt.Sprintf("p%d", min(1+rank, 7)), "rc", "cbr", "forced-idr", "1", "no-scenecut", "1", "tune", "ll"}
		if p.Lookahead < 0 {
			o = append(o[:len(o)-1], "ull", "zerolatency", "1", "delay", "0")
		} else {
			o = append(o, "rc-lookahead", strconv.Itoa(lookahead(p)))
		}
	case "vaapi":
		o = []string{"rc_mode", "CBR", "async_depth", "2"}
		if p.Lookahead < 0 {
			o = []string{"rc_mode", "CBR", "async_depth", "1"}
		}
	case "qsv":
		o = []string{"preset", strconv.Itoa(max(1, 7-rank)), "forced_idr", "1", "async_depth", "2", "look_ahead", "0"}
		if p.Lookahead < 0 {
			o = []string{"preset", strconv.Itoa(max(1, 7-rank)), "forced_idr", "1", "async_depth", "1", "low_delay_brc", "1"}
		}
	}
	if profile := hardwareProfile(name, p); profile != "" {
		o = append(o, "profile", profile)
	}
	if p.Level > 0 && deviceType(name) == "cuda" {
		o = append(o, "level", dotted(p.Level))
	}
	return o
}

func hardwareProfile(name string, p wire.Profile) string {
	switch {
	case p.Codec == "av1":
		return ""
	case p.Codec == "hevc":
		return cmp.Or(p.CodecProfile, "main")
	case strings.HasSuffix(p.CodecProfile, "baseline") && deviceType(name) == "vaapi":
		return "constrained_baseline"
	}
	return x264Profile(p.CodecProfile)
}

package devices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Directions of a codec.
const (
	Encode = "encode"
	Decode = "decode"
)

// CPU is the device of what runs on no device.
const CPU = "cpu"

// Codec is one codec in one direction on one device, tried.
type Codec struct {
	Direction string  `json:"direction"`
	Codec     string  `json:"codec"`
	Name      string  `json:"name"`                 // FFmpeg's
	Device    string  `json:"device"`               // a path, or CPU
	OK        bool    `json:"ok"`                   //
	PixelRate uint64  `json:"pixel_rate,omitempty"` // of one session alone; sound has none
	Speed     float64 `json:"speed,omitempty"`      // sound: times real time
	Sessions  int     `json:"sessions,omitempty"`   // most at once, where a device refuses more
	Error     string  `json:"error,omitempty"`
	Fix       string  `json:"fix,omitempty"`
}

// Prober tries one codec; media.Child is one.
type Prober interface {
	Probe(ctx context.Context, p media.Probe) (*media.Probed, error)
}

// candidate is a codec to try. makes encodes what a decoder is fed.
type candidate struct {
	direction, codec, name string
	makes                  string
	options                map[string]string
	kind                   string // of the device it needs; empty: none
}

// Pictures that a survey tries codecs on, and how many.
const (
	surveyWidth, surveyHeight = 640, 360
	surveyFrames              = 40
	surveySound               = 200
	surveyBudget              = 2 * time.Second
	sessionBudget             = 20 * time.Second
	surveyPatience            = 30 * time.Second // for one codec, with everything
)

var (
	fast264 = map[string]string{"preset": "veryfast"}
	fastVPX = map[string]string{"deadline": "realtime", "cpu-used": "8"}
	fastAV1 = map[string]string{"preset": "10"}
)

// candidates are all codecs that Kinora takes in or gives out, with every encoder and decoder that may do it.
var candidates = []candidate{
	{Decode, "h264", "h264", "libx264", fast264, ""},
	{Decode, "hevc", "hevc", "libx265", fast264, ""},
	{Decode, "av1", "libdav1d", "libsvtav1", fastAV1, ""},
	{Decode, "vp8", "vp8", "libvpx", fastVPX, ""},
	{Decode, "vp9", "vp9", "libvpx-vp9", fastVPX, ""},
	{Decode, "mpeg2", "mpeg2video", "mpeg2video", nil, ""},
	{Encode, "h264", "libx264", "", fast264, ""},
	{Encode, "hevc", "libx265", "", fast264, ""},
	{Encode, "av1", "libsvtav1", "", fastAV1, ""},

	{Decode, "h264", "h264_cuvid", "libx264", fast264, NVENC},
	{Decode, "hevc", "hevc_cuvid", "libx265", fast264, NVENC},
	{Decode, "av1", "av1_cuvid", "libsvtav1", fastAV1, NVENC},
	{Decode, "vp8", "vp8_cuvid", "libvpx", fastVPX, NVENC},
	{Decode, "vp9", "vp9_cuvid", "libvpx-vp9", fastVPX, NVENC},
	{Decode, "mpeg2", "mpeg2_cuvid", "mpeg2video", nil, NVENC},
	{Encode, "h264", "h264_nvenc", "", nil, NVENC},
	{Encode, "hevc", "hevc_nvenc", "", nil, NVENC},
	{Encode, "av1", "av1_nvenc", "", nil, NVENC},

	{Decode, "h264", "h264", "libx264", fast264, VAAPI},
	{Decode, "hevc", "hevc", "libx265", fast264, VAAPI},
	{Decode, "av1", "av1", "libsvtav1", fastAV1, VAAPI},
	{Decode, "vp8", "vp8", "libvpx", fastVPX, VAAPI},
	{Decode, "vp9", "vp9", "libvpx-vp9", fastVPX, VAAPI},
	{Decode, "mpeg2", "mpeg2video", "mpeg2video", nil, VAAPI},
	{Encode, "h264", "h264_vaapi", "", nil, VAAPI},
	{Encode, "hevc", "hevc_vaapi", "", nil, VAAPI},
	{Encode, "av1", "av1_vaapi", "", nil, VAAPI},

	{Decode, "h264", "h264_qsv", "libx264", fast264, QSV},
	{Decode, "hevc", "hevc_qsv", "libx265", fast264, QSV},
	{Decode, "av1", "av1_qsv", "libsvtav1", fastAV1, QSV},
	{Decode, "vp9", "vp9_qsv", "libvpx-vp9", fastVPX, QSV},
	{Decode, "mpeg2", "mpeg2_qsv", "mpeg2video", nil, QSV},
	{Encode, "h264", "h264_qsv", "", nil, QSV},
	{Encode, "hevc", "hevc_qsv", "", nil, QSV},
	{Encode, "av1", "av1_qsv", "", nil, QSV},
}

var sounds = []candidate{
	{Decode, "aac", "aac", "aac", nil, ""},
	{Decode, "opus", "opus", "libopus", nil, ""},
	{Decode, "mp3", "mp3", "libmp3lame", nil, ""},
	{Decode, "ac3", "ac3", "ac3", nil, ""},
	{Encode, "aac", "aac", "", nil, ""},
	{Encode, "opus", "libopus", "", nil, ""},
}

// Survey tries every codec in these directions on each of the devices, of which a zero Device is the CPU, by encoding or decoding
// for real. open lends a child that may use the device and gives a new one when the last has ended: a driver can take its process
// with it.
func Survey(ctx context.Context, open func(context.Context, Device) (Prober, error), on []Device, directions ...string) ([]Codec, error) {
	var all []Codec
	for _, c := range sounds {
		if !slices.Contains(directions, c.direction) || !slices.Contains(on, Device{}) {
			continue
		}
		found, err := try(ctx, open, c, Device{}, media.Probe{Frames: surveySound})
		if err != nil {
			return nil, err
		}
		all = append(all, found)
	}
	for _, c := range candidates {
		if !slices.Contains(directions, c.direction) {
			continue
		}
		for _, d := range on {
			if d.Kind != c.kind {
				continue
			}
			found, err := try(ctx, open, c, d, media.Probe{Width: surveyWidth, Height: surveyHeight, Frames: surveyFrames})
			if err != nil {
				return nil, err
			}
			all = append(all, found)
		}
	}
	return all, nil
}

// try tries one; the error is that there is no child to try it in.
func try(ctx context.Context, open func(context.Context, Device) (Prober, error), c candidate, d Device, p media.Probe) (Codec, error) {
	found := Codec{Direction: c.direction, Codec: c.codec, Name: c.name, Device: CPU}
	if d.Path != "" {
		found.Device = d.Path
	}
	if d.Missing != "" {
		found.Error, found.Fix = d.Missing+" is missing", d.Fix
		return found, nil
	}
	child, err := open(ctx, d)
	if err != nil {
		return found, err
	}
	p.Encoder, p.Options, p.Budget, p.Device = c.name, c.options, surveyBudget, deviceName(d)
	if c.direction == Decode {
		p.Encoder, p.Decoder = c.makes, c.name
	}
	bounded, cancel := context.WithTimeout(ctx, surveyPatience)
	defer cancel()
	got, err := child.Probe(bounded, p)
	if ctx.Err() != nil {
		return found, ctx.Err()
	}
	if err != nil {
		found.Error, found.Fix = detail(err), fix(c, d, err)
		return found, nil
	}
	found.OK = true
	seconds := max(got.Took.Seconds(), 1e-6)
	if p.Width == 0 {
		found.Speed = float64(got.Frames) * 1024 / 48000 / seconds // pieces of about so many samples
		return found, nil
	}
	found.PixelRate = uint64(float64(got.Frames) * float64(p.Width*p.Height) / seconds)
	if c.kind != "" && c.direction == Encode {
		p.Sessions, p.Budget, p.Frames = 64, sessionBudget, 1
		if many, err := child.Probe(bounded, p); err == nil && many.Refused != "" {
			found.Sessions = many.Sessions
		}
	}
	return found, nil
}

// deviceName is how a probe names d: FFmpeg counts NVIDIA cards, and opens the rest by path.
func deviceName(d Device) string {
	if d.Kind == NVENC {
		return d.number()
	}
	return d.Path
}

func detail(err error) string {
	var e *protocol.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

// fix says what to do about a codec that did not work.
func fix(c candidate, d Device, err error) string {
	code := protocol.CodeOf(err)
	switch {
	case code == protocol.UnsupportedCodec && strings.Contains(err.Error(), "this build of FFmpeg has no"):
		if strings.HasSuffix(c.name, "_qsv") {
			return "build on x86-64 with libvpl-dev: deploy/ffmpeg.sh"
		}
		return "build FFmpeg with it: KINORA_FFMPEG_FROM=source deploy/ffmpeg.sh"
	case code == protocol.ChildCrashed:
		return "the driver took its process with it: update the driver or FFmpeg; it is not used until this passes"
	case code == protocol.DeadlineExceeded:
		return fmt.Sprintf("it did not end within %s: the device hangs or is busy with something else", surveyPatience)
	case c.kind == NVENC:
		return "the card may not make or read " + c.codec + " (NVIDIA's video codec support matrix says), or its driver is too old for FFmpeg's NVENC"
	case c.kind == VAAPI:
		return "see what the driver offers: vainfo --display drm --device " + d.Path
	case c.kind == QSV:
		return "see what the runtime offers: vpl-inspect (package libvpl-tools)"
	}
	return ""
}

// DecodeRates are what the machine decodes, by FFmpeg's name of the codec: the CPU with all of its cores, of which one session uses
// one, and those of the devices in use.
func DecodeRates(found []Codec, cpus int, used []Device) map[string]uint64 {
	rates := make(map[string]uint64)
	for _, c := range found {
		if c.Direction != Decode || !c.OK || c.PixelRate == 0 {
			continue
		}
		name := c.Codec
		if name == "mpeg2" {
			name = "mpeg2video"
		}
		switch {
		case c.Device == CPU:
			rates[name] += c.PixelRate * uint64(max(cpus, 1))
		case slices.ContainsFunc(used, func(d Device) bool { return c.Device == d.Path && (d.Kind == QSV) == strings.HasSuffix(c.Name, "_qsv") }):
			rates[name] += c.PixelRate
		}
	}
	return rates
}

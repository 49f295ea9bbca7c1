package engine

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"

	levels "github.com/kinora/kinora/internal/level"
	"github.com/kinora/kinora/internal/media/wire"
)

// softwareEncoders are what makes each codec where the parent names no encoder.
var softwareEncoders = map[string]string{"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}

// lookahead of the presets, in pictures. Live, more than liveLookahead buys delay rather than quality.
var (
	presetLookahead = map[string]int{"ultrafast": 0, "superfast": 0, "veryfast": 10, "faster": 20, "fast": 30, "medium": 40,
		"slow": 50, "slower": 60, "veryslow": 60}
	presetNames = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}
)

const (
	liveLookahead = 10
	defaultPreset = "veryfast"
)

// lookahead is how many pictures the encoder may hold back to see what comes; 0 for none.
func lookahead(p wire.Profile) int {
	switch {
	case p.Lookahead < 0:
		return 0
	case p.Lookahead > 0:
		return p.Lookahead
	}
	return min(presetLookahead[cmp.Or(p.Preset, defaultPreset)], liveLookahead)
}

// videoEncoder makes one profile's coded pictures.
type videoEncoder struct {
	cc     *astiav.CodecContext
	name   string
	forced bool // takes keyframes where it is told to, not by their distance
	warm   bool // holds nothing back, so that it goes on from segment to segment
	device *device
}

func (e *videoEncoder) free() {
	e.cc.Free()
	if e.device != nil {
		e.device.free()
	}
}

// encoderName is what makes profile p.
func encoderName(p wire.Profile) string { return cmp.Or(p.Encoder, softwareEncoders[p.Codec]) }

// pixelFormat is what pictures of profile p are scaled to.
func pixelFormat(p wire.Profile) astiav.PixelFormat {
	deep := p.CodecProfile == "main10"
	switch {
	case deep && isHardware(encoderName(p)):
		return astiav.PixelFormatP010Le
	case deep:
		return astiav.PixelFormatYuv420P10Le
	case isHardware(encoderName(p)):
		return astiav.PixelFormatNv12
	}
	return astiav.PixelFormatYuv420P
}

// encoderOptions are the options of the encoder for a profile. Each is known to it, or opening fails.
func encoderOptions(p wire.Profile) []string {
	switch name := encoderName(p); name {
	case "libx264":
		return x264Options(p)
	case "libx265":
		return x265Options(p)
	case "libsvtav1":
		return svtOptions(p)
	default:
		return hardwareOptions(name, p)
	}
}

func x264Options(p wire.Profile) []string {
	o := []string{"preset", cmp.Or(p.Preset, defaultPreset), "profile", x264Profile(p.CodecProfile), "forced-idr", "1", "sc_threshold", "0"}
	tune := p.Tune
	if p.Lookahead < 0 {
		tune = strings.Trim(tune+",zerolatency", ",")
	} else {
		o = append(o, "rc-lookahead", strconv.Itoa(lookahead(p)))
	}
	if tune != "" {
		o = append(o, "tune", tune)
	}
	if p.Level > 0 {
		o = append(o, "level", dotted(p.Level))
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

// x265Bframes of the presets: it wants to look further ahead than it may reorder.
var x265Bframes = map[string]int{"ultrafast": 3, "superfast": 3}

func x265Options(p wire.Profile) []string {
	preset := cmp.Or(p.Preset, defaultPreset)
	params := []string{"log-level=error", "keyint=-1", "scenecut=0", "open-gop=0", "hrd=0", "pools=" + strconv.Itoa(encoderThreads(p))}
	if p.Lookahead < 0 { // tune zerolatency, which would exclude any other
		params = append(params, "bframes=0", "b-adapt=0", "rc-lookahead=0", "cutree=0", "frame-threads=1")
	} else {
		most := cmp.Or(x265Bframes[preset], 4)
		params = append(params, "bframes="+strconv.Itoa(min(most, 4)), "rc-lookahead="+strconv.Itoa(max(lookahead(p), most+1)))
	}
	if p.Level > 0 {
		params = append(params, "level-idc="+dotted(p.Level), "high-tier=0")
	}
	o := []string{"preset", preset, "profile", cmp.Or(p.CodecProfile, "main"), "forced-idr", "1", "a53cc", "1", "x265-params", strings.Join(params, ":")}
	if p.Tune != "" {
		o = append(o, "tune", p.Tune)
	}
	return o
}

// svtPreset says a preset of x264 in SVT-AV1's numbers.
func svtPreset(name string) int {
	return 12 - slices.Index(presetNames, cmp.Or(name, defaultPreset))
}

var svtTunes = map[string]string{"vq": "0", "psnr": "1", "ssim": "2"}

// svtOptions ask for a constant rate, which SVT-AV1 keeps only without reordering: it holds nothing back whatever the profile grants.
func svtOptions(p wire.Profile) []string {
	params := []string{"rc=2", "pred-struct=1", "lookahead=0", "scd=0", "lp=" + strconv.Itoa(encoderThreads(p)), "tune=" + cmp.Or(svtTunes[p.Tune], "1")}
	if p.Level > 0 {
		params = append(params, "level="+strconv.Itoa(p.Level))
	}
	return []string{"preset", strconv.Itoa(svtPreset(p.Preset)), "svtav1-params", strings.Join(params, ":")}
}

func dotted(level int) string { return fmt.Sprintf("%d.%d", level/10, level%10) }

// encoderThreads is chosen by measurement on two cores: two frame threads for each rendition. Pictures beyond 720p get more
// where there are cores, since the largest rendition ends every segment.
func encoderThreads(p wire.Profile) int {
	return min(max(2, p.Width*p.Height/(1280*720)*2), max(runtime.NumCPU(), 2), 8)
}

// openVideoEncoder opens the encoder of p for pictures at num/den a second that look so. global keeps parameter sets out of the
// stream, for containers that have a place for them.
func openVideoEncoder(p wire.Profile, num, den int, l look, global bool) (*videoEncoder, error) {
	name := encoderName(p)
	if p.Level > 0 {
		if err := levels.Check(p.Codec, p.Level, p.Width, p.Height, float64(num)/float64(den), p.Bitrate); err != nil {
			return nil, failf(wire.CodeBadLadder, "profile %q: level: %v", p.Name, err)
		}
	}
	codec := astiav.FindEncoderByName(name)
	if codec == nil {
		return nil, failf(wire.CodeUnsupportedCodec, "profile %q: codec %s: this build of FFmpeg has no %s", p.Name, p.Codec, name)
	}
	if got := codec.ID().Name(); got != p.Codec {
		return nil, failf(wire.CodeBadLadder, "profile %q: encoder %s makes %s, not %s", p.Name, name, got, p.Codec)
	}
	cc := astiav.AllocCodecContext(codec)
	e := &videoEncoder{cc: cc, name: name, forced: name != "libsvtav1", warm: p.Lookahead < 0 && name != "libsvtav1"}
	cc.SetWidth(p.Width)
	cc.SetHeight(p.Height)
	cc.SetPixelFormat(pixelFormat(p))
	cc.SetSampleAspectRatio(astiav.NewRational(1, 1))
	cc.SetTimeBase(timeBase)
	cc.SetFramerate(astiav.NewRational(num, den)) // without it an encoder believes in 90,000 pictures per second
	cc.SetBitRate(p.Bitrate)
	cc.SetRateControlMaxRate(p.Bitrate)
	cc.SetRateControlBufferSize(int(p.Bitrate)) // one second
	cc.SetGopSize(1 << 30)                      // keyframes are those asked for, picture by picture
	switch name {
	case "libx264":
		cc.SetRateControlMinRate(p.Bitrate)
	case "libx265":
		cc.SetGopSize(-1) // of its own params
	case "libsvtav1":
		// It takes no keyframe where it is told to: they come by their distance, and each segment has an encoder of its own.
		cc.SetGopSize(gopPictures(p, num, den))
		cc.SetRateControlMaxRate(0) // one of its own would have to be higher
	}
	if err := l.dress(cc); err != nil {
		e.free()
		return nil, err
	}
	cc.SetThreadCount(encoderThreads(p))
	cc.SetThreadType(astiav.ThreadTypeFrame)
	if p.Lookahead < 0 {
		cc.SetThreadType(astiav.ThreadTypeSlice) // frame threads would hold pictures back
		if name == "libx265" {
			cc.SetThreadCount(1) // frame threads are all it takes from here
		}
	}
	if global {
		cc.SetFlags(cc.Flags().Add(astiav.CodecContextFlagGlobalHeader))
	}
	if err := e.openDevice(p); err != nil {
		e.free()
		return nil, err
	}
	opts, err := options(encoderOptions(p)...)
	if err != nil {
		e.free()
		return nil, err
	}
	defer opts.Free()
	if err := cc.Open(codec, opts); err != nil {
		e.free()
		if isHardware(name) {
			return nil, failf(wire.CodeUnsupportedCodec, "profile %q: encoder %s does not open on this machine: %v", p.Name, name, err)
		}
		return nil, failf(wire.CodeBadLadder, "profile %q: the encoder %s refuses it: %v", p.Name, name, err)
	}
	if err := leftover(opts); err != nil {
		e.free()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}

// gopPictures is the distance of keyframes in pictures, for an encoder that counts.
func gopPictures(p wire.Profile, num, den int) int {
	if p.GOPMillis == 0 {
		return 1 << 20
	}
	return max(1, int(int64(p.GOPMillis)*int64(num)/(1000*int64(den))))
}

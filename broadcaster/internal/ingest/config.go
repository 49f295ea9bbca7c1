package ingest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/broadcaster/internal/stream"
	"github.com/kinora/kinora/internal/protocol"
)

// maxConfiguration bounds Livepeer-Transcode-Configuration, in bytes.
const maxConfiguration = 32 << 10

// configuration is what is read of Livepeer-Transcode-Configuration; go-livepeer's other fields are accepted and ignored,
// since they name its sessions and its object stores.
type configuration struct {
	Presets  []string `json:"presets"`
	Profiles []struct {
		Name         string  `json:"name"`
		Width        int64   `json:"width"`
		Height       int64   `json:"height"`
		Bitrate      int64   `json:"bitrate"`
		FPS          uint64  `json:"fps"`
		FPSDen       uint64  `json:"fpsDen"`
		Profile      string  `json:"profile"`
		GOP          string  `json:"gop"`
		Encoder      string  `json:"encoder"`
		ColorDepth   int64   `json:"colorDepth"`
		ChromaFormat float64 `json:"chromaFormat"`
	} `json:"profiles"`
}

type preset struct{ width, height, bitrate, fps uint32 }

// presets are go-livepeer's.
var presets = map[string]preset{
	"P720p60fps16x9": {1280, 720, 6_000_000, 60},
	"P720p30fps16x9": {1280, 720, 4_000_000, 30},
	"P720p25fps16x9": {1280, 720, 3_500_000, 25},
	"P720p30fps4x3":  {960, 720, 3_500_000, 30},
	"P576p30fps16x9": {1024, 576, 1_500_000, 30},
	"P576p25fps16x9": {1024, 576, 1_500_000, 25},
	"P360p30fps16x9": {640, 360, 1_200_000, 30},
	"P360p25fps16x9": {640, 360, 1_000_000, 25},
	"P360p30fps4x3":  {480, 360, 1_000_000, 30},
	"P240p30fps16x9": {426, 240, 600_000, 30},
	"P240p25fps16x9": {426, 240, 600_000, 25},
	"P240p30fps4x3":  {320, 240, 600_000, 30},
	"P144p30fps16x9": {256, 144, 400_000, 30},
	"P144p25fps16x9": {256, 144, 400_000, 25},
}

// parseConfiguration reads a ladder, largest first, with the names the pusher gave; nil when it asks for none.
func parseConfiguration(field string) (protocol.Ladder, []string, error) {
	if field == "" {
		return nil, nil, nil
	}
	bad := func(format string, args ...any) error {
		return protocol.Errorf(protocol.BadLadder, "Livepeer-Transcode-Configuration: "+format, args...)
	}
	if len(field) > maxConfiguration {
		return nil, nil, bad("%d bytes, at most %d are read", len(field), maxConfiguration)
	}
	var c configuration
	if err := json.Unmarshal([]byte(field), &c); err != nil {
		return nil, nil, bad("%w", err)
	}
	if n := len(c.Presets) + len(c.Profiles); n == 0 {
		return nil, nil, nil
	} else if n > protocol.MaxProfiles {
		return nil, nil, protocol.Limited(protocol.BadLadder, "max-profiles", protocol.MaxProfiles, "Livepeer-Transcode-Configuration: %d profiles", n)
	}
	var (
		ladder protocol.Ladder
		labels []string
	)
	for _, name := range c.Presets {
		p, ok := presets[name]
		if !ok {
			return nil, nil, bad("there is no preset %.40q", name)
		}
		ladder = append(ladder, protocol.Profile{Name: plain(name), Width: p.width, Height: p.height, Bitrate: p.bitrate, FPSNum: p.fps, FPSDen: 1, Codec: protocol.H264})
		labels = append(labels, name)
	}
	for i, q := range c.Profiles {
		p := protocol.Profile{Codec: protocol.H264}
		label := q.Name
		if label == "" {
			label = fmt.Sprintf("%dx%d_%d", q.Width, q.Height, q.Bitrate) // what go-livepeer calls it
		}
		if len(label) > 64 || strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' }) {
			return nil, nil, bad("profiles[%d]: name %.80q: want at most 64 printable ASCII characters without quotes", i, q.Name)
		}
		p.Name = plain(label)
		for field, v := range map[string]int64{"width": q.Width, "height": q.Height, "bitrate": q.Bitrate} {
			if v < 0 || v > math.MaxInt32 {
				return nil, nil, bad("profiles[%d]: %s is %d", i, field, v)
			}
		}
		p.Width, p.Height, p.Bitrate = uint32(q.Width), uint32(q.Height), uint32(q.Bitrate)
		if q.FPS > 1_000_000 || q.FPSDen > 1_000_000 {
			return nil, nil, bad("profiles[%d]: frame rate is %d/%d", i, q.FPS, q.FPSDen)
		}
		if q.FPS != 0 {
			p.FPSNum, p.FPSDen = uint32(q.FPS), max(1, uint32(q.FPSDen))
		}
		switch strings.ToLower(q.Profile) {
		case "", "none":
		case "h264baseline":
			p.CodecProfile = "baseline"
		case "h264main":
			p.CodecProfile = "main"
		case "h264high", "h264constrainedhigh": // without interlacing and B-frames limits high is what constrained high decodes
			p.CodecProfile = "high"
		default:
			return nil, nil, bad("profiles[%d]: profile %.40q: want H264Baseline, H264Main, H264High or H264ConstrainedHigh", i, q.Profile)
		}
		gop, err := parseGOP(q.GOP)
		if err != nil {
			return nil, nil, bad("profiles[%d]: %w", i, err)
		}
		p.GOPMillis = gop
		switch strings.ToLower(q.Encoder) {
		case "", "h264", "h.264":
		case "hevc", "h265", "h.265":
			p.Codec = protocol.HEVC
		case "av1":
			p.Codec, p.Container = protocol.AV1, protocol.FMP4
		default:
			return nil, nil, protocol.Errorf(protocol.UnsupportedCodec, "Livepeer-Transcode-Configuration: profiles[%d]: encoder %.40q: H.264, HEVC and AV1 are made", i, q.Encoder)
		}
		if q.ColorDepth == 10 && p.Codec == protocol.HEVC {
			p.CodecProfile, q.ColorDepth = "main10", 8
		}
		if q.ColorDepth != 0 && q.ColorDepth != 8 || q.ChromaFormat != 0 && q.ChromaFormat != 420 {
			return nil, nil, protocol.Errorf(protocol.UnsupportedCodec, "Livepeer-Transcode-Configuration: profiles[%d]: only 8-bit 4:2:0 is made, and 10-bit of HEVC", i)
		}
		ladder, labels = append(ladder, p), append(labels, label)
	}
	distinct(ladder)
	if err := ladder.Validate(); err != nil {
		return nil, nil, bad("%w", err)
	}
	ladder, labels = stream.Order(ladder, labels)
	return ladder, labels, nil
}

// parseGOP reads seconds ("2.5"), "intra" (every picture is a keyframe) or nothing (one keyframe, at the start).
func parseGOP(s string) (millis uint32, err error) {
	if s == "" {
		return 0, nil
	}
	if s == "intra" {
		return 1, nil
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || !(seconds >= 0 && seconds <= 60) {
		return 0, fmt.Errorf("gop %.40q: want seconds from 0 to 60, or intra", s)
	}
	return uint32(math.Round(seconds * 1000)), nil
}

// plain turns a pusher's name into a Profile's: it becomes part of URLs and file names.
func plain(label string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, label)
	name = strings.TrimLeft(name, "-_")
	if name == "" {
		name = "rendition"
	}
	return name[:min(len(name), protocol.MaxProfileNameLen)]
}

// distinct makes names that became equal differ again.
func distinct(ladder protocol.Ladder) {
	seen := make(map[string]bool, len(ladder))
	for i := range ladder {
		base := ladder[i].Name
		for n := 2; seen[ladder[i].Name]; n++ {
			suffix := "-" + strconv.Itoa(n)
			ladder[i].Name = base[:min(len(base), protocol.MaxProfileNameLen-len(suffix))] + suffix
		}
		seen[ladder[i].Name] = true
	}
}

// DegradeField is the header field by which a push says what its stream puts up with before it stops:
// min_rungs=2, pass_through=false, stop_after=10m. What it leaves out is as in the broadcaster's settings.
const DegradeField = "Kinora-Degrade"

// parsePolicy reads DegradeField; nil when it is missing.
func parsePolicy(field string, settings store.Policy) (*store.Policy, error) {
	if field == "" {
		return nil, nil
	}
	p := settings
	for _, part := range strings.Split(field, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch name {
		case "min_rungs":
			p.MinRungs, err = strconv.Atoi(value)
		case "pass_through":
			p.PassThrough = true
			if ok {
				p.PassThrough, err = strconv.ParseBool(value)
			}
		case "stop_after":
			var d time.Duration
			d, err = time.ParseDuration(value)
			p.StopSeconds = int64(d / time.Second)
		default:
			err = fmt.Errorf("there is no %.40q", name)
		}
		if err == nil {
			err = stream.CheckPolicy(p)
		}
		if err != nil {
			return nil, protocol.Errorf(protocol.BadRequest, DegradeField+": %w; want min_rungs=N, pass_through=true|false, stop_after=DURATION", err)
		}
	}
	return &p, nil
}

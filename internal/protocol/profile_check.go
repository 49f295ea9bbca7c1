package protocol

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kinora/kinora/internal/level"
)

const errProfileFmt = "profile %q: %s"

var (
	profileName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	x264Presets = regexp.MustCompile(`^(ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow)?$`)
)

// What each codec can be asked for by name; empty is always allowed.
var (
	codecProfiles = map[Codec][]string{H264: {"baseline", "constrained_baseline", "main", "high"}, HEVC: {"main", "main10"}, AV1: {"main"}}
	codecTunes    = map[Codec][]string{
		H264: {"film", "animation", "grain", "stillimage", "fastdecode", "psnr", "ssim"},
		HEVC: {"animation", "grain", "fastdecode", "psnr", "ssim"},
		AV1:  {"vq", "psnr", "ssim"},
	}
	containers  = []Container{TS, FMP4}
	fits        = []Fit{Stretch, Pad, Crop, Contain}
	ranges      = []Range{SameRange, SDR}
	audioCodecs = []string{"copy", "aac", "opus", "none"}
)

// oneOf says what is wrong with a name that is neither empty nor listed.
func oneOf[T ~string](field string, got T, list []T) string {
	if got == "" || slices.Contains(list, got) {
		return ""
	}
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = string(n)
	}
	return fmt.Sprintf("%s is %.40q, want %s", field, string(got), strings.Join(names, ", "))
}

// Validate names the field that cannot be.
func (p Profile) Validate() error {
	for _, check := range []func() string{p.checkPicture, p.checkEncoder, p.checkContainer, p.checkSound} {
		if wrong := check(); wrong != "" {
			return fmt.Errorf(errProfileFmt, p.Name, wrong)
		}
	}
	return nil
}

func (p Profile) checkPicture() string {
	switch {
	case !profileName.MatchString(p.Name):
		return fmt.Sprintf("name must match %s", profileName)
	case !p.Codec.known():
		return fmt.Sprintf("codec is %q, want h264, hevc or av1", p.Codec)
	case p.SoundOnly():
		return ""
	case p.Width < 16 || p.Width > MaxWidth || p.Width%2 != 0:
		return fmt.Sprintf("width is %d, want an even number from 16 to %d, or 0 with a height of 0 for sound alone", p.Width, MaxWidth)
	case p.Height < 16 || p.Height > MaxHeight || p.Height%2 != 0:
		return fmt.Sprintf("height is %d, want an even number from 16 to %d, or 0 with a width of 0 for sound alone", p.Height, MaxHeight)
	case p.Codec == AV1 && (p.Width < 64 || p.Height < 64):
		return fmt.Sprintf("width and height are %d×%d, AV1 is made from 64×64 up", p.Width, p.Height)
	case p.Bitrate < 1000 || p.Bitrate > MaxBitrate:
		return fmt.Sprintf("bitrate is %d bit/s, want 1000 to %d", p.Bitrate, MaxBitrate)
	case (p.FPSNum == 0) != (p.FPSDen == 0):
		return fmt.Sprintf("frame rate is %d/%d, want both or neither", p.FPSNum, p.FPSDen)
	case p.FPSDen > 1_000_000 || uint64(p.FPSNum) > MaxFPS*uint64(p.FPSDen):
		return fmt.Sprintf("frame rate is %d/%d, want at most %d", p.FPSNum, p.FPSDen, MaxFPS)
	case p.GOPMillis > 60_000:
		return fmt.Sprintf("gop_ms is %d, want at most 60000", p.GOPMillis)
	}
	return oneOf("fit", p.Fit, fits) + oneOf("dynamic_range", p.DynamicRange, ranges)
}

func (p Profile) checkEncoder() string {
	if p.SoundOnly() {
		return ""
	}
	switch {
	case !x264Presets.MatchString(p.Preset):
		return fmt.Sprintf("preset is %.40q, want one of x264's from ultrafast to veryslow", p.Preset)
	case p.Lookahead < -1 || p.Lookahead > 60:
		return fmt.Sprintf("lookahead is %d frames, want -1 to 60", p.Lookahead)
	}
	if wrong := oneOf("codec_profile", p.CodecProfile, codecProfiles[p.Codec]); wrong != "" {
		return wrong
	}
	if wrong := oneOf("tune", p.Tune, codecTunes[p.Codec]); wrong != "" || p.Level == 0 {
		return wrong
	}
	fps := 0.0
	if p.FPSNum > 0 {
		fps = float64(p.FPSNum) / float64(p.FPSDen)
	}
	if err := level.Check(string(p.Codec), int(p.Level), int(p.Width), int(p.Height), fps, int64(p.Bitrate)); err != nil {
		return "level: " + err.Error()
	}
	return ""
}

func (p Profile) checkContainer() string {
	switch {
	case p.Container != "" && !slices.Contains(containers, p.Container):
		return oneOf("container", p.Container, containers)
	case p.Codec == AV1 && !p.SoundOnly() && p.Wrapped() != FMP4:
		return "container is ts, which does not carry AV1: want fmp4"
	case p.PartMillis != 0 && p.Wrapped() != FMP4:
		return fmt.Sprintf("part_ms is %d, only fmp4 has parts", p.PartMillis)
	case p.PartMillis != 0 && (p.PartMillis < MinPartMillis || p.PartMillis > MaxPartMillis):
		return fmt.Sprintf("part_ms is %d, want %d to %d", p.PartMillis, MinPartMillis, MaxPartMillis)
	}
	return ""
}

func (p Profile) checkSound() string {
	encoded := p.AudioCodec == "aac" || p.AudioCodec == "opus"
	switch {
	case p.AudioCodec != "" && !slices.Contains(audioCodecs, p.AudioCodec):
		return oneOf("audio_codec", p.AudioCodec, audioCodecs)
	case p.AudioCodec == "opus" && p.Wrapped() != FMP4:
		return "audio_codec is opus, which HLS carries in fmp4 alone: container is ts"
	case p.AudioBitrate != 0 && !encoded:
		return fmt.Sprintf("audio_bitrate is %d, for which audio_codec must be aac or opus", p.AudioBitrate)
	case p.AudioBitrate != 0 && (p.AudioBitrate < MinAudioBitrate || p.AudioBitrate > MaxAudioBitrate):
		return fmt.Sprintf("audio_bitrate is %d bit/s, want %d to %d", p.AudioBitrate, MinAudioBitrate, MaxAudioBitrate)
	case p.AudioChannels != 0 && !encoded:
		return fmt.Sprintf("audio_channels is %d, for which audio_codec must be aac or opus", p.AudioChannels)
	case p.AudioChannels != 0 && p.AudioChannels != 1 && p.AudioChannels != 2 && p.AudioChannels != 6:
		return fmt.Sprintf("audio_channels is %d, want 1, 2 or 6", p.AudioChannels)
	}
	if !p.SoundOnly() {
		return ""
	}
	bare := Profile{Name: p.Name, Codec: p.Codec, Container: p.Container, PartMillis: p.PartMillis, AudioCodec: p.AudioCodec,
		AudioBitrate: p.AudioBitrate, AudioChannels: p.AudioChannels}
	switch {
	case p.AudioCodec == "none":
		return "audio_codec is none, and width and height are 0: nothing is left"
	case p != bare:
		return "width and height are 0, so that it is sound alone: leave the fields of pictures (bitrate, fps, gop_ms, codec_profile, preset, lookahead, fit, level, tune, dynamic_range) out"
	}
	return ""
}

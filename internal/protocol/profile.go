package protocol

import (
	"fmt"
	"regexp"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Codec names a video codec and with it the class in which work on it is priced.
type Codec string

// The codec classes. Only H264 has encoders behind it so far.
const (
	H264 Codec = "h264"
	HEVC Codec = "hevc"
	AV1  Codec = "av1"
)

// Profile is the recipe of one Rendition.
type Profile struct {
	Name         string `json:"name"`                    // unique in its Ladder; [a-z0-9_-]{1,32}, in file names and URLs
	Width        uint32 `json:"width"`                   // pixels, even
	Height       uint32 `json:"height"`                  // pixels, even
	Bitrate      uint32 `json:"bitrate"`                 // video, bit/s: constant, with a VBV buffer of one second
	FPSNum       uint32 `json:"fps_num,omitempty"`       // 0: the source's frame rate
	FPSDen       uint32 `json:"fps_den,omitempty"`       // 0 where FPSNum is 0, else at least 1
	GOPMillis    uint32 `json:"gop_ms,omitempty"`        // keyframe interval inside a segment; 0: one keyframe, at its start; 1: every picture is one
	Codec        Codec  `json:"codec"`                   // price class
	CodecProfile string `json:"codec_profile,omitempty"` // H.264: baseline, main, high; empty: high
	Preset       string `json:"preset,omitempty"`        // of the encoder; empty: the transcoder's choice
	Lookahead    int32  `json:"lookahead,omitempty"`     // frames the encoder may hold back; 0: as low as the preset's live default, -1: none (zero latency)
}

// Ladder is the set of Profiles a stream is transcoded to, largest first.
type Ladder []Profile

// Limits on what anyone may ask for.
const (
	MaxProfiles       = 8
	MaxWidth          = 4096
	MaxHeight         = 4096
	MaxBitrate        = 100_000_000
	MaxFPS            = 120
	MaxProfileNameLen = 32
)

var (
	profileName   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	x264Presets   = regexp.MustCompile(`^(ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow)?$`)
	h264Profiles  = regexp.MustCompile(`^(baseline|constrained_baseline|main|high)?$`)
	profileType   = crypto.Keccak256Hash([]byte(profileTypeString))
	errProfileFmt = "profile %q: %s"
)

const profileTypeString = "Profile(string name,uint32 width,uint32 height,uint32 bitrate,uint32 fpsNum,uint32 fpsDen," +
	"uint32 gopMillis,string codec,string codecProfile,string preset,int32 lookahead)"

// Validate names the field that cannot be.
func (p Profile) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf(errProfileFmt, p.Name, fmt.Sprintf(format, args...))
	}
	switch {
	case !profileName.MatchString(p.Name):
		return bad("name must match %s", profileName)
	case p.Width < 16 || p.Width > MaxWidth || p.Width%2 != 0:
		return bad("width is %d, want an even number from 16 to %d", p.Width, MaxWidth)
	case p.Height < 16 || p.Height > MaxHeight || p.Height%2 != 0:
		return bad("height is %d, want an even number from 16 to %d", p.Height, MaxHeight)
	case p.Bitrate < 1000 || p.Bitrate > MaxBitrate:
		return bad("bitrate is %d bit/s, want 1000 to %d", p.Bitrate, MaxBitrate)
	case (p.FPSNum == 0) != (p.FPSDen == 0):
		return bad("frame rate is %d/%d, want both or neither", p.FPSNum, p.FPSDen)
	case p.FPSDen > 1_000_000 || uint64(p.FPSNum) > MaxFPS*uint64(p.FPSDen):
		return bad("frame rate is %d/%d, want at most %d", p.FPSNum, p.FPSDen, MaxFPS)
	case p.GOPMillis > 60_000:
		return bad("gop_ms is %d, want at most 60000", p.GOPMillis)
	case p.Codec != H264 && p.Codec != HEVC && p.Codec != AV1:
		return bad("codec is %q, want h264, hevc or av1", p.Codec)
	case !h264Profiles.MatchString(p.CodecProfile):
		return bad("codec_profile is %q, want baseline, constrained_baseline, main or high", p.CodecProfile)
	case !x264Presets.MatchString(p.Preset):
		return bad("preset is %q, want one of x264's from ultrafast to veryslow", p.Preset)
	case p.Lookahead < -1 || p.Lookahead > 60:
		return bad("lookahead is %d frames, want -1 to 60", p.Lookahead)
	}
	return nil
}

// Hash is the EIP-712 struct hash of p: what a Receipt calls its profile.
func (p Profile) Hash() common.Hash {
	return structHash(profileType, str(p.Name), u64(uint64(p.Width)), u64(uint64(p.Height)), u64(uint64(p.Bitrate)),
		u64(uint64(p.FPSNum)), u64(uint64(p.FPSDen)), u64(uint64(p.GOPMillis)), str(string(p.Codec)),
		str(p.CodecProfile), str(p.Preset), i64(int64(p.Lookahead)))
}

// Validate checks every Profile and that their names differ.
func (l Ladder) Validate() error {
	if len(l) == 0 || len(l) > MaxProfiles {
		return fmt.Errorf("ladder has %d profiles, want 1 to %d", len(l), MaxProfiles)
	}
	seen := make(map[string]bool, len(l))
	for _, p := range l {
		if err := p.Validate(); err != nil {
			return err
		}
		if seen[p.Name] {
			return fmt.Errorf(errProfileFmt, p.Name, "name is used twice in the ladder")
		}
		seen[p.Name] = true
	}
	return nil
}

// Hash identifies the Ladder: the EIP-712 hash of an array of Profiles.
func (l Ladder) Hash() common.Hash {
	words := make([]word, len(l))
	for i, p := range l {
		words[i] = word(p.Hash())
	}
	return arrayHash(words)
}

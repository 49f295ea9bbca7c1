package protocol

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Codec names a video codec and with it the class in which work on it is priced.
type Codec string

// The codec classes.
const (
	H264 Codec = "h264"
	HEVC Codec = "hevc"
	AV1  Codec = "av1"
)

func (c Codec) known() bool { return c == H264 || c == HEVC || c == AV1 }

// Profile is the recipe of one Rendition. With neither width nor height it is sound alone: no pixel of it is billed, and its
// codec is any that the rest of the ladder has.
type Profile struct {
	Name         string `json:"name"`                    // unique in its Ladder; [a-z0-9_-]{1,32}, in file names and URLs
	Width        uint32 `json:"width"`                   // pixels, even
	Height       uint32 `json:"height"`                  // pixels, even
	Bitrate      uint32 `json:"bitrate"`                 // video, bit/s: constant, with a VBV buffer of one second
	FPSNum       uint32 `json:"fps_num,omitempty"`       // 0: the source's frame rate
	FPSDen       uint32 `json:"fps_den,omitempty"`       // 0 where FPSNum is 0, else at least 1
	GOPMillis    uint32 `json:"gop_ms,omitempty"`        // keyframe interval inside a segment; 0: one keyframe, at its start; 1: every picture is one
	Codec        Codec  `json:"codec"`                   // price class
	CodecProfile string `json:"codec_profile,omitempty"` // H.264: baseline, constrained_baseline, main, high; HEVC: main, main10; AV1: main; empty: high or main
	Preset       string `json:"preset,omitempty"`        // of the encoder, in x264's words for every codec; empty: the transcoder's choice
	Lookahead    int32  `json:"lookahead,omitempty"`     // frames the encoder may hold back; 0: as low as the preset's live default, -1: none (zero latency)

	// What follows a Profile may leave out, which asks for what there was before there was a choice, and hashes alike.
	Container     Container `json:"container,omitempty"`      // empty: ts
	PartMillis    uint32    `json:"part_ms,omitempty"`        // fmp4: how much media one chunk holds at most; 0: half a second
	Fit           Fit       `json:"fit,omitempty"`            // empty: stretch
	Level         uint32    `json:"level,omitempty"`          // ten times the codec's level: 41; 0: as low as the encoder can
	Tune          string    `json:"tune,omitempty"`           // what the encoder is tuned for; empty: nothing
	DynamicRange  Range     `json:"dynamic_range,omitempty"`  // empty: the source's
	AudioCodec    string    `json:"audio_codec,omitempty"`    // copy, aac, opus or none; empty: copy where the container carries the source's, else aac
	AudioBitrate  uint32    `json:"audio_bitrate,omitempty"`  // of aac and opus, bit/s; 0: 64,000 a channel
	AudioChannels uint32    `json:"audio_channels,omitempty"` // of aac and opus: 1, 2 or 6; 0: the source's, at most 2
}

// Container names what a Rendition's tracks are wrapped in.
type Container string

// The containers. A Rendition in FMP4 is its init segment (ftyp, moov), followed by the media segment (moof and mdat,
// again and again): the two parts an HLS playlist names are cut from one hashed and verified piece.
const (
	TS   Container = "ts"   // MPEG-TS
	FMP4 Container = "fmp4" // CMAF
)

// Fit says how a picture of another shape is made to have the Profile's size.
type Fit string

// The ways to fit.
const (
	Stretch Fit = "stretch" // the whole picture, out of shape where the shapes differ
	Pad     Fit = "pad"     // the whole picture in its shape, between black bars
	Crop    Fit = "crop"    // the middle of the picture, in its shape, filling all
	Contain Fit = "contain" // the whole picture in its shape, smaller than the Profile where the shapes differ
)

// Range is the dynamic range of a Rendition.
type Range string

// The dynamic ranges.
const (
	SameRange Range = "source" // whatever the source has
	SDR       Range = "sdr"    // tone-mapped to BT.709 where the source has more
)

// Limits on sound and parts.
const (
	MinAudioBitrate = 6_000
	MaxAudioBitrate = 512_000
	MinPartMillis   = 20
	MaxPartMillis   = 10_000
)

// SoundOnly reports whether the Rendition has no picture.
func (p Profile) SoundOnly() bool { return p.Width == 0 && p.Height == 0 }

// Wrapped is the container, its default spelt out.
func (p Profile) Wrapped() Container { return cmp.Or(p.Container, TS) }

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

const (
	profileTypeString = "Profile(" + profileFields + ")"
	// A profile that asks for more than the fields above hold is of another type: those who never heard of the rest cannot
	// take it for one they know.
	outputTypeString = "OutputProfile(" + profileFields + ",string container,uint32 partMillis,string fit,uint32 level,string tune," +
		"string dynamicRange,string audioCodec,uint32 audioBitrate,uint32 audioChannels)"
	profileFields = "string name,uint32 width,uint32 height,uint32 bitrate,uint32 fpsNum,uint32 fpsDen," +
		"uint32 gopMillis,string codec,string codecProfile,string preset,int32 lookahead"
)

var (
	profileType = crypto.Keccak256Hash([]byte(profileTypeString))
	outputType  = crypto.Keccak256Hash([]byte(outputTypeString))
)

// Hash is the EIP-712 struct hash of p: what a Receipt calls its profile.
func (p Profile) Hash() common.Hash {
	words := []word{str(p.Name), u64(uint64(p.Width)), u64(uint64(p.Height)), u64(uint64(p.Bitrate)),
		u64(uint64(p.FPSNum)), u64(uint64(p.FPSDen)), u64(uint64(p.GOPMillis)), str(string(p.Codec)),
		str(p.CodecProfile), str(p.Preset), i64(int64(p.Lookahead))}
	plain := Profile{Name: p.Name, Width: p.Width, Height: p.Height, Bitrate: p.Bitrate, FPSNum: p.FPSNum, FPSDen: p.FPSDen,
		GOPMillis: p.GOPMillis, Codec: p.Codec, CodecProfile: p.CodecProfile, Preset: p.Preset, Lookahead: p.Lookahead}
	if p == plain {
		return structHash(profileType, words...)
	}
	return structHash(outputType, append(words, str(string(p.Container)), u64(uint64(p.PartMillis)), str(string(p.Fit)),
		u64(uint64(p.Level)), str(p.Tune), str(string(p.DynamicRange)), str(p.AudioCodec), u64(uint64(p.AudioBitrate)),
		u64(uint64(p.AudioChannels)))...)
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
	if !slices.ContainsFunc(l, func(p Profile) bool { return !p.SoundOnly() }) {
		return fmt.Errorf(errProfileFmt, l[0].Name, "width and height are 0, here and in all of the ladder: one profile at least must have pictures")
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

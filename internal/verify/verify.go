// Package verify says whether what a transcoder returned is the job it was given, judged on the bytes that arrived.
//
// L0 reads the containers: codec, size, pictures and their times, keyframes, bitrate, audio, hash and signed receipt. It
// is pure Go, works while bytes arrive and is run on everything. L1 decodes source and renditions in kinora-media children
// and compares a 32×18 luma grid of every picture; what looks wrong it compares with an encode of its own. Whose output gets L1, and how often, is what trust.go and epoch.go say.
package verify

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Config is shared by all sources of a process.
type Config struct {
	Meter  *Meter // measures for L1; without one a Deep check is Inconclusive
	Origin string // whose stream it is: a media child that parsed it never serves another's
	Limits Limits
	Log    *slog.Logger // nil: nowhere
}

// Limits bound what one segment may hold. Zero fields take the values in parentheses.
type Limits struct {
	MaxBytes    int64         // of a source, and of each rendition (64 MiB)
	MaxFrames   int           // pictures (20,000)
	MaxDuration time.Duration // by timestamps (60 s)
	MaxPixels   int           // of one source picture (4096×2304)
}

func (l Limits) withDefaults() Limits {
	l.MaxBytes = cmp.Or(l.MaxBytes, 64<<20)
	l.MaxFrames = cmp.Or(l.MaxFrames, 20_000)
	l.MaxDuration = cmp.Or(l.MaxDuration, time.Minute)
	l.MaxPixels = cmp.Or(l.MaxPixels, 4096*2304)
	return l
}

// Stream is what a segment holds, read from its bytes. Timestamps are in 1/90000 s, unwrapped: they may lie
// above 2^33 within a segment that crosses the wrap.
type Stream struct {
	Bytes  int64
	SHA256 protocol.Hash

	InitBytes     int64  // of the init segment at the head of an fMP4; 0 in MPEG-TS
	Codec         string // h264, hevc or av1; empty: sound alone
	Codecs        string // of video and audio as HLS CODECS wants it (RFC 6381): avc1.64001f,mp4a.40.2
	Width, Height int    // pixels after cropping
	SARNum        int    // shape of the pixels; 0/0 where the stream does not say
	SARDen        int
	Frames        int    // pictures
	Keyframes     int    // pictures a decoder can start at
	Pixels        uint64 // Width × Height × Frames: the billed unit
	VideoBytes    int64  // of the video track
	chunks        int    // of an fMP4
	longestChunk  int64  // ticks
	turns         int64  // by which times in the container exceed those here
	slices        int64  // of these, in coded pictures: without headers and filler, which cost nothing to add
	FPS           float64
	FPSNum        uint32 // mean frame rate by timestamps; 0/0 where one picture is all there is
	FPSDen        uint32
	FirstPTS      int64
	LastPTS       int64
	Duration      time.Duration // from the first picture to the end of the last
	PTS           []int64       // of every picture, ascending; not to be written to
	Leading       int           // how many of PTS are shown before the first keyframe, and so may not decode
	Damaged       bool          // transport errors, lost packets or a cut end were seen

	Audio Audio
}

// Audio is a sound track; Codec is empty when there is none.
type Audio struct {
	Codec      string // aac, opus, or the number of its stream type: 0x03
	SampleRate int
	Channels   int
	Packets    int // frames of the codec where it is aac, else PES packets
	Bytes      int64
	FirstPTS   int64
	LastPTS    int64
	coarse     int64         // how long after LastPTS the sound may go on
	Hash       protocol.Hash // SHA-256 of the elementary stream; of AAC without the heads that only MPEG-TS needs
}

// SourceInfo is what the source of a segment holds.
type SourceInfo struct{ Stream }

// Head is what is known of a source as soon as its first picture began to arrive.
type Head struct {
	Width, Height int
	SARNum        int // shape of the pixels; 0/0: it does not say
	SARDen        int
	FPS           float64 // as the stream says of itself; 0: it does not
	HasAudio      bool
}

// Output is what one rendition turned out to be.
type Output struct {
	Profile string
	Stream
}

// Spec says what is to be checked.
type Spec struct {
	Ladder protocol.Ladder
	Deep   bool   // L1 as well as L0
	Payee  string // whose work it is: a media child that parsed one payee's bytes never serves another's check
}

// Layers that ran.
const (
	L0   = "L0"
	L0L1 = "L0+L1"
)

// Verdict is the result of a Check.
type Verdict struct {
	Passed bool
	// Inconclusive: this side could not finish the check (context ended, no media child). Then Passed is false and
	// nothing is said about the payee: Record.After ignores it.
	Inconclusive bool
	Layers       string        // L0 or L0L1
	Code         protocol.Code // empty when Passed
	Detail       string        // which rendition, what was wrong
	// Gross: no honest transcoder returns this, whatever its encoder, settings and bits: a receipt that is not of these bytes,
	// another size than the profile says, sound where it asks for none, pictures that do not decode, a first picture that is not the
	// source's. All else may come of an encoder that differs from this side's, of bad luck, or of a source that is made for it.
	Gross   bool
	Outputs []Output // in the order of the ladder, as far as measured
	Source  SourceInfo
	// Deep says how close the pictures were, per rendition, where L1 ran.
	Deep []Likeness
}

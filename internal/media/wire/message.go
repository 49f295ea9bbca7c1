package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// Profile is what the child must know of a profile of the ladder (fields as protocol.Profile).
type Profile struct {
	Name         string `json:"name"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	Bitrate      int64  `json:"bitrate"`
	FPSNum       int    `json:"fps_num,omitempty"`
	FPSDen       int    `json:"fps_den,omitempty"`
	GOPMillis    int    `json:"gop_ms,omitempty"`
	Codec        string `json:"codec"`
	CodecProfile string `json:"codec_profile,omitempty"`
	Preset       string `json:"preset,omitempty"`
	Lookahead    int    `json:"lookahead,omitempty"`

	Container     string `json:"container,omitempty"`
	PartMillis    int    `json:"part_ms,omitempty"`
	Fit           string `json:"fit,omitempty"`
	Level         int    `json:"level,omitempty"`
	Tune          string `json:"tune,omitempty"`
	DynamicRange  string `json:"dynamic_range,omitempty"`
	AudioCodec    string `json:"audio_codec,omitempty"`
	AudioBitrate  int    `json:"audio_bitrate,omitempty"`
	AudioChannels int    `json:"audio_channels,omitempty"`

	// Encoder is FFmpeg's name of the encoder to take, which the parent chose among those that the machine has; empty: the
	// software one of the codec.
	Encoder string `json:"encoder,omitempty"`
}

// SoundOnly reports whether the rendition has no picture.
func (p Profile) SoundOnly() bool { return p.Width == 0 && p.Height == 0 }

// Fragmented reports whether the container is fMP4.
func (p Profile) Fragmented() bool { return p.Container == "fmp4" }

// Limits bound one job. Zero is not a default here: the parent sends every field.
type Limits struct {
	MaxPixels   int           `json:"max_pixels"`   // of one source picture
	MaxStreams  int           `json:"max_streams"`  // elementary streams in the source
	MaxFrames   int           `json:"max_frames"`   // pictures in the source
	MaxDuration time.Duration `json:"max_duration"` // of the source, by its timestamps
	MaxOutput   int64         `json:"max_output"`   // bytes of all renditions together
}

// Transcode begins a job that makes every rendition of the ladder from one source segment.
type Transcode struct {
	Ladder    []Profile `json:"ladder"`
	Continues bool      `json:"continues,omitempty"` // the segment follows the last one begun on this child
	FPSNum    int       `json:"fps_num,omitempty"`   // source frame rate if the parent knows it
	FPSDen    int       `json:"fps_den,omitempty"`
	Limits    Limits    `json:"limits"`
	Loudness  bool      `json:"loudness,omitempty"` // measure that of the source's sound
}

// Measure begins a job that reports what is in a segment.
type Measure struct {
	Grid   bool   `json:"grid,omitempty"` // decode every picture, not only the first, and send its luma grid
	Of     Rect   `json:"of"`             // the part of the pictures that the grid covers; empty: all
	SDR    bool   `json:"sdr,omitempty"`  // the grid is of the pictures as they look mapped to standard dynamic range
	Limits Limits `json:"limits"`

	Loudness bool `json:"loudness,omitempty"` // measure that of the sound
}

// Remux begins a job that carries the tracks of a segment of any container into an MPEG-TS, rendition 0.
type Remux struct {
	Limits Limits `json:"limits"`
}

// Remuxed ends a Remux job.
type Remuxed struct {
	Bytes int64 `json:"bytes"` // of the MPEG-TS
}

// Hello is a child's first message.
type Hello struct {
	Version int    `json:"version"`
	FFmpeg  string `json:"ffmpeg"`
	// Layers are those of its jail that hold, as far as it set them up itself; Lacking are those that do not, with the reason.
	Layers  []string          `json:"layers"`
	Lacking map[string]string `json:"lacking,omitempty"`
}

// Stream is what a source turned out to be. Timestamps are of the pictures, in 1/90000 s, as the container carries them.
type Stream struct {
	Codec    string        `json:"codec"` // FFmpeg's name: h264, hevc, mpeg2video, …
	Width    int           `json:"width"`
	Height   int           `json:"height"`
	SARNum   int           `json:"sar_num,omitempty"` // pixel shape, 0 where unknown
	SARDen   int           `json:"sar_den,omitempty"`
	FPSNum   int           `json:"fps_num,omitempty"` // mean frame rate by timestamps; 0 where one picture is all there is
	FPSDen   int           `json:"fps_den,omitempty"`
	Frames   int           `json:"frames"`  // decoded pictures
	Damaged  int           `json:"damaged"` // coded pictures that did not decode
	FirstPTS int64         `json:"first_pts"`
	LastPTS  int64         `json:"last_pts"`
	Duration time.Duration `json:"duration"` // from the first picture to the end of the last
	Bytes    int64         `json:"bytes"`
	Audio    Audio         `json:"audio"`
}

// Audio is the sound track of a segment; Codec is empty when there is none.
type Audio struct {
	Codec      string `json:"codec,omitempty"`
	SampleRate int    `json:"sample_rate,omitempty"`
	Channels   int    `json:"channels,omitempty"`
	Packets    int    `json:"packets"`
	Bytes      int64  `json:"bytes"`
	FirstPTS   int64  `json:"first_pts"` // 1/90000 s
	LastPTS    int64  `json:"last_pts"`
	Hash       string `json:"hash,omitempty"` // hex SHA-256 of the packets' payloads in order, without ADTS headers

	// Where the loudness was asked for; both are 0 where it was not, or no sound decodes, and -70 for silence.
	LUFS     float64 `json:"lufs,omitempty"`      // integrated loudness (EBU R 128)
	TruePeak float64 `json:"true_peak,omitempty"` // dBTP
}

// Rendition is one output of a Transcode job.
type Rendition struct {
	Name         string        `json:"name"`
	Frames       int           `json:"frames"`
	Keyframes    int           `json:"keyframes"`
	Width        int           `json:"width"` // smaller than the profile's where that asks to contain another shape
	Height       int           `json:"height"`
	Pixels       int64         `json:"pixels"`    // width × height × frames
	FirstPTS     int64         `json:"first_pts"` // 1/90000 s; of the sound where there are no pictures
	LastPTS      int64         `json:"last_pts"`
	Duration     time.Duration `json:"duration"`
	Bytes        int64         `json:"bytes"`       // of the container
	VideoBytes   int64         `json:"video_bytes"` // of the coded pictures
	AudioPackets int           `json:"audio_packets"`
	AudioCodec   string        `json:"audio_codec,omitempty"` // of the sound as it came out; empty: none
	InitBytes    int64         `json:"init_bytes,omitempty"`  // of the init segment at the head of an fMP4
	Encoder      string        `json:"encoder,omitempty"`     // FFmpeg's name
}

// Result ends a Transcode job.
type Result struct {
	Source     Stream        `json:"source"`
	Renditions []Rendition   `json:"renditions"` // in the order of the ladder
	CPU        time.Duration `json:"cpu"`        // CPU time of the child since it sent its previous answer
}

// Measurement ends a Measure job; its pictures went before it in KindGrids.
type Measurement struct {
	Codec        string        `json:"codec"`         // FFmpeg's name
	CodecProfile string        `json:"codec_profile"` // H.264: baseline, constrained_baseline, main, high, …; HEVC: main, main10; AV1: main, …
	Level        int           `json:"level"`         // H.264: 10 × the level; HEVC: 30 × the level; AV1: seq_level_idx
	PixelFormat  string        `json:"pixel_format"`
	Width        int           `json:"width"`
	Height       int           `json:"height"`
	SARNum       int           `json:"sar_num,omitempty"`
	SARDen       int           `json:"sar_den,omitempty"`
	Streams      int           `json:"streams"`       // elementary streams in the container
	Packets      int           `json:"packets"`       // coded pictures
	Damaged      int           `json:"damaged"`       // coded pictures that did not decode, or only with guesses; without Grid of the first alone
	OtherSize    int           `json:"other_size"`    // pictures whose size is not that of the first (Grid only)
	KeyframeAt0  bool          `json:"keyframe_at_0"` // the first coded picture is a keyframe
	FirstDTS     int64         `json:"first_dts"`     // 1/90000 s
	LastDTS      int64         `json:"last_dts"`
	DTSBackwards int           `json:"dts_backwards"` // coded pictures whose DTS does not grow
	Duration     time.Duration `json:"duration"`      // from the first picture to the end of the last
	Bytes        int64         `json:"bytes"`         // of the container
	VideoBytes   int64         `json:"video_bytes"`   // of the coded pictures
	Audio        Audio         `json:"audio"`
	CPU          time.Duration `json:"cpu"` // CPU time of the child since it sent its previous answer
}

// Failure ends a job. Code is one of the Codes below, each a protocol.Code by its value.
type Failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Limit  string `json:"limit,omitempty"` // the limit that was passed, as "name=value"
}

// What a child may say in a Failure.
const (
	CodeEmpty            = "empty_segment"
	CodeBadMedia         = "bad_media"
	CodeNoVideo          = "no_video"
	CodeNoKeyframe       = "no_keyframe"
	CodeTooLong          = "segment_too_long"
	CodeTooManyPixels    = "too_many_pixels"
	CodeUnsupportedCodec = "unsupported_codec"
	CodeBadLadder        = "bad_ladder"
	CodeCancelled        = "cancelled"
	CodeFailed           = "transcode_failed"
	CodeInternal         = "internal"
)

// Error says code and detail.
func (f *Failure) Error() string { return f.Code + ": " + f.Detail }

// Encode is m as the payload of its kind.
func Encode(m any) ([]byte, error) {
	p, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", m, err)
	}
	if len(p) > MaxPayload {
		return nil, fmt.Errorf("encode %T: %d bytes, at most %d", m, len(p), MaxPayload)
	}
	return p, nil
}

// Decode reads a JSON payload into m.
func Decode(p []byte, m any) error {
	if err := json.Unmarshal(p, m); err != nil {
		return fmt.Errorf("%w: %T: %w", ErrFormat, m, err)
	}
	return nil
}

// Size of the luma grid.
const (
	GridWidth  = 32
	GridHeight = 18
	GridLen    = GridWidth * GridHeight
)

// Picture is one picture of a Measure job: when it shows, whether it is a keyframe and, if asked for, the area averages of
// its luma (row by row, as if in limited range).
type Picture struct {
	PTS  int64
	Key  bool
	Luma [GridLen]uint8
}

const (
	pictureLen = 8 + 1 + GridLen
	// PicturesPerFrame is how many pictures one KindGrids carries at most.
	PicturesPerFrame = DataChunk / pictureLen
)

// AppendPicture adds p to the payload of a KindGrids.
func AppendPicture(b []byte, p *Picture) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(p.PTS))
	key := byte(0)
	if p.Key {
		key = 1
	}
	b = append(b, key)
	return append(b, p.Luma[:]...)
}

// DecodePictures reads the payload of a KindGrids.
func DecodePictures(b []byte) ([]Picture, error) {
	if len(b)%pictureLen != 0 {
		return nil, fmt.Errorf("%w: %d bytes of pictures", ErrFormat, len(b))
	}
	out := make([]Picture, len(b)/pictureLen)
	for i := range out {
		p := b[i*pictureLen:]
		if p[8] > 1 {
			return nil, fmt.Errorf("%w: keyframe mark is %d", ErrFormat, p[8])
		}
		out[i].PTS = int64(binary.BigEndian.Uint64(p))
		out[i].Key = p[8] == 1
		copy(out[i].Luma[:], p[9:])
	}
	return out, nil
}

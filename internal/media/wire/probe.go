package wire

import "time"

// Probe begins a job that tries one encoder, or one decoder, on pictures or sound that the child makes itself. Encoder and
// Decoder are FFmpeg's names (libx264, h264_nvenc, aac, h264, libdav1d, …). With a Decoder, Encoder makes what it decodes and
// only the decoding is timed.
type Probe struct {
	Encoder string            `json:"encoder"`
	Decoder string            `json:"decoder,omitempty"`
	Device  string            `json:"device,omitempty"` // of an encoder or decoder in hardware: a render node, or the index of a card
	Width   int               `json:"width,omitempty"`  // 0: sound
	Height  int               `json:"height,omitempty"`
	Frames  int               `json:"frames"`            // pictures, or pieces of sound, at most
	Budget  time.Duration     `json:"budget"`            // no further picture is begun after so long
	Threads int               `json:"threads,omitempty"` // 0: as FFmpeg chooses
	Options map[string]string `json:"options,omitempty"` // of the encoder
	// Sessions is how many are opened, one beside the other, each with a picture of its own; 0 or 1: one. What is refused
	// ends the count, not the job.
	Sessions int `json:"sessions,omitempty"`
}

// Limits of a Probe.
const (
	MaxProbeFrames   = 1000
	MaxProbeSessions = 64
	MaxProbePixels   = 4096 * 2304
)

// Probed ends a Probe job that worked.
type Probed struct {
	Frames   int           `json:"frames"`            // encoded or decoded
	Bytes    int64         `json:"bytes"`             // of the coded pictures
	Took     time.Duration `json:"took"`              // without opening
	Open     time.Duration `json:"open"`              // to open the first session
	CPU      time.Duration `json:"cpu"`               // CPU time of the child meanwhile
	Sessions int           `json:"sessions"`          // that were open at once
	Refused  string        `json:"refused,omitempty"` // why there was not one more, if one was refused
}

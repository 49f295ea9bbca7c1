package protocol

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
)

// FrameKind says what a frame between machines carries.
type FrameKind uint8

// Frames: one byte kind, one byte attempt (its ordinal in this exchange, from 0), one byte rendition (its index in the
// ladder), one byte zero, four bytes big-endian length, then the payload: raw bytes for FrameSource and FrameRendition,
// else a JSON message.
const (
	FrameAttempt   FrameKind = 1 // AttemptStart: a try begins; later frames name it by its ordinal
	FrameSource    FrameKind = 2 // source bytes, orchestrator → transcoder
	FrameSourceEnd FrameKind = 3 // SourceEnd
	FrameRendition FrameKind = 4 // bytes of one rendition, in order
	FrameReceipt   FrameKind = 5 // Signed[Receipt]: every rendition of the attempt is complete
	FrameAbandoned FrameKind = 6 // Problem: the attempt is over without a result
	FrameVerdict   FrameKind = 7 // Verdict of the sender on the attempt: the orchestrator's, to the broadcaster
	FrameCancel    FrameKind = 8 // Problem: stop the attempt, orchestrator → transcoder
	FrameEnd       FrameKind = 9 // Problem, or empty for none: nothing follows

	// FrameRestart, transcoder → orchestrator, at most once in an attempt and without a payload: the bytes of its renditions so
	// far are void, and they begin anew.
	FrameRestart FrameKind = 10
)

// FrameType is the media type of a series of frames.
const FrameType = "application/vnd.kinora.frames"

// Most bytes a frame may carry.
const (
	MaxFrame     = 256 << 10
	frameHeadLen = 8
)

// Frame is one frame. Payload is valid until the next Read.
type Frame struct {
	Kind      FrameKind
	Attempt   uint8
	Rendition uint8
	Payload   []byte
}

// AttemptStart is the payload of FrameAttempt.
type AttemptStart struct {
	Assignment     Signed[Assignment] `json:"assignment"`
	DurationMillis uint32             `json:"duration_ms"` // as announced
	BudgetMillis   uint32             `json:"budget_ms"`   // from the last source byte
	Continues      bool               `json:"continues"`   // directly follows the lease's previous segment
	// Rungs are the profiles of the ladder, by their index, that the attempt makes, where several share it: what its frames and its
	// receipt call rendition i is the i-th of these. The receipt names the profiles themselves. Empty: all.
	Rungs []int `json:"rungs,omitempty"`
}

// Of is the part of ladder that the attempt makes; it fails where that cannot be one.
func (s AttemptStart) Of(ladder Ladder) (rungs []int, part Ladder, err error) {
	if len(s.Rungs) == 0 {
		for i := range ladder {
			rungs = append(rungs, i)
		}
		return rungs, ladder, nil
	}
	for n, i := range s.Rungs {
		if i < 0 || i >= len(ladder) || n > 0 && i <= s.Rungs[n-1] {
			return nil, nil, fmt.Errorf("rungs %v are not of a ladder of %d, ascending", s.Rungs, len(ladder))
		}
		part = append(part, ladder[i])
	}
	return s.Rungs, part, nil
}

// SourceEnd is the payload of FrameSourceEnd: what was sent, so that a cut stream is not taken for a whole one.
type SourceEnd struct {
	Source Hash   `json:"source"`
	Bytes  uint64 `json:"bytes"`
}

// Verdict is the payload of FrameVerdict.
type Verdict struct {
	Attempt ID     `json:"attempt"`
	Passed  bool   `json:"passed"`
	Code    Code   `json:"code,omitempty"`   // why not
	Detail  string `json:"detail,omitempty"` // for people
}

// FrameWriter writes frames; each Write is flushed when flush is set. Not safe for concurrent use.
type FrameWriter struct {
	w     io.Writer
	flush func() error
	buf   []byte
}

// NewFrameWriter writes to w and calls flush, which may be nil, after each frame.
func NewFrameWriter(w io.Writer, flush func() error) *FrameWriter {
	return &FrameWriter{w: w, flush: flush}
}

// Write sends one frame, split where raw bytes exceed MaxFrame.
func (f *FrameWriter) Write(fr Frame) error {
	raw := fr.Kind == FrameSource || fr.Kind == FrameRendition
	for {
		p := fr.Payload
		if len(p) > MaxFrame {
			if !raw {
				return fmt.Errorf("frame kind %d carries %d bytes, at most %d", fr.Kind, len(p), MaxFrame)
			}
			p = p[:MaxFrame]
		}
		f.buf = append(f.buf[:0], byte(fr.Kind), fr.Attempt, fr.Rendition, 0, 0, 0, 0, 0)
		binary.BigEndian.PutUint32(f.buf[4:], uint32(len(p)))
		f.buf = append(f.buf, p...)
		if _, err := f.w.Write(f.buf); err != nil {
			return err
		}
		if fr.Payload = fr.Payload[len(p):]; len(fr.Payload) == 0 {
			break
		}
	}
	if f.flush != nil {
		return f.flush()
	}
	return nil
}

// FrameReader reads frames. Not safe for concurrent use.
type FrameReader struct {
	r   *bufio.Reader
	buf []byte
}

// NewFrameReader reads from r.
func NewFrameReader(r io.Reader) *FrameReader { return &FrameReader{r: bufio.NewReaderSize(r, 64<<10)} }

// Read returns the next frame, or io.EOF between frames, io.ErrUnexpectedEOF inside one, and BadRequest for bytes that
// cannot be a frame.
func (f *FrameReader) Read() (Frame, error) {
	var head [frameHeadLen]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return Frame{}, err
	}
	n := binary.BigEndian.Uint32(head[4:])
	kind := FrameKind(head[0])
	if kind < FrameAttempt || kind > FrameRestart || head[3] != 0 || n > MaxFrame || head[2] >= MaxProfiles {
		return Frame{}, Errorf(BadRequest, "frame of kind %d, rendition %d, %d bytes cannot be", head[0], head[2], n)
	}
	if cap(f.buf) < int(n) {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:n]
	if _, err := io.ReadFull(f.r, f.buf); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	return Frame{Kind: kind, Attempt: head[1], Rendition: head[2], Payload: f.buf}, nil
}

// EncodeField writes a message for an HTTP header field: base64url JSON.
func EncodeField(m any) string { return base64.RawURLEncoding.EncodeToString(Encode(m)) }

// DecodeField reads what EncodeField wrote.
func DecodeField[M any](s string) (M, error) {
	var zero M
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return zero, Errorf(BadRequest, "%T: header field is not base64url", zero)
	}
	return Decode[M](b)
}

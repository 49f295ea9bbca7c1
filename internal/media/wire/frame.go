// Package wire is what a kinora-media child and its parent say to each other over the child's stdin and stdout.
//
// Both directions carry frames: a 12-byte header (kind, rendition, two zero bytes, job, payload length; big-endian) and a
// payload. Jobs overlap on one child, so a receiver never stops reading because one job is slow: the bytes of a job in
// either direction are bounded by credit which the receiver grants (Credit) as it takes them.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Version is what Hello says; parent and child must agree on it.
const Version = 2

// Limits of the framing itself.
const (
	HeaderLen  = 12
	MaxPayload = 256 << 10
	DataChunk  = 32 << 10 // how much of a source or rendition one frame carries at most

	SourceWindow = 512 << 10 // bytes of a job's source the parent may send before the child grants more
	OutputWindow = 4 << 20   // bytes of a job's renditions the child may send before the parent grants more
)

// Kind says what a Frame carries.
type Kind uint8

// The kinds of Frame. Those of the parent come first.
const (
	KindTranscode Kind = 1 + iota // Transcode as JSON: begins a job
	KindMeasure                   // Measure as JSON: begins a job
	KindRemux                     // Remux as JSON: begins a job
	KindData                      // source bytes
	KindEnd                       // the source is whole
	KindCancel                    // stop the job; answered by KindFailure with CodeCancelled, unless it ended first
	KindCredit                    // both ways: 4 bytes, how many more bytes of this job may be sent

	KindHello       // Hello as JSON, once, job 0
	KindOutput      // bytes of one rendition
	KindResult      // Result as JSON: the Transcode job ended well
	KindGrids       // a batch of pictures of a Measure job (EncodePictures)
	KindMeasurement // Measurement as JSON: the Measure job ended well
	KindRemuxed     // Remuxed as JSON: the Remux job ended well
	KindFailure     // Failure as JSON: the job ended
	kindEnd
)

// FromParent tells whether a parent may send k.
func (k Kind) FromParent() bool { return k >= KindTranscode && k <= KindCredit }

// FromChild tells whether a child may send k.
func (k Kind) FromChild() bool { return k >= KindCredit && k < kindEnd }

// Frame is one message. Rendition is 0 except in KindOutput.
type Frame struct {
	Kind      Kind
	Rendition uint8
	Job       uint32
	Payload   []byte
}

// ErrFormat is wrapped by every error about bytes that are not a frame.
var ErrFormat = errors.New("malformed frame")

// Append adds the bytes of f to b.
func (f Frame) Append(b []byte) []byte {
	b = append(b, byte(f.Kind), f.Rendition, 0, 0)
	b = binary.BigEndian.AppendUint32(b, f.Job)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Payload)))
	return append(b, f.Payload...)
}

// Read takes one Frame from r. The payload is freshly allocated. io.EOF is returned only between frames.
func Read(r io.Reader) (Frame, error) {
	var head [HeaderLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{Kind: Kind(head[0]), Rendition: head[1], Job: binary.BigEndian.Uint32(head[4:])}
	n := binary.BigEndian.Uint32(head[8:])
	switch {
	case f.Kind == 0 || f.Kind >= kindEnd:
		return Frame{}, fmt.Errorf("%w: kind %d", ErrFormat, head[0])
	case head[2] != 0 || head[3] != 0:
		return Frame{}, fmt.Errorf("%w: reserved bytes are set", ErrFormat)
	case f.Rendition != 0 && f.Kind != KindOutput:
		return Frame{}, fmt.Errorf("%w: kind %d with a rendition", ErrFormat, head[0])
	case n > MaxPayload:
		return Frame{}, fmt.Errorf("%w: payload of %d bytes, at most %d", ErrFormat, n, MaxPayload)
	}
	f.Payload = make([]byte, n)
	if _, err := io.ReadFull(r, f.Payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	return f, nil
}

// Credit is the payload of KindCredit for n bytes.
func Credit(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// DecodeCredit reads the payload of KindCredit.
func DecodeCredit(p []byte) (int, error) {
	if len(p) != 4 {
		return 0, fmt.Errorf("%w: credit of %d bytes", ErrFormat, len(p))
	}
	return int(binary.BigEndian.Uint32(p)), nil
}

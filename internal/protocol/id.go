package protocol

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// ID names a quote, a lease or an attempt: 32 random bytes, 0x-hex when written.
type ID [32]byte

// NewID draws a fresh ID.
func NewID() ID {
	var id ID
	_, _ = rand.Read(id[:]) // never fails, says crypto/rand
	return id
}

// IsZero reports the ID that names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String returns all 64 digits behind 0x.
func (id ID) String() string { return "0x" + hex.EncodeToString(id[:]) }

// Short returns the first eight digits, for logs and people.
func (id ID) Short() string { return hex.EncodeToString(id[:4]) }

// ParseID reads what String wrote.
func ParseID(s string) (ID, error) {
	var id ID
	return id, id.UnmarshalText([]byte(s))
}

// MarshalText writes 0x-hex.
func (id ID) MarshalText() ([]byte, error) { return hexText(id[:]), nil }

// UnmarshalText reads 0x and exactly 64 digits.
func (id *ID) UnmarshalText(b []byte) error {
	var raw ID
	if !readHex(raw[:], b) {
		return fmt.Errorf("id %.70q: want 0x and 64 hex digits", b)
	}
	*id = raw
	return nil
}

func hexText(raw []byte) []byte {
	return hex.AppendEncode(append(make([]byte, 0, 2+hex.EncodedLen(len(raw))), "0x"...), raw)
}

// readHex reads what hexText wrote into the whole of raw.
func readHex(raw, text []byte) bool {
	digits, ok := bytes.CutPrefix(text, []byte("0x"))
	if !ok || len(digits) != hex.EncodedLen(len(raw)) {
		return false
	}
	_, err := hex.Decode(raw, digits)
	return err == nil
}

// Hash is a SHA-256 of bytes on the wire: of a source or of a rendition. Written as 0x-hex.
type Hash = ID

// MaxStreamName bounds a stream's name, in bytes.
const MaxStreamName = 64

var streamName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ValidateStream says whether name can name a stream: it becomes part of URLs, file names and subjects.
func ValidateStream(name string) error {
	if !streamName.MatchString(name) || strings.Contains(name, "..") {
		return fmt.Errorf("stream %.70q: want 1 to %d letters, digits, '.', '_' or '-', the first a letter or digit", name, MaxStreamName)
	}
	return nil
}

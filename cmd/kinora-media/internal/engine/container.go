package engine

import (
	"bytes"
	"errors"
	"io"

	"github.com/kinora/kinora/internal/media/wire"
)

// container is one of the formats that are read. No other demuxer is ever opened: some of libav's follow names and
// addresses that they find in their input.
type container struct {
	demuxer string // libav's name
	name    string
}

var (
	mpegTS   = &container{"mpegts", "MPEG-TS"}
	isoMP4   = &container{"mov", "MP4"}
	matroska = &container{"matroska", "Matroska"}
)

const (
	sniffLen   = 16 << 10 // within which an MPEG-TS has to come into step
	tsPacket   = 188
	maxUpFront = 1 << 20 // of an MP4 before its moov
)

// strangers are what comes by mistake or by malice, for the error's sake.
var strangers = []struct{ magic, name string }{
	{"#EXTM3U", "an HLS playlist"}, {"ffconcat", "a list of files"}, {"<?xml", "XML, such as a DASH manifest"}, {"<MPD", "a DASH manifest"},
	{"[playlist]", "a playlist"}, {"v=0", "a session description"}, {"FLV", "FLV"}, {"OggS", "Ogg"}, {"RIFF", "RIFF (AVI, WAV or WebP)"},
	{"ID3", "MP3"}, {"fLaC", "FLAC"}, {"\x89PNG", "a PNG picture"}, {"\xff\xd8\xff", "a JPEG picture"}, {"GIF8", "a GIF picture"},
	{"\x00\x00\x01\xba", "an MPEG program stream"}, {"\x00\x00\x01\xb3", "MPEG video without a container"},
	{"\x00\x00\x00\x01", "H.264 or HEVC without a container"}, {"DKIF", "IVF"}, {"http://", "an address"}, {"https://", "an address"}, {"file:", "an address"},
}

// boxTypes may begin an MP4.
var boxTypes = map[string]bool{"ftyp": true, "styp": true, "moov": true, "moof": true, "sidx": true, "mdat": true, "free": true,
	"skip": true, "wide": true, "emsg": true, "prft": true, "uuid": true}

// sniff tells the container by the first bytes, whatever its name or type was said to be. The reader has them all.
func sniff(src io.Reader) (*container, io.Reader, error) {
	head := make([]byte, 0, sniffLen)
	var end error
	more := func(n int) bool { // reads until there are n bytes
		for len(head) < n && end == nil {
			var k int
			k, end = src.Read(head[len(head):n])
			head = head[:len(head)+k]
		}
		return len(head) >= n
	}
	all := func() io.Reader { return &headed{head: head, src: src} }
	if !more(12) && len(head) == 0 {
		if !errors.Is(end, io.EOF) {
			return nil, nil, end
		}
		return nil, nil, failf(wire.CodeEmpty, "the segment has no bytes")
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1a, 0x45, 0xdf, 0xa3}):
		return matroska, all(), nil
	case len(head) >= 8 && boxTypes[string(head[4:8])]:
		return isoMP4, all(), nil
	case head[0] == 0x47 && more(tsPacket+1) && head[tsPacket] == 0x47:
		return mpegTS, newTables(all(), tsPacket), nil
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, s := range strangers {
		if bytes.HasPrefix(text, []byte(s.magic)) {
			return nil, nil, failf(wire.CodeBadMedia, "the segment is %s: want MPEG-TS, MP4 or Matroska", s.name)
		}
	}
	more(sniffLen)
	if end != nil && !errors.Is(end, io.EOF) {
		return nil, nil, end
	}
	for _, stride := range []int{tsPacket, 192, 204} { // plain, with a time code, with error correction
		for at := 0; at+2*stride < len(head); at++ {
			if head[at] == 0x47 && head[at+stride] == 0x47 && head[at+2*stride] == 0x47 {
				return mpegTS, newTables(all(), stride), nil
			}
		}
	}
	return nil, nil, failf(wire.CodeBadMedia, "the segment is neither MPEG-TS, MP4 nor Matroska: it begins with % x", head[:min(len(head), 12)])
}

// headed gives what was read ahead, then the rest.
type headed struct {
	head []byte
	src  io.Reader
}

func (r *headed) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.src.Read(p)
}

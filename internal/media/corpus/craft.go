package corpus

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"strings"

	"github.com/kinora/kinora/internal/mpegts"
)

// Crafted are segments that no encoder makes.
func Crafted() []Case {
	noise := make([]byte, 100_000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	packets := bytes.Clone(noise)
	for i := 0; i < len(packets); i += packetLen {
		packets[i] = 0x47
	}
	good := Seed("h264-aac.ts")
	cases := []Case{
		{"empty", nil, Refused},
		{"one byte", []byte{0x47}, Refused},
		{"zeros", make([]byte, 100_000), Refused},
		{"noise", noise, Refused},
		{"noise in packets", packets, Either},
		{"text", []byte(strings.Repeat("once upon a time there was a stream\n", 3000)), Refused},
		{"noise before a whole segment", append(bytes.Clone(noise[:5000]), good...), Either},
		{"noise after a whole segment", append(bytes.Clone(good), noise[:5000]...), Either},
		{"1,000 tracks", thousandTracks(), Refused},
		{"a packet of 256 MiB in 260 KiB", matroskaBomb(256 << 20), Refused},
		{"a moov of 256 MiB in 260 KiB", moovBomb(256 << 20), Refused},
		{"a box that says it has 2^63 bytes", hugeBox(), Refused},
		{"boxes 10,000 deep", deepBoxes(10_000), Refused},
	}
	for name, text := range Playlists("http://127.0.0.1:1/x.ts", "/etc/passwd") {
		cases = append(cases, Case{name, []byte(text), Refused})
	}
	return cases
}

// Playlists are texts that name other media, by kind: none may make the child ask for url or open file.
func Playlists(url, file string) map[string]string {
	return map[string]string{
		"an HLS playlist":          "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://" + file + "\n#EXTINF:2,\n" + url + "\n#EXT-X-ENDLIST\n",
		"an HLS playlist with key": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI=\"" + url + "\"\n#EXTINF:2,\n" + url + "\n",
		"an HLS playlist with map": "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"" + url + "\"\n#EXTINF:2,\nfile://" + file + "\n",
		"an HLS master playlist":   "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n" + url + "\n",
		"a concat script":          "ffconcat version 1.0\nfile '" + file + "'\nfile '" + url + "'\n",
		"a DASH manifest": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>` +
			url + `</BaseURL></Representation></AdaptationSet></Period></MPD>`,
		"a session description":   "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
		"an FFmpeg metadata file": ";FFMETADATA1\ntitle=" + url + "\n",
	}
}

// thousandTracks is a transport stream of 20 programs with 50 tracks each.
func thousandTracks() []byte {
	var pat bytes.Buffer
	var out bytes.Buffer
	pmt := func(program int) int { return 0x1000 + program }
	for n := 1; n <= 20; n++ {
		_ = binary.Write(&pat, binary.BigEndian, [2]uint16{uint16(n), uint16(0xe000 | pmt(n))}) // a Buffer takes all
	}
	out.Write(table(0, 0, 1, pat.Bytes()))
	for n := 1; n <= 20; n++ {
		body := []byte{0xe0 | 1, 0, 0xf0, 0}
		for k := range 33 { // what fits one packet
			pid := 0x20 + n*50 + k
			body = append(body, 0x1b, 0xe0|byte(pid>>8), byte(pid), 0xf0, 0)
		}
		out.Write(table(pmt(n), 2, n, body))
		body = []byte{0xe0 | 1, 0, 0xf0, 0}
		for k := 33; k < 50; k++ {
			pid := 0x20 + n*50 + k
			body = append(body, 0x1b, 0xe0|byte(pid>>8), byte(pid), 0xf0, 0)
		}
		out.Write(table(pmt(n), 2, n, body))
	}
	for n := 1; n <= 20; n++ { // one coded picture on each
		for k := range 50 {
			out.Write(pesOn(0x20+n*50+k, Seed("one-picture.ts")))
		}
	}
	return out.Bytes()
}

// table is one packet with a section of a program-specific table.
func table(pid int, id byte, extension int, body []byte) []byte {
	length := 5 + len(body) + 4
	s := append([]byte{id, 0xb0 | byte(length>>8), byte(length), byte(extension >> 8), byte(extension), 0xc1, 0, 0}, body...)
	s = binary.BigEndian.AppendUint32(s, mpegts.Checksum(s))
	p := append([]byte{0x47, 0x40 | byte(pid>>8), byte(pid), 0x10, 0}, s...)
	for len(p) < packetLen {
		p = append(p, 0xff)
	}
	return p[:packetLen]
}

// pesOn is the first packet with pictures of ts, sent as another PID.
func pesOn(pid int, ts []byte) []byte {
	for i := 0; i+packetLen <= len(ts); i += packetLen {
		if int(ts[i+1]&31)<<8|int(ts[i+2]) == pidVideo {
			p := bytes.Clone(ts[i : i+packetLen])
			p[1], p[2] = p[1]&^31|byte(pid>>8), byte(pid)
			return p
		}
	}
	return nil
}

// zeros is a compressed run of n zero bytes.
func zeros(n int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	chunk := make([]byte, 1<<20)
	for ; n > 0; n -= len(chunk) {
		_, _ = w.Write(chunk[:min(n, len(chunk))]) // a Buffer takes all
	}
	_ = w.Close()
	return b.Bytes()
}

// matroskaBomb is a file whose one picture unpacks to n bytes.
func matroskaBomb(n int) []byte {
	number := func(v byte) []byte { return []byte{v} }
	track := bytes.Join([][]byte{
		element(0xd7, number(1)), element(0x73c5, number(1)), element(0x83, number(1)), element(0x86, []byte("V_MPEG4/ISO/AVC")),
		element(0xe0, bytes.Join([][]byte{element(0xb0, []byte{0, 64}), element(0xba, []byte{0, 48})}, nil)),
		element(0x6d80, element(0x6240, bytes.Join([][]byte{element(0x5031, number(0)), element(0x5032, number(1)), element(0x5033, number(0)),
			element(0x5034, element(0x4254, number(0)))}, nil))),
	}, nil)
	block := append([]byte{0x81, 0, 0, 0x80}, zeros(n)...)
	return bytes.Join([][]byte{
		element(idEBML, element(0x4282, []byte("matroska"))),
		element(idSegment, bytes.Join([][]byte{
			element(0x1549a966, element(0x2ad7b1, []byte{0x0f, 0x42, 0x40})),
			element(idTracks, element(idTrack, track)),
			element(idCluster, bytes.Join([][]byte{element(0xe7, number(0)), element(0xa3, block)}, nil)),
		}, nil)),
	}, nil)
}

// element is a Matroska element.
func element(id uint32, body []byte) []byte {
	var b []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if id>>shift != 0 {
			b = append(b, byte(id>>shift))
		}
	}
	b = append(b, 0x08|byte(len(body)>>32), byte(len(body)>>24), byte(len(body)>>16), byte(len(body)>>8), byte(len(body)))
	return append(b, body...)
}

// box is an MP4 box.
func box(name string, body ...[]byte) []byte {
	inner := bytes.Join(body, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(inner))), name...), inner...)
}

var ftyp = box("ftyp", []byte("isom\x00\x00\x02\x00isomiso2mp41"))

// moovBomb is a file whose compressed header unpacks to n bytes.
func moovBomb(n int) []byte {
	return append(bytes.Clone(ftyp), box("moov", box("cmov", box("dcom", []byte("zlib")),
		box("cmvd", binary.BigEndian.AppendUint32(nil, uint32(n)), zeros(n))))...)
}

func hugeBox() []byte {
	b := append(bytes.Clone(ftyp), 0, 0, 0, 1)
	b = append(b, "moov"...)
	b = binary.BigEndian.AppendUint64(b, 1<<63-1)
	return append(b, make([]byte, 1000)...)
}

func deepBoxes(n int) []byte {
	b := box("free")
	for range n {
		b = box("trak", b)
	}
	return append(bytes.Clone(ftyp), box("moov", b)...)
}

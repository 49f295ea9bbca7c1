package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"
)

// samples are well-formed frames of both directions.
func samples(t testing.TB) []Frame {
	t.Helper()
	encode := func(m any) []byte {
		p, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	pic := Picture{PTS: 132000, Key: true}
	pic.Luma[3] = 77
	limits := Limits{MaxPixels: 1, MaxStreams: 2, MaxFrames: 3, MaxDuration: time.Second, MaxOutput: 5}
	return []Frame{
		{Kind: KindTranscode, Job: 1, Payload: encode(Transcode{Ladder: []Profile{{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: "h264", Lookahead: -1}}, Continues: true, Limits: limits})},
		{Kind: KindMeasure, Job: 2, Payload: encode(Measure{Grid: true, Limits: limits})},
		{Kind: KindRemux, Job: 3, Payload: encode(Remux{Limits: limits})},
		{Kind: KindData, Job: 1, Payload: []byte("bytes of a segment")},
		{Kind: KindEnd, Job: 1},
		{Kind: KindCancel, Job: 2},
		{Kind: KindCredit, Job: 1<<32 - 1, Payload: Credit(131072)},
		{Kind: KindHello, Payload: encode(Hello{Version: Version, FFmpeg: "7.1.5", Layers: []string{"seccomp"}, Lacking: map[string]string{"landlock": "not supported"}})},
		{Kind: KindOutput, Rendition: 7, Job: 1, Payload: make([]byte, DataChunk)},
		{Kind: KindResult, Job: 1, Payload: encode(Result{Source: Stream{Codec: "h264", Frames: 60}, Renditions: []Rendition{{Name: "240p", Frames: 60}}, CPU: time.Second})},
		{Kind: KindGrids, Job: 2, Payload: AppendPicture(AppendPicture(nil, &pic), &Picture{PTS: -1})},
		{Kind: KindMeasurement, Job: 2, Payload: encode(Measurement{Codec: "h264", Width: 426, Audio: Audio{Codec: "aac", Hash: "00"}})},
		{Kind: KindRemuxed, Job: 3, Payload: encode(Remuxed{Bytes: 188})},
		{Kind: KindFailure, Job: 2, Payload: encode(Failure{Code: CodeBadMedia, Detail: "why", Limit: "max_streams=1"})},
	}
}

func TestRead_takesWhatAppendMade(t *testing.T) {
	t.Parallel()
	var stream []byte
	all := samples(t)
	for _, f := range all {
		stream = f.Append(stream)
	}
	r := bytes.NewReader(stream)
	for i, want := range all {
		got, err := Read(r)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if got.Kind != want.Kind || got.Rendition != want.Rendition || got.Job != want.Job || !bytes.Equal(got.Payload, want.Payload) {
			t.Errorf("frame %d is %+v, want %+v", i, got, want)
		}
		if parent := i < 7; got.Kind.FromParent() != parent || got.Kind.FromChild() != (i >= 6) {
			t.Errorf("frame %d: from parent %t, from child %t", i, got.Kind.FromParent(), got.Kind.FromChild())
		}
	}
	if _, err := Read(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestRead_refuses(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"kind 0":       {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},
		"unknown kind": {byte(kindEnd), 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},
		"reserved":     {3, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0},
		"rendition":    {3, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},
		"huge payload": {3, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255},
	} {
		if _, err := Read(bytes.NewReader(b)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, b := range [][]byte{{3, 0}, {3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 'a'}} {
		if _, err := Read(bytes.NewReader(b)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut short: %v", err)
		}
	}
}

func TestSlot_roundsToTheNearest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pts      int64
		num, den int
		slot     int64
		begins   int64
	}{{0, 30, 1, 0, 0}, {3000, 30, 1, 1, 3000}, {1500, 30, 1, 1, 3000}, {1499, 30, 1, 0, 0}, {132000, 30000, 1001, 44, 132132}, {3754, 24000, 1001, 1, 3754},
		{-1501, 30, 1, -1, -3000}, {1<<33 - 1, 120, 1, 11453246, 1<<33 - 92}} {
		if got := Slot(tc.pts, tc.num, tc.den); got != tc.slot {
			t.Errorf("Slot(%d, %d/%d) is %d, want %d", tc.pts, tc.num, tc.den, got, tc.slot)
		}
		if got := SlotPTS(tc.slot, tc.num, tc.den); got != tc.begins {
			t.Errorf("SlotPTS(%d, %d/%d) is %d, want %d", tc.slot, tc.num, tc.den, got, tc.begins)
		}
	}
}

// FuzzRead reads any bytes as frames of either direction: no panic, no payload beyond the limit, and what is read is written
// back as it was.
func FuzzRead(f *testing.F) {
	var all []byte
	for _, s := range samples(f) {
		f.Add(s.Append(nil))
		all = s.Append(all)
	}
	f.Add(all)
	f.Add(all[:len(all)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		for at := 0; ; {
			fr, err := Read(r)
			if err != nil {
				return
			}
			again := fr.Append(nil)
			if !bytes.Equal(again, b[at:at+len(again)]) {
				t.Fatalf("read %+v", fr)
			}
			at += len(again)
			decodePayload(t, fr)
		}
	})
}

// decodePayload decodes the payload as its kind says; what decodes must survive another round.
func decodePayload(t *testing.T, f Frame) {
	t.Helper()
	round := func(m, again any) {
		if Decode(f.Payload, m) != nil {
			return
		}
		p, err := Encode(m)
		if err != nil { // a long text grew by escapes
			return
		}
		if err := Decode(p, again); err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v came back as %+v: %v", m, again, err)
		}
	}
	switch f.Kind {
	case KindTranscode:
		round(new(Transcode), new(Transcode))
	case KindMeasure:
		round(new(Measure), new(Measure))
	case KindRemux:
		round(new(Remux), new(Remux))
	case KindRemuxed:
		round(new(Remuxed), new(Remuxed))
	case KindHello:
		round(new(Hello), new(Hello))
	case KindResult:
		round(new(Result), new(Result))
	case KindMeasurement:
		round(new(Measurement), new(Measurement))
	case KindFailure:
		round(new(Failure), new(Failure))
	case KindCredit:
		if n, err := DecodeCredit(f.Payload); err == nil && !bytes.Equal(Credit(n), f.Payload) {
			t.Fatalf("credit %d", n)
		}
	case KindGrids:
		pictures, err := DecodePictures(f.Payload)
		if err != nil {
			return
		}
		var again []byte
		for i := range pictures {
			again = AppendPicture(again, &pictures[i])
		}
		if !bytes.Equal(again, f.Payload) {
			t.Fatal("pictures changed")
		}
	}
}

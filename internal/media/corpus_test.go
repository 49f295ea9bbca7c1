package media_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/corpus"
	"github.com/kinora/kinora/internal/protocol"
)

// Sizes of the corpus: a sample in an ordinary run, all of it with KINORA_CORPUS=all.
func corpusSize() (cuts, variants int) {
	if os.Getenv("KINORA_CORPUS") == "all" {
		return 0, 40
	}
	return 6, 2
}

// blame are the codes a segment may be refused with: each says what is wrong with it.
var blame = map[protocol.Code]bool{protocol.EmptySegment: true, protocol.BadMedia: true, protocol.NoVideo: true, protocol.NoKeyframe: true,
	protocol.SegmentTooLarge: true, protocol.SegmentTooLong: true, protocol.TooManyPixels: true, protocol.UnsupportedCodec: true}

// inDeadline is far more than any case needs: whoever uses it up hangs.
const inDeadline = 30 * time.Second

func TestCorpus_isRefusedByNameOrTranscodedTruly(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	pid := c.Pid()
	for _, tc := range corpus.All(corpusSize()) {
		t.Run(tc.Name, func(t *testing.T) {
			try(t, c, tc)
			if c.Pid() != pid {
				t.Fatal("the child is another")
			}
		})
	}
	if res, _ := transcode(t, c, protocol.Ladder{rung(36, 100_000)}, corpus.Seed("h264-aac.ts"), false); res.Renditions[0].Frames != 12 {
		t.Errorf("afterwards: %+v", res.Renditions[0])
	}
}

// try transcodes and measures one case.
func try(t testing.TB, c *media.Child, tc corpus.Case) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), inDeadline)
	defer cancel()
	var o outputs
	res, err := c.Transcode(ctx, media.Job{Ladder: protocol.Ladder{rung(36, 100_000)}, Source: bytes.NewReader(tc.Bytes), Out: o.take})
	if _, measureErr := c.Measure(ctx, bytes.NewReader(tc.Bytes), media.MeasureOptions{Grid: true}); measureErr != nil && !blame[protocol.CodeOf(measureErr)] {
		t.Fatalf("measuring it: %v", measureErr)
	}
	if err != nil {
		var typed *media.Error
		switch {
		case !errors.As(err, &typed) || !blame[typed.Code] || typed.Detail == "":
			t.Fatalf("not the segment is blamed: %v", err)
		case tc.Want == corpus.Good:
			t.Fatalf("a good segment is refused: %v", err)
		}
		return
	}
	if tc.Want == corpus.Refused {
		t.Fatalf("%d pictures came of it", res.Renditions[0].Frames)
	}
	r := res.Renditions[0]
	if res.Source.Frames == 0 || r.Frames != res.Source.Frames {
		t.Fatalf("%d pictures of %d", r.Frames, res.Source.Frames)
	}
	out, err := c.Measure(ctx, bytes.NewReader(o.got[0]), media.MeasureOptions{Grid: true})
	if err != nil {
		t.Fatalf("measuring what came of it: %v", err)
	}
	if len(out.Frames) != r.Frames || out.Damaged != 0 || out.Height != 36 || out.OtherSize != 0 || out.DTSBackwards != 0 || !out.KeyframeAt0 {
		t.Fatalf("what came of it: %d pictures of %d, %+v", len(out.Frames), r.Frames, out.Measurement)
	}
}

// A text that names other media makes nobody open it: not the file, which stands there, nor the address, which listens.
func TestCorpus_playlistsReachNothing(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
			t.Error("the child asked for what a playlist names")
		}
	}()
	file := filepath.Join(t.TempDir(), "x.ts")
	if err := os.WriteFile(file, corpus.Seed("h264-aac.ts"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := start(t, media.Limits{})
	for name, text := range corpus.Playlists("http://"+listener.Addr().String()+"/x.ts", file) {
		_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(36, 100_000)}, Source: bytes.NewReader([]byte(text)), Out: func(int, []byte) error { return nil }})
		if protocol.CodeOf(err) != protocol.BadMedia {
			t.Errorf("%s: %v", name, err)
		}
		_, err = c.Measure(background, bytes.NewReader([]byte(text)), media.MeasureOptions{Grid: true})
		if protocol.CodeOf(err) != protocol.BadMedia {
			t.Errorf("%s, measured: %v", name, err)
		}
	}
	if files, err := filepath.Glob("/proc/" + strconv.Itoa(c.Pid()) + "/fd/*"); err != nil || len(files) > 16 {
		t.Errorf("the child has %d files open: %v", len(files), err)
	}
	listener.Close()
	<-asked
}

// FuzzChild sends what the fuzzer makes of the corpus through a child, whole path: one that dies, hangs or blames anything
// but the segment fails it.
func FuzzChild(f *testing.F) {
	for _, tc := range append(corpus.Seeds(), corpus.Timed()...) {
		if len(tc.Bytes) < 32<<10 {
			f.Add(tc.Bytes)
		}
	}
	c := start(f, media.Limits{})
	f.Fuzz(func(t *testing.T, segment []byte) {
		try(t, c, corpus.Case{Bytes: segment, Want: corpus.Either})
	})
}

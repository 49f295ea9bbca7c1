package media_test

import (
	"bytes"
	"image"
	_ "image/jpeg"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

func TestStill_isTheFirstPictureInItsShape(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	white := mediatest.Segments(t, mediatest.Spec{Width: 180, Height: 240, SegmentSeconds: 0.5, Picture: "color=c=white", NoClock: true})[0].Bytes
	for name, tc := range map[string]struct {
		segment       []byte
		still         media.Still
		width, height int
		kind          string
	}{
		"jpeg":          {white, media.Still{Format: "jpeg", Width: 160, Height: 90}, 68, 90, "\xff\xd8\xff"},
		"webp":          {white, media.Still{Format: "webp", Width: 160, Height: 90}, 68, 90, "RIFF"},
		"HDR10 as jpeg": {clip(t, "ts", hdr10), media.Still{Format: "jpeg", Width: 160, Height: 90}, 160, 90, "\xff\xd8\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := c.Measure(t.Context(), bytes.NewReader(tc.segment), media.MeasureOptions{Still: tc.still})
			if err != nil {
				t.Fatal(err)
			}
			res, err := c.Transcode(t.Context(), media.Job{Ladder: protocol.Ladder{rung(90, 100_000)}, Source: bytes.NewReader(tc.segment), Still: tc.still, Out: func(int, []byte) error { return nil }})
			if err != nil {
				t.Fatal(err)
			}
			for by, b := range map[string][]byte{"measure": m.Still, "transcode": res.Still} {
				if !bytes.HasPrefix(b, []byte(tc.kind)) {
					t.Fatalf("%s: %d bytes: % x", by, len(b), b[:min(8, len(b))])
				}
				if tc.still.Format == "webp" {
					if got := probe(t, b)["video"]; got.Width != tc.width || got.Height != tc.height {
						t.Errorf("%s: %d×%d, want %d×%d", by, got.Width, got.Height, tc.width, tc.height)
					}
					continue
				}
				p, _, err := image.Decode(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Bounds().Size(); got != image.Pt(tc.width, tc.height) || !bytes.HasSuffix(b, []byte{0xff, 0xd9}) {
					t.Errorf("%s: %v, want %d×%d", by, got, tc.width, tc.height)
				}
				if r, g, b, _ := p.At(30, 40).RGBA(); bytes.Equal(tc.segment, white) && min(r, g, b) < 0xf800 {
					t.Errorf("%s: white is %x %x %x", by, r, g, b)
				}
			}
		})
	}
	for _, bad := range []media.Still{{Format: "png", Width: 160, Height: 90}, {Format: "jpeg", Width: 8, Height: 90}, {Format: "webp", Width: 160, Height: 9000}} {
		_, err := c.Measure(t.Context(), bytes.NewReader(white), media.MeasureOptions{Still: bad})
		wantCode(t, err, protocol.BadLadder)
	}
}

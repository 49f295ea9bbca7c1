package media_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

func TestProbe_encodesAndDecodesForReal(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for name, p := range map[string]media.Probe{
		"encode":       {Encoder: "libx264", Width: 320, Height: 180, Frames: 20, Options: map[string]string{"preset": "ultrafast"}},
		"decode":       {Encoder: "mpeg2video", Decoder: "mpeg2video", Width: 320, Height: 180, Frames: 20},
		"encode sound": {Encoder: "aac", Frames: 50},
		"decode sound": {Encoder: "libopus", Decoder: "libopus", Frames: 50},
	} {
		p.Budget = 10 * time.Second
		got, err := c.Probe(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Frames < p.Frames-1 || got.Frames > p.Frames+1 || got.Bytes == 0 || got.Took <= 0 { // sound has a frame of priming
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestProbe_saysWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for _, tc := range []struct {
		p    media.Probe
		code protocol.Code
		says string
	}{
		{media.Probe{Encoder: "libx999", Width: 64, Height: 64, Frames: 1}, protocol.UnsupportedCodec, "no encoder"},
		{media.Probe{Encoder: "libx264", Decoder: "h999", Width: 64, Height: 64, Frames: 1}, protocol.UnsupportedCodec, "no decoder"},
		{media.Probe{Encoder: "libx264", Width: 64, Height: 64, Frames: 1, Options: map[string]string{"colour": "green"}}, protocol.BadLadder, "colour=green"},
		{media.Probe{Encoder: "libx264", Width: 64, Frames: 1}, protocol.BadLadder, "64×0"},
		{media.Probe{Encoder: "libx264", Width: 64, Height: 64, Frames: 1 << 20}, protocol.BadLadder, "want 1 to"},
		{media.Probe{Encoder: "h264_vaapi", Device: "/dev/dri/renderD999", Width: 64, Height: 64, Frames: 1}, protocol.UnsupportedCodec, "/dev/dri/renderD999"},
		{media.Probe{Encoder: "libx264", Decoder: "h264", Device: "/dev/dri/renderD999", Width: 64, Height: 64, Frames: 1}, protocol.UnsupportedCodec, "/dev/dri/renderD999"},
	} {
		tc.p.Budget = time.Second
		_, err := c.Probe(t.Context(), tc.p)
		if protocol.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: %v, want %s with %q", tc.p, err, tc.code, tc.says)
		}
	}
	select {
	case <-c.Done():
		t.Error("a probe that failed took its child with it")
	default:
	}
}

func TestProbe_keepsToItsBudgetAndIsCancelled(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{CancelGrace: time.Minute})
	slow := media.Probe{Encoder: "libx264", Width: 640, Height: 360, Frames: 1000, Threads: 1, Budget: time.Nanosecond, Options: map[string]string{"preset": "medium"}}
	if got, err := c.Probe(t.Context(), slow); err != nil || got.Frames != 1 {
		t.Errorf("%+v, %v: want one picture", got, err)
	}
	slow.Budget = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // a thousand pictures take many seconds
	defer cancel()
	if _, err := c.Probe(ctx, slow); protocol.CodeOf(err) != protocol.DeadlineExceeded || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Probe(t.Context(), media.Probe{Encoder: "libx264", Width: 64, Height: 64, Frames: 2, Budget: time.Second}); err != nil {
		t.Errorf("after a cancel: %v", err)
	}
}

func TestProbe_countsSessionsAtOnce(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	got, err := c.Probe(t.Context(), media.Probe{Encoder: "libx264", Width: 128, Height: 72, Frames: 1, Sessions: 5, Threads: 1, Budget: time.Minute})
	if err != nil || got.Sessions != 5 || got.Refused != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

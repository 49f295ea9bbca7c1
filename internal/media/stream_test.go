package media_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// halted gives the first part of a source at once, and the rest when it is let go on.
type halted struct {
	first, rest *bytes.Reader
	on          chan struct{}
	late        time.Duration
	overdue     bool // it went on by itself
}

func (h *halted) Read(p []byte) (int, error) {
	if h.first.Len() > 0 {
		return h.first.Read(p)
	}
	select {
	case <-h.on:
	case <-time.After(h.late):
		h.overdue = true
	}
	return h.rest.Read(p)
}

// TestTranscode_givesMediaBeforeTheSourceIsWhole holds the source back until every rendition has given some.
func TestTranscode_givesMediaBeforeTheSourceIsWhole(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 6})
	profile := func(name string, change func(*protocol.Profile)) protocol.Profile {
		p := rung(144, 200_000)
		p.Name, p.Preset = name, "veryfast"
		change(&p)
		return p
	}
	ladder := protocol.Ladder{
		profile("ts", func(*protocol.Profile) {}),
		profile("fmp4", func(p *protocol.Profile) { p.Container, p.PartMillis = "fmp4", 200 }),
		profile("zero-ts", func(p *protocol.Profile) { p.Lookahead = -1 }),
		profile("zero-fmp4", func(p *protocol.Profile) { p.Lookahead, p.Container, p.PartMillis = -1, "fmp4", 100 }),
		profile("hevc", func(p *protocol.Profile) { p.Codec, p.Preset = "hevc", "ultrafast" }),
		profile("av1", func(p *protocol.Profile) {
			p.Codec, p.Container, p.PartMillis, p.AudioCodec = "av1", "fmp4", 200, "opus"
		}),
		{Name: "sound", Codec: protocol.H264, AudioCodec: "aac", Container: "fmp4", PartMillis: 200},
	}
	c := start(t, media.Limits{})
	for k, s := range segments {
		cut := len(s.Bytes) * 3 / 5
		source := &halted{first: bytes.NewReader(s.Bytes[:cut]), rest: bytes.NewReader(s.Bytes[cut:]), on: make(chan struct{}), late: 20 * time.Second}
		waiting := make(map[int]bool)
		for i := range ladder {
			waiting[i] = true
		}
		var o outputs
		if _, err := c.Transcode(t.Context(), media.Job{Ladder: ladder, Source: io.Reader(source), Continues: k > 0, Out: func(i int, p []byte) error {
			err := o.take(i, p)
			if waiting[i] && (ladder[i].Container != "fmp4" || bytes.Contains(o.got[i], []byte("mdat"))) {
				if delete(waiting, i); len(waiting) == 0 {
					close(source.on)
				}
			}
			return err
		}}); err != nil {
			t.Fatal(err)
		}
		if source.overdue {
			for i := range ladder {
				t.Logf("%s: %d bytes", ladder[i].Name, len(o.got[i]))
			}
			t.Fatalf("segment %d: a rendition gave nothing before the source was whole", k)
		}
	}
}

package media_test

import (
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// saidBy is what the captions of a rendition in any container say.
func saidBy(t *testing.T, name string, b []byte) string {
	t.Helper()
	out, _ := mediatest.Run(t, nil, mediatest.FFmpeg(t), "-v", "error", "-f", "lavfi", "-i", "movie="+write(t, name, b)+"[out0+subcc]", "-map", "0:1", "-f", "webvtt", "-")
	return string(out)
}

func TestCaptions_areCarriedByOtherEncodersAndContainers(t *testing.T) {
	t.Parallel()
	const text = "THE QUICK BROWN FOX SAYS KINORA"
	source := captioned(t, text)
	c := start(t, media.Limits{})
	ladder := protocol.Ladder{sized(256, 144), sized(256, 144), sized(256, 144), sized(256, 144)}
	for i, change := range []func(*protocol.Profile){
		func(p *protocol.Profile) { p.Container, p.Name = "fmp4", "h264-fmp4" },
		func(p *protocol.Profile) { p.Codec, p.Name = "hevc", "hevc" },
		func(p *protocol.Profile) {
			p.Codec, p.Container, p.CodecProfile, p.Name = "hevc", "fmp4", "main10", "hevc-fmp4"
		},
		func(p *protocol.Profile) {
			p.Codec, p.Lookahead, p.Fit, p.Height, p.Name = "hevc", -1, "pad", 256, "zero"
		},
	} {
		change(&ladder[i])
	}
	_, out := transcode(t, c, ladder, source, false)
	for i, p := range ladder {
		name := "x.ts"
		if p.Container == "fmp4" {
			name = "x.mp4"
		}
		if got := saidBy(t, name, out[i]); !strings.Contains(got, text) {
			t.Errorf("%s says %q", p.Name, got)
		}
	}
}

func TestColours_areCarriedOrMappedAsTheProfileAsks(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	segment := clip(t, "ts", hdr10)
	_, source := shownBy(t, segment)
	const high, standard = "tv bt2020nc bt2020 smpte2084", "tv bt709 bt709 bt709"
	profile := func(name string, want string, change func(*protocol.Profile)) (protocol.Profile, string) {
		p := sized(256, 144)
		p.Name = name
		change(&p)
		return p, want
	}
	var ladder protocol.Ladder
	var wants []string
	add := func(p protocol.Profile, want string) { ladder, wants = append(ladder, p), append(wants, want) }
	add(profile("hevc", high, func(p *protocol.Profile) { p.Codec, p.CodecProfile = "hevc", "main10" }))
	add(profile("hevc-fmp4", high, func(p *protocol.Profile) {
		p.Codec, p.CodecProfile, p.Container, p.DynamicRange = "hevc", "main10", "fmp4", "source"
	}))
	add(profile("av1", high, func(p *protocol.Profile) { p.Codec, p.Container = "av1", "fmp4" }))
	add(profile("sdr", standard, func(p *protocol.Profile) { p.DynamicRange = "sdr" }))
	add(profile("sdr-small", standard, func(p *protocol.Profile) { p.DynamicRange, p.Width, p.Height = "sdr", 160, 90 }))
	add(profile("sdr-hevc", standard, func(p *protocol.Profile) {
		p.Codec, p.CodecProfile, p.DynamicRange, p.Container = "hevc", "main10", "sdr", "fmp4"
	}))
	_, out := transcode(t, c, ladder, segment, false)
	for i, p := range ladder {
		colours, side := shownBy(t, out[i])
		if colours != wants[i] {
			t.Errorf("%s: %s, want %s", p.Name, colours, wants[i])
		}
		for _, kind := range []string{"Mastering display metadata", "Content light level metadata"} {
			if wants[i] == standard {
				if side[kind] != "" {
					t.Errorf("%s: %s is %q", p.Name, kind, side[kind])
				}
			} else if source[kind] == "" || side[kind] != source[kind] && p.Codec != protocol.AV1 { // which rounds it its own way
				t.Errorf("%s: %s is %q, source's %q", p.Name, kind, side[kind], source[kind])
			} else if side[kind] == "" {
				t.Errorf("%s: no %s", p.Name, kind)
			}
		}
	}
	// What is mapped is neither black nor washed out, and its rungs agree.
	var grids []*media.Measurement
	for i := range ladder {
		if wants[i] == standard {
			grids = append(grids, measure(t, c, out[i], true))
		}
	}
	for i, g := range grids[1:] {
		if d := sameness(t, grids[0], g); d > 6 { // the grid of ten bits ends at black, which mapping exceeds
			t.Errorf("mapped rendition %d differs by %.1f from the first", i+1, d)
		}
	}
	if d := sameness(t, measure(t, c, out[0], true), grids[0]); d < 3 {
		t.Errorf("mapping changes pictures by %.1f only", d)
	}
}

package devices_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

// survey is what a machine of two NVIDIA cards, an AMD one and an Intel GPU answered.
func survey(t *testing.T) (found []devices.Codec, on []devices.Device) {
	t.Helper()
	b, err := os.ReadFile("testdata/survey.json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Codecs  []devices.Codec
		Devices []devices.Device
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r.Codecs, r.Devices
}

// only are the devices at those paths.
func only(on []devices.Device, paths ...string) []devices.Device {
	return slices.DeleteFunc(slices.Clone(on), func(d devices.Device) bool { return !slices.Contains(paths, d.Path) })
}

func ladderOf(codec protocol.Codec) protocol.Ladder {
	return protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Codec: codec}, {Name: "720p", Width: 1280, Height: 720, Codec: codec}, {Name: "480p", Width: 854, Height: 480, Codec: codec}}
}

func TestChoose_takesWhatTheCardWasFoundToMake(t *testing.T) {
	t.Parallel()
	found, on := survey(t)
	deep := ladderOf(protocol.HEVC)
	deep[1].CodecProfile = "main10"
	mixed := ladderOf(protocol.H264)
	mixed[2].Codec = protocol.AV1
	tiny := append(ladderOf(protocol.H264), protocol.Profile{Name: "90p", Width: 160, Height: 90, Codec: protocol.H264}, protocol.Profile{Name: "sound"})
	const first, second, amd, intel = "/dev/nvidia0", "/dev/nvidia1", "/dev/dri/renderD129", "/dev/dri/renderD130"
	for name, tc := range map[string]struct {
		on     []devices.Device
		used   map[string]int
		ladder protocol.Ladder
		device string
		made   string
	}{
		"no device":                         {nil, nil, ladderOf(protocol.H264), "", ""},
		"every rung":                        {only(on, first), nil, ladderOf(protocol.H264), first, "h264_nvenc h264_nvenc h264_nvenc"},
		"a codec that the card lacks":       {only(on, first), nil, ladderOf(protocol.AV1), "", ""},
		"one rung of such a codec":          {only(on, first), nil, mixed, first, "h264_nvenc h264_nvenc -"},
		"the card that makes all of it":     {only(on, first, second), nil, mixed, second, "h264_nvenc h264_nvenc av1_nvenc"},
		"the largest below the ceiling":     {only(on, first), map[string]int{first: 4}, ladderOf(protocol.H264), first, "- h264_nvenc h264_nvenc"},
		"beyond the ceiling":                {only(on, first), map[string]int{first: 7}, ladderOf(protocol.H264), "", ""},
		"the next card":                     {only(on, first, amd), map[string]int{first: 7}, ladderOf(protocol.H264), amd, "h264_vaapi h264_vaapi h264_vaapi"},
		"a card without a ceiling":          {only(on, second), map[string]int{second: 500}, ladderOf(protocol.H264), second, "h264_nvenc h264_nvenc h264_nvenc"},
		"the one with less to do":           {only(on, second, amd), map[string]int{second: 30, amd: 2}, ladderOf(protocol.H264), amd, "h264_vaapi h264_vaapi h264_vaapi"},
		"the faster, where both are idle":   {only(on, amd, second), nil, ladderOf(protocol.H264), second, "h264_nvenc h264_nvenc h264_nvenc"},
		"the better of two ways to one GPU": {only(on, intel), nil, ladderOf(protocol.HEVC), intel, "hevc_qsv hevc_qsv hevc_qsv"},
		"10 bit, which was not tried":       {only(on, first), nil, deep, first, "hevc_nvenc - hevc_nvenc"},
		"neither the smallest, nor sound":   {only(on, first), nil, tiny, first, "h264_nvenc h264_nvenc h264_nvenc - -"},
	} {
		got := devices.Choose(found, tc.on, tc.used, tc.ladder)
		made := slices.Clone(got.Encoders)
		for i := range made {
			if made[i] == "" {
				made[i] = "-"
			}
		}
		if got.Device.Path != tc.device || strings.Join(made, " ") != tc.made {
			t.Errorf("%s: %s on %q, want %s on %q", name, strings.Join(made, " "), got.Device.Path, tc.made, tc.device)
		}
		if n := len(slices.DeleteFunc(slices.Clone(got.Encoders), func(s string) bool { return s == "" })); got.Sessions != 2*n {
			t.Errorf("%s: %d sessions for %d rungs", name, got.Sessions, n)
		}
	}
}

func TestDevice_saysWhatAChildIsToBeGiven(t *testing.T) {
	t.Parallel()
	_, on := survey(t)
	for path, want := range map[string]string{
		"/dev/nvidia1":        "/dev/nvidiactl /dev/nvidia-uvm /dev/nvidia-uvm-tools /dev/nvidia1 GPU-77c1f6a0-0d1b-4be3-a5b8-1e0f9d2c4b6a cuda:0",
		"/dev/dri/renderD129": "/dev/dri/renderD129  vaapi:/dev/dri/renderD129",
	} {
		d := only(on, path)[0]
		if got := strings.Join(append(d.Nodes(), d.Card(), d.Engine()), " "); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if d := (devices.Device{Kind: devices.NVENC, Path: "/dev/nvidia2"}); d.Engine() != "cuda:2" || d.Card() != "" {
		t.Errorf("a card without a UUID is %s", d.Engine())
	}
}

func TestCards_spreadLeasesAndTakeThemBack(t *testing.T) {
	t.Parallel()
	found, on := survey(t)
	c := devices.NewCards()
	if choice, release := c.Take(ladderOf(protocol.H264)); choice.Device.Path != "" {
		t.Errorf("%+v before anything is known", choice)
	} else {
		release()
	}
	c.Use(found, only(on, "/dev/nvidia0", "/dev/nvidia1"))
	var releases []func()
	lent := make(map[string]int)
	for range 12 {
		choice, release := c.Take(ladderOf(protocol.H264))
		lent[choice.Device.Path]++
		releases = append(releases, release)
	}
	if lent["/dev/nvidia0"] != 1 || lent["/dev/nvidia1"] != 11 { // one ladder is all that the first has sessions for
		t.Errorf("lent %v", lent)
	}
	for _, release := range releases {
		release()
		release() // once counts
	}
	if choice, _ := c.Take(ladderOf(protocol.H264)); choice.Device.Path != "/dev/nvidia1" {
		t.Errorf("%+v when all came back", choice)
	}
}

func TestCards_areTriedAgainAfterTheyFailed(t *testing.T) {
	t.Parallel()
	found, on := survey(t)
	synctest.Test(t, func(t *testing.T) {
		c := devices.NewCards()
		c.Use(found, only(on, "/dev/nvidia0"))
		card := c.Devices()[0]
		full := capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: 1000}, {Codec: protocol.AV1, PixelRate: 50}}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		back := make(chan time.Time, 4)
		var tries []time.Duration
		begun := time.Now()
		broken := true
		go func() {
			ended <- c.Mend(ctx, func(_ context.Context, d devices.Device) error {
				tries = append(tries, time.Since(begun))
				if broken = broken && len(tries) < 3; broken {
					return errors.New("still broken")
				}
				return nil
			}, func(d devices.Device) { back <- time.Now() })
		}()
		if got := c.Rates(full); got.Encode[0].PixelRate != 1000 {
			t.Errorf("rates %+v while it works", got)
		}
		if !c.Fail(card, time.Now()) || c.Fail(card, time.Now()) {
			t.Error("it fails once")
		}
		if choice, _ := c.Take(ladderOf(protocol.H264)); choice.Device.Path != "" {
			t.Errorf("%+v is lent after it failed", choice)
		}
		if got := c.Rates(full); got.Encode[0].PixelRate >= 500 || got.Encode[0].PixelRate == 0 || got.Encode[1].PixelRate != 50 || full.Encode[0].PixelRate != 1000 {
			t.Errorf("rates %+v without it, want less of what it made and all of the rest", got)
		}
		if at := (<-back).Sub(begun); at != 5*time.Second+10*time.Second+20*time.Second {
			t.Errorf("it was back after %s, tried after %v", at, tries)
		}
		if choice, release := c.Take(ladderOf(protocol.H264)); choice.Device.Path != card.Path {
			t.Errorf("%+v after it was mended", choice)
		} else {
			release()
		}
		begun = time.Now()
		c.Fail(card, begun) // soon again: it is tried later
		if at := (<-back).Sub(begun); at != 40*time.Second {
			t.Errorf("it was back after %s", at)
		}
		time.Sleep(time.Hour)
		begun = time.Now()
		c.Fail(card, begun)
		if at := (<-back).Sub(begun); at != 5*time.Second {
			t.Errorf("it was back after %s though it worked for an hour", at)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

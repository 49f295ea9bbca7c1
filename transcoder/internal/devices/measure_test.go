package devices_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

// encoder reads the source and claims frames of the ladder.
func encoder(frames int, fail error) devices.EncodeFunc {
	return func(_ context.Context, job media.Job) (*media.Result, error) {
		if fail != nil {
			return nil, fail
		}
		if _, err := io.Copy(io.Discard, job.Source); err != nil {
			return nil, err
		}
		r := &media.Result{}
		for i, p := range job.Ladder {
			if err := job.Out(i, []byte("x")); err != nil {
				return nil, err
			}
			r.Renditions = append(r.Renditions, media.Rendition{Frames: frames, Pixels: int64(frames) * int64(p.Width) * int64(p.Height)})
		}
		return r, nil
	}
}

func TestCalibrate_failsWithItsEncoder(t *testing.T) {
	t.Parallel()
	if rate, err := devices.Calibrate(t.Context(), encoder(30, nil), protocol.H264); err != nil || rate == 0 {
		t.Errorf("%d, %v", rate, err)
	}
	broken := errors.New("broken")
	if _, err := devices.Calibrate(t.Context(), encoder(30, broken), protocol.H264); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if err := devices.Check(t.Context(), encoder(0, nil), protocol.H264); err == nil {
		t.Error("an encoder that makes nothing passed")
	}
}

func tuning(rate uint64) devices.Tuning {
	return devices.Tuning{Machine: devices.Machine{CPU: "a", CPUs: 2, FFmpeg: "7.1", Program: "p", Devices: []string{"nvenc /dev/nvidia0 GPU-1"}}, Method: devices.BySearch,
		Rates: capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: rate}}}, At: time.Unix(1, 0).UTC()}
}

func TestTuning_isKeptWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, ok := devices.Kept(dir); ok {
		t.Error("a tuning from nowhere")
	}
	if err := devices.Keep(dir, tuning(1000)); err != nil {
		t.Fatal(err)
	}
	if kept, ok := devices.Kept(dir); !ok || !kept.Machine.Same(tuning(1).Machine) || !slices.Equal(kept.Rates.Encode, tuning(1000).Rates.Encode) {
		t.Errorf("kept %+v", kept)
	}
	for _, torn := range []string{"{", "{}", `{"rates":{"encode":[{"codec":"h264","pixel_rate":0}]}}`, `{"rates":{"encode":[{"codec":"h263","pixel_rate":5}]}}`} {
		if err := os.WriteFile(filepath.Join(dir, "tuning.json"), []byte(torn), 0o600); err != nil {
			t.Fatal(err)
		}
		if kept, ok := devices.Kept(dir); ok {
			t.Errorf("%s was taken for %+v", torn, kept)
		}
	}
}

func TestTuning_holdsForTheSameMachineOnly(t *testing.T) {
	t.Parallel()
	was := tuning(1)
	for name, change := range map[string]func(*devices.Machine){
		"cpu": func(m *devices.Machine) { m.CPU = "b" }, "cores": func(m *devices.Machine) { m.CPUs++ }, "ffmpeg": func(m *devices.Machine) { m.FFmpeg = "8" },
		"program": func(m *devices.Machine) { m.Program = "q" }, "devices": func(m *devices.Machine) { m.Devices = nil },
	} {
		is := tuning(1)
		change(&is.Machine)
		if is.Machine.Same(was.Machine) || is.Against(was) != nil {
			t.Errorf("another %s is taken for the same machine", name)
		}
	}
}

func TestTuning_saysWhatDrifted(t *testing.T) {
	t.Parallel()
	for is, alarm := range map[uint64]bool{1000: false, 1500: false, 851: false, 849: true, 0: true} {
		now := tuning(is)
		if is == 0 {
			now.Rates.Encode = nil
		}
		if d := now.Against(tuning(1000)); len(d) != 1 || d[0].Alarm != alarm || d[0].Is != is {
			t.Errorf("from 1000 to %d: %+v", is, d)
		}
	}
}

// machine holds so many streams at once; with more, each falls behind.
type machine struct {
	holds   int32
	running atomic.Int32
	most    atomic.Int32
}

func (m *machine) open(context.Context) (devices.EncodeFunc, func(), error) {
	n := m.running.Add(1)
	for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
	}
	return func(ctx context.Context, job media.Job) (*media.Result, error) {
		if _, err := io.Copy(io.Discard, job.Source); err != nil {
			return nil, err
		}
		if over := m.running.Load() - m.holds; over > 0 { // each segment takes longer than it lasts
			select {
			case <-time.After(time.Second + 300*time.Millisecond):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		return &media.Result{}, nil
	}, func() { m.running.Add(-1) }, nil
}

func TestSearch_findsHowManyStreamsHoldRealTime(t *testing.T) {
	t.Parallel()
	m := &machine{holds: 5}
	var tried []int
	held, err := devices.Search{Open: m.open, Ladder: devices.Ladder(protocol.H264), Soak: time.Second, Most: 64, Guess: 2,
		Tried: func(n int, _ bool) { tried = append(tried, n) }}.Run(t.Context())
	if err != nil || held.Streams != 5 || held.Limit != devices.LimitPace {
		t.Errorf("%+v, %v after trying %v, want 5 held back by pace", held, err, tried)
	}
	if m.running.Load() != 0 || m.most.Load() > 8 {
		t.Errorf("%d sessions are left open; at most %d were", m.running.Load(), m.most.Load())
	}
}

func TestSearch_endsWhereItIsToldOrRefused(t *testing.T) {
	t.Parallel()
	m := &machine{holds: 1000}
	held, err := devices.Search{Open: m.open, Ladder: devices.Ladder(protocol.H264), Soak: time.Second, Most: 3, Guess: 2}.Run(t.Context())
	if err != nil || held.Streams != 3 || held.Limit != devices.LimitMost {
		t.Errorf("%+v, %v", held, err)
	}
	refuses := func(ctx context.Context) (devices.EncodeFunc, func(), error) {
		if m.running.Load() >= 2 {
			return nil, nil, protocol.Errorf(protocol.UnsupportedCodec, "no more sessions on this card")
		}
		return m.open(ctx)
	}
	if held, err = (devices.Search{Open: refuses, Ladder: devices.Ladder(protocol.H264), Soak: time.Second, Most: 8, Guess: 1}).Run(t.Context()); err != nil || held.Streams != 2 || !strings.Contains(held.Limit, "no more sessions") {
		t.Errorf("%+v, %v", held, err)
	}
	broken := func(context.Context) (devices.EncodeFunc, func(), error) { return nil, nil, errors.New("broken") }
	if _, err := (devices.Search{Open: broken, Soak: time.Second, Most: 8}).Run(t.Context()); err == nil {
		t.Error("a machine that opens nothing passed")
	}
}

// prober answers as a child would.
type prober struct {
	refuse map[string]error // by FFmpeg's name of what is tried
	most   int              // sessions of an encoder in hardware
	tried  []media.Probe
}

func (p *prober) Probe(_ context.Context, r media.Probe) (*media.Probed, error) {
	p.tried = append(p.tried, r)
	name := r.Encoder
	if r.Decoder != "" {
		name = r.Decoder
	}
	if err := p.refuse[name]; err != nil {
		return nil, err
	}
	if r.Sessions > p.most && p.most > 0 {
		return &media.Probed{Sessions: p.most, Refused: "no more"}, nil
	}
	return &media.Probed{Frames: r.Frames, Took: time.Second, Sessions: max(r.Sessions, 1)}, nil
}

func TestSurvey_triesEveryCodecOnEveryDevice(t *testing.T) {
	t.Parallel()
	p := &prober{most: 8, refuse: map[string]error{
		"libx265":   protocol.Errorf(protocol.UnsupportedCodec, "this build of FFmpeg has no encoder libx265"),
		"av1_nvenc": protocol.Errorf(protocol.UnsupportedCodec, "av1_nvenc cannot be opened: Function not implemented"),
	}}
	on := []devices.Device{{}, {Kind: devices.NVENC, Path: "/dev/nvidia1", ID: "GPU-2"}, {Kind: devices.VAAPI, Path: "/dev/dri/renderD128", Missing: "libva.so.2", Fix: "install libva2"}}
	found, err := devices.Survey(t.Context(), func(context.Context, devices.Device) (devices.Prober, error) { return p, nil }, on, devices.Encode, devices.Decode)
	if err != nil {
		t.Fatal(err)
	}
	one := func(direction, codec, device string) devices.Codec {
		i := slices.IndexFunc(found, func(c devices.Codec) bool { return c.Direction == direction && c.Codec == codec && c.Device == device })
		if i < 0 {
			t.Fatalf("%s %s on %s was not tried", direction, codec, device)
		}
		return found[i]
	}
	for _, codec := range []string{"h264", "hevc", "av1"} {
		one(devices.Encode, codec, devices.CPU)
		one(devices.Encode, codec, "/dev/nvidia1")
	}
	for _, codec := range []string{"h264", "hevc", "av1", "vp8", "vp9", "mpeg2"} {
		one(devices.Decode, codec, devices.CPU)
		one(devices.Decode, codec, "/dev/nvidia1")
	}
	for _, codec := range []string{"aac", "opus", "mp3", "ac3"} {
		if c := one(devices.Decode, codec, devices.CPU); !c.OK || c.Speed == 0 {
			t.Errorf("%+v", c)
		}
	}
	if c := one(devices.Encode, "h264", "/dev/nvidia1"); !c.OK || c.Sessions != 8 || c.PixelRate != 40*640*360 {
		t.Errorf("%+v", c)
	}
	if c := one(devices.Encode, "hevc", devices.CPU); c.OK || !strings.Contains(c.Fix, "deploy/ffmpeg.sh") {
		t.Errorf("%+v", c)
	}
	if c := one(devices.Encode, "av1", "/dev/nvidia1"); c.OK || !strings.Contains(c.Fix, "support matrix") {
		t.Errorf("%+v", c)
	}
	if c := one(devices.Encode, "h264", "/dev/dri/renderD128"); c.OK || c.Fix != "install libva2" {
		t.Errorf("%+v", c)
	}
	for _, r := range p.tried {
		if r.Device != "" && r.Device != "0" {
			t.Errorf("%s was tried on %q, the only card that the child sees is 0", r.Encoder, r.Device)
		}
	}
	if rates := devices.DecodeRates(found, 2, nil); rates["mpeg2video"] != 2*40*640*360 || rates["h264"] == 0 {
		t.Errorf("rates %v", rates)
	}
	if rates := devices.DecodeRates(found, 2, on[1:2]); rates["mpeg2video"] != 3*40*640*360 {
		t.Errorf("rates %v with the card", rates)
	}
}

package devices_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

func touch(t *testing.T, root string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		path := filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProbe_saysWhatThereIsAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	none, bare, full := t.TempDir(), t.TempDir(), t.TempDir()
	touch(t, bare, "dev/nvidia0", "dev/nvidiactl", "dev/dri/renderD128")
	touch(t, full, "dev/nvidia0", "dev/nvidia1", "usr/lib/x86_64-linux-gnu/libnvidia-encode.so.1", "usr/lib/x86_64-linux-gnu/libcuda.so.1")
	cases := []struct {
		root string
		want []devices.Device
		line string
	}{
		{none, nil, "no GPU found"},
		{bare, []devices.Device{{Kind: devices.NVENC, Path: "/dev/nvidia0", Missing: "libnvidia-encode.so.1"},
			{Kind: devices.VAAPI, Path: "/dev/dri/renderD128", Missing: "libva.so.2"}}, "libnvidia-encode.so.1 is not installed"},
		{full, []devices.Device{{Kind: devices.NVENC, Path: "/dev/nvidia0"}, {Kind: devices.NVENC, Path: "/dev/nvidia1"}}, "nvenc /dev/nvidia1"},
	}
	for _, c := range cases {
		r := devices.Probe(c.root)
		if len(r.Devices) != len(c.want) {
			t.Fatalf("%+v, want %+v", r.Devices, c.want)
		}
		for i := range c.want {
			if r.Devices[i] != c.want[i] {
				t.Errorf("%+v, want %+v", r.Devices[i], c.want[i])
			}
		}
		var log bytes.Buffer
		r.Log(slog.New(slog.NewTextHandler(&log, nil)))
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), c.line) {
			t.Errorf("log %q, want one line with %q", log.String(), c.line)
		}
	}
}

// encoder reads the source and claims frames of the ladder.
func encoder(frames int, fail error) devices.Encode {
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

func TestCalibration_isKeptForTheSameProgramOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	touch(t, dir, "program")
	if _, ok := devices.Cached(dir, program); ok {
		t.Error("a calibration from nowhere")
	}
	made, err := devices.Calibrate(t.Context(), encoder(30, nil), dir, program)
	if err != nil || made.PixelRate == 0 {
		t.Fatalf("%+v, %v", made, err)
	}
	if kept, ok := devices.Cached(dir, program); !ok || kept.PixelRate != made.PixelRate {
		t.Errorf("kept %+v, made %+v", kept, made)
	}
	if err := os.WriteFile(program, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := devices.Cached(dir, program); ok {
		t.Error("the calibration of another program was taken")
	}
	if err := os.WriteFile(filepath.Join(dir, "calibration.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := devices.Cached(dir, program); ok {
		t.Error("a torn calibration was taken")
	}
}

func TestCalibration_failsWithItsEncoder(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := devices.Calibrate(t.Context(), encoder(30, broken), t.TempDir(), ""); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if err := devices.Check(t.Context(), encoder(0, nil)); err == nil {
		t.Error("an encoder that makes nothing passed")
	}
}

package devices_test

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/transcoder/internal/devices"
)

// tree writes files below a new root.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const lib = "usr/lib/x86_64-linux-gnu/"

var (
	nvidia = map[string]string{"dev/nvidia0": "", "dev/nvidiactl": "", lib + "libnvidia-encode.so.1": "", lib + "libcuda.so.1": "",
		"dev/dri/renderD128": "", "sys/class/drm/renderD128/device/vendor": "0x10de\n",
		"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA GeForce RTX 3060\nIRQ:   \t\t 131\nGPU UUID: \t GPU-8f6d2c1e-53aa-9d2b-77a0-3c2f1e0b9a11\nDevice Minor: \t 0\n"}
	amd = map[string]string{"dev/dri/renderD129": "", lib + "libva.so.2": "", lib + "dri/radeonsi_drv_video.so": "",
		"sys/class/drm/renderD129/device/vendor": "0x1002\n", "sys/class/drm/renderD129/device/unique_id": "6f1c0e9b2d4a5837\n",
		"sys/class/drm/renderD129/device/uevent":                      "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n",
		"sys/class/drm/renderD129/device/gpu_busy_percent":            "42\n",
		"sys/class/drm/renderD129/device/mem_info_vram_used":          "1073741824\n",
		"sys/class/drm/renderD129/device/mem_info_vram_total":         "8589934592\n",
		"sys/class/drm/renderD129/device/hwmon/hwmon3/temp1_input":    "58000\n",
		"sys/class/drm/renderD129/device/hwmon/hwmon3/power1_average": "75000000\n"}
	intel = map[string]string{"dev/dri/renderD128": "", lib + "libva.so.2": "", lib + "dri/iHD_drv_video.so": "",
		"sys/class/drm/renderD128/device/vendor": "0x8086\n", "sys/class/drm/renderD128/device/uevent": "DRIVER=i915\nPCI_SLOT_NAME=0000:00:02.0\n",
		"sys/class/drm/renderD128/device/drm/card0/gt/gt0/rc6_residency_ms": "90000\n",
		"sys/class/drm/renderD128/device/hwmon/hwmon1/energy1_input":        "5000000\n"}
)

func TestProbe_namesDevicesByWhatStaysTheSame(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		files map[string]string
		want  []devices.Device
	}{
		"nothing": {nil, nil},
		"an NVIDIA card, whose render node is not VA-API's": {nvidia, []devices.Device{{Kind: devices.NVENC, Path: "/dev/nvidia0",
			ID: "GPU-8f6d2c1e-53aa-9d2b-77a0-3c2f1e0b9a11", Name: "NVIDIA GeForce RTX 3060", Driver: "nvidia"}}},
		"an AMD card": {amd, []devices.Device{{Kind: devices.VAAPI, Path: "/dev/dri/renderD129", ID: "6f1c0e9b2d4a5837", Name: "AMD", Driver: "amdgpu"}}},
		"an Intel GPU without its runtime": {intel, []devices.Device{
			{Kind: devices.VAAPI, Path: "/dev/dri/renderD128", ID: "pci-0000:00:02.0", Name: "Intel", Driver: "i915"},
			{Kind: devices.QSV, Path: "/dev/dri/renderD128", ID: "pci-0000:00:02.0", Name: "Intel", Driver: "i915", Missing: "libmfx-gen.so.1.2",
				Fix: "install libmfx-gen1.2 (Intel's Quick Sync runtime)"}}},
	} {
		if got := devices.Probe(tree(t, tc.files)).Devices; !slices.Equal(got, tc.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestProbe_saysWhatMendsAGap(t *testing.T) {
	t.Parallel()
	card := func(vendor, driver string) map[string]string {
		f := map[string]string{"sys/bus/pci/devices/0000:01:00.0/vendor": vendor + "\n", "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n"}
		if driver != "" {
			f["sys/bus/pci/devices/0000:01:00.0/uevent"] = "DRIVER=" + driver + "\n"
		}
		return f
	}
	for name, tc := range map[string]struct {
		files     map[string]string
		what, fix string
	}{
		"no driver":                  {card("0x10de", ""), "NVIDIA GPU at 0000:01:00.0: no driver", "nvidia-driver"},
		"the driver does not encode": {card("0x10de", "nouveau"), "nouveau does not encode", "nvidia-driver"},
		"no device file":             {card("0x10de", "nvidia"), "no /dev/nvidia0", "nvidia-modprobe"},
		"no render node":             {card("0x1002", "amdgpu"), "no /dev/dri/renderD*", "--device /dev/dri"},
		"no firmware":                {card("0x1002", ""), "AMD GPU at 0000:01:00.0: no driver", "firmware-amd-graphics"},
		"no encoder library":         {map[string]string{"dev/nvidia0": "", lib + "libcuda.so.1": ""}, "libnvidia-encode.so.1 is missing", "libnvidia-encode"},
		"no VA-API driver":           {map[string]string{"dev/dri/renderD129": "", lib + "libva.so.2": "", "sys/class/drm/renderD129/device/vendor": "0x1002"}, "radeonsi_drv_video.so", "mesa-va-drivers"},
	} {
		gaps := devices.Probe(tree(t, tc.files)).Gaps
		if len(gaps) != 1 || !strings.Contains(gaps[0].What, tc.what) || !strings.Contains(gaps[0].Fix, tc.fix) {
			t.Errorf("%s: %+v, want %q mended by %q", name, gaps, tc.what, tc.fix)
		}
	}
	if gaps := devices.Probe(tree(t, card("0x8086", "vfio-pci"))).Gaps; len(gaps) != 0 {
		t.Errorf("a card that a virtual machine has: %+v", gaps)
	}
}

func TestReport_logsOneLine(t *testing.T) {
	t.Parallel()
	for want, files := range map[string]map[string]string{"no GPU found": nil, "libnvidia-encode.so.1 is not there": {"dev/nvidia0": ""}, "vaapi /dev/dri/renderD129": amd} {
		var log bytes.Buffer
		devices.Probe(tree(t, files)).Log(slog.New(slog.NewTextHandler(&log, nil)))
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), want) {
			t.Errorf("log %q, want one line with %q", log.String(), want)
		}
	}
}

// near compares what may be nil.
func near(got *float64, want float64) bool {
	return got != nil && *got > want-1e-6*max(1, want) && *got < want+1e-6*max(1, want)
}

func TestGauges_readAnNVIDIACardByItsOwnProgram(t *testing.T) {
	t.Parallel()
	root := tree(t, nvidia)
	program := filepath.Join(root, "usr/bin/nvidia-smi")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	g := devices.NewGauges(root, devices.Probe(root))
	now := time.Unix(1000, 0)
	if _, err := g.Read(t.Context(), now); err == nil || !strings.Contains(err.Error(), "NVIDIA") {
		t.Errorf("without the program: %v", err)
	}
	// By another process: a file that this one has open to write may be inherited by what another test starts, and is busy then.
	if out, err := exec.Command("install", "-m", "700", "testdata/nvidia-smi", program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	first, err := g.Read(t.Context(), now)
	if err != nil || len(first) != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	r := first[0]
	if r.ID != "GPU-8f6d2c1e-53aa-9d2b-77a0-3c2f1e0b9a11" || r.Path != "/dev/nvidia0" || !near(r.Load, 0.37) || !near(r.Temperature, 61) || !near(r.Power, 92.45) ||
		!near(r.MemoryUsed, 1523<<20) || !near(r.MemoryTotal, 12288<<20) || !near(r.Sessions, 3) {
		t.Errorf("%+v", r)
	}
	if first[1].Power != nil || first[1].Energy != nil {
		t.Errorf("a card that does not tell its power: %+v", first[1])
	}
	second, err := g.Read(t.Context(), now.Add(10*time.Second))
	if err != nil || !near(second[0].Energy, 924.5) {
		t.Errorf("energy after ten seconds: %+v, %v", second, err)
	}
}

func TestGauges_readRenderNodesBySys(t *testing.T) {
	t.Parallel()
	root := tree(t, amd)
	r, err := devices.NewGauges(root, devices.Probe(root)).Read(t.Context(), time.Unix(1000, 0))
	if err != nil || len(r) != 1 || !near(r[0].Load, 0.42) || !near(r[0].Temperature, 58) || !near(r[0].Power, 75) || !near(r[0].MemoryUsed, 1<<30) || !near(r[0].MemoryTotal, 8<<30) {
		t.Errorf("%+v, %v", r, err)
	}

	root = tree(t, intel)
	g := devices.NewGauges(root, devices.Probe(root))
	if r, err = g.Read(t.Context(), time.Unix(1000, 0)); err != nil || len(r) != 1 || !near(r[0].Energy, 5) || r[0].Load != nil || r[0].Power != nil {
		t.Errorf("%+v, %v: one reading tells neither load nor power", r, err)
	}
	for name, content := range map[string]string{"drm/card0/gt/gt0/rc6_residency_ms": "97500\n", "hwmon/hwmon1/energy1_input": "125000000\n"} {
		if err := os.WriteFile(filepath.Join(root, "sys/class/drm/renderD128/device", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Ten seconds, of which it rested 7.5, and 120 J.
	if r, err = g.Read(t.Context(), time.Unix(1010, 0)); err != nil || !near(r[0].Load, 0.25) || !near(r[0].Power, 12) || !near(r[0].Energy, 125) {
		t.Errorf("%+v, %v", r, err)
	}
}

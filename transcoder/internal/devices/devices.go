// Package devices says what this machine can encode with: which GPUs it has and how they fare, which codecs work on it, and
// how many pixels a second it holds in real time.
package devices

import (
	"bufio"
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Kinds of devices.
const (
	NVENC = "nvenc"
	VAAPI = "vaapi"
	QSV   = "qsv"
)

// Device is an encoder in hardware.
type Device struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	// ID names the device over restarts and other cards: the UUID of an NVIDIA card, the serial number of an AMD one, else
	// the PCI slot. Empty where the system says nothing.
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	Driver string `json:"driver,omitempty"`
	// Missing is what the device cannot be used without, and Fix what mends that; empty when nothing is missing.
	Missing string `json:"missing,omitempty"`
	Fix     string `json:"fix,omitempty"`
}

// Report is what Probe found.
type Report struct {
	Devices []Device `json:"devices"`
	Gaps    []Gap    `json:"gaps,omitempty"`
}

// Gap is hardware that cannot be used as it is.
type Gap struct {
	What string `json:"what"`
	Fix  string `json:"fix"`
}

// Where shared libraries live on the systems we know.
var libraryDirs = []string{"usr/lib", "usr/lib64", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib/wsl/lib", "usr/local/nvidia/lib64"}

// What brings each library.
var packages = map[string]string{
	"libcuda.so.1":          "install the NVIDIA driver (Debian: nvidia-driver; Ubuntu: nvidia-driver-NNN-server), or pass it into the container",
	"libnvidia-encode.so.1": "install libnvidia-encode1 (Ubuntu: libnvidia-encode-NNN of the driver's number); in a container: NVIDIA_DRIVER_CAPABILITIES=video",
	"libva.so.2":            "install libva2 and libva-drm2",
	"libmfx-gen.so.1.2":     "install libmfx-gen1.2 (Intel's Quick Sync runtime)",
}

// PCI vendors of GPUs.
const (
	vendorAMD    = "0x1002"
	vendorIntel  = "0x8086"
	vendorNVIDIA = "0x10de"
)

var vendorNames = map[string]string{vendorAMD: "AMD", vendorIntel: "Intel", vendorNVIDIA: "NVIDIA"}

// The VA-API driver of each vendor, by the file that libva opens.
var vaDrivers = map[string]struct{ file, fix string }{
	vendorAMD:   {"radeonsi_drv_video.so", "install mesa-va-drivers"},
	vendorIntel: {"iHD_drv_video.so", "install intel-media-va-driver-non-free (or intel-media-va-driver, which encodes less)"},
}

// Probe looks for devices under root, which is "/" but in tests. It opens no device.
func Probe(root string) Report {
	r := Report{Devices: []Device{}}
	cards := nvidiaCards(root)
	for _, path := range glob(root, "dev/nvidia[0-9]*", "dev/dxg") {
		d := cards[strings.TrimPrefix(path, "/dev/nvidia")]
		d.Kind, d.Path = NVENC, path
		d.need(root, "libnvidia-encode.so.1", "libcuda.so.1")
		r.Devices = append(r.Devices, d)
	}
	for _, path := range glob(root, "dev/dri/renderD*") {
		r.Devices = append(r.Devices, renderNode(root, path)...)
	}
	r.Gaps = gaps(root, r.Devices)
	return r
}

// need notes the first library that is missing, or that the device may not be opened.
func (d *Device) need(root string, libraries ...string) {
	if d.Missing = missing(root, libraries...); d.Missing != "" {
		d.Fix = packages[d.Missing]
		return
	}
	if err := syscall.Access(filepath.Join(root, d.Path), 4|2); errors.Is(err, syscall.EACCES) {
		d.Missing, d.Fix = "permission to open "+d.Path, "add the user that runs kinora to the device's group, mostly: usermod -aG render USER (then log in anew)"
	}
}

// nvidiaCards are the cards by the number in their device file, as the driver lists them.
func nvidiaCards(root string) map[string]Device {
	cards := make(map[string]Device)
	files, _ := filepath.Glob(filepath.Join(root, "proc/driver/nvidia/gpus/*/information"))
	for _, file := range files {
		fields := keyed(file, ":")
		cards[fields["Device Minor"]] = Device{ID: fields["GPU UUID"], Name: fields["Model"], Driver: "nvidia"}
	}
	return cards
}

// renderNode is what the render node at path encodes by: VA-API, on Intel Quick Sync as well; nothing on an NVIDIA card,
// which is used by its own device file.
func renderNode(root, path string) []Device {
	sys := filepath.Join(root, "sys/class/drm", filepath.Base(path), "device")
	vendor := text(filepath.Join(sys, "vendor"))
	if vendor == vendorNVIDIA {
		return nil
	}
	uevent := keyed(filepath.Join(sys, "uevent"), "=")
	d := Device{Kind: VAAPI, Path: path, ID: text(filepath.Join(sys, "unique_id")), Driver: uevent["DRIVER"]}
	if d.ID == "" && uevent["PCI_SLOT_NAME"] != "" {
		d.ID = "pci-" + uevent["PCI_SLOT_NAME"]
	}
	if name := vendorNames[vendor]; name != "" {
		d.Name = strings.TrimSpace(name + " " + text(filepath.Join(sys, "product_name")))
	}
	quick := d
	quick.Kind = QSV
	d.need(root, "libva.so.2")
	if va, known := vaDrivers[vendor]; known && d.Missing == "" && missing(root, filepath.Join("dri", va.file)) != "" {
		d.Missing, d.Fix = va.file, va.fix
	}
	if vendor != vendorIntel {
		return []Device{d}
	}
	quick.need(root, "libva.so.2", "libmfx-gen.so.1.2")
	return []Device{d, quick}
}

// gaps are cards on the bus without a device file, and devices without what they need.
func gaps(root string, found []Device) []Gap {
	var out []Gap
	seen := make(map[string]bool)
	for _, d := range found {
		if d.Missing != "" {
			out = append(out, Gap{What: d.Kind + " on " + d.Path + ": " + d.Missing + " is missing", Fix: d.Fix})
		}
		seen[d.Kind] = true
	}
	slots, _ := filepath.Glob(filepath.Join(root, "sys/bus/pci/devices/*"))
	for _, slot := range slots {
		vendor := text(filepath.Join(slot, "vendor"))
		name := vendorNames[vendor]
		if !strings.HasPrefix(text(filepath.Join(slot, "class")), "0x03") || name == "" { // displays
			continue
		}
		what := name + " GPU at " + filepath.Base(slot)
		driver := keyed(filepath.Join(slot, "uevent"), "=")["DRIVER"]
		switch {
		case driver == "" && vendor == vendorNVIDIA:
			out = append(out, Gap{what + ": no driver has it", packages["libcuda.so.1"]})
		case driver == "":
			out = append(out, Gap{what + ": no driver has it", "install the firmware (Debian: firmware-amd-graphics or firmware-misc-nonfree) and restart"})
		case driver == "nouveau":
			out = append(out, Gap{what + ": the driver nouveau does not encode", packages["libcuda.so.1"]})
		case driver == "vfio-pci": // somebody gave it to a virtual machine
		case vendor == vendorNVIDIA && !seen[NVENC]:
			out = append(out, Gap{what + ": no /dev/nvidia0", "run nvidia-modprobe -u -c0 as root, or pass the device into the container (--gpus all)"})
		case vendor != vendorNVIDIA && !seen[VAAPI]:
			out = append(out, Gap{what + ": no /dev/dri/renderD*", "load the module " + driver + ", or pass /dev/dri into the container (--device /dev/dri)"})
		}
	}
	return out
}

// Log says in one line what there is.
func (r Report) Log(log *slog.Logger) {
	if len(r.Devices) == 0 {
		log.Info("no GPU found (no NVIDIA device, no VAAPI render node); encoding with x264 on the CPU")
		return
	}
	names := make([]string, len(r.Devices))
	for i, d := range r.Devices {
		names[i] = d.Kind + " " + d.Path
		if d.Missing != "" {
			names[i] += " (unusable: " + d.Missing + " is not there; " + d.Fix + ")"
		}
	}
	log.Info("GPU found; its encoders are used for what they were measured to do", "devices", strings.Join(names, ", "))
}

func glob(root string, patterns ...string) []string {
	var found []string
	for _, p := range patterns {
		paths, err := filepath.Glob(filepath.Join(root, p))
		if err != nil {
			panic(err) // a pattern of ours is malformed
		}
		for _, path := range paths {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				continue
			}
			found = append(found, "/"+rel)
		}
	}
	return found
}

// missing returns the first library that is in none of the usual folders.
func missing(root string, libraries ...string) string {
	for _, library := range libraries {
		found := false
		for _, dir := range libraryDirs {
			if _, err := os.Stat(filepath.Join(root, dir, library)); err == nil {
				found = true
				break
			}
		}
		if !found {
			return library
		}
	}
	return ""
}

// text is the content of a small file, empty where there is none.
func text(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// keyed reads a file of one key and value a line.
func keyed(path, separator string) map[string]string {
	fields := make(map[string]string)
	b, err := os.ReadFile(path)
	if err != nil {
		return fields
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), separator); ok {
			fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return fields
}

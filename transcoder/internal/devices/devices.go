// Package devices says what this machine can encode with: which GPUs it has, and how many pixels a second it manages.
package devices

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Kinds of devices.
const (
	NVENC = "nvenc"
	VAAPI = "vaapi"
)

// Device is an encoder in hardware.
type Device struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	// Missing is the library without which the device cannot be used; empty when nothing is missing.
	Missing string `json:"missing,omitempty"`
}

// Report is what Probe found.
type Report struct {
	Devices []Device `json:"devices"`
}

// Where shared libraries live on the systems we know.
var libraryDirs = []string{"usr/lib", "usr/lib64", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib/wsl/lib", "usr/local/nvidia/lib64"}

// Probe looks for devices under root, which is "/" but in tests. It opens nothing.
func Probe(root string) Report {
	r := Report{Devices: []Device{}}
	for _, path := range glob(root, "dev/nvidia[0-9]*", "dev/dxg") {
		r.Devices = append(r.Devices, Device{Kind: NVENC, Path: path, Missing: missing(root, "libnvidia-encode.so.1", "libcuda.so.1")})
	}
	for _, path := range glob(root, "dev/dri/renderD*") {
		r.Devices = append(r.Devices, Device{Kind: VAAPI, Path: path, Missing: missing(root, "libva.so.2")})
	}
	return r
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
			names[i] += " (unusable: " + d.Missing + " is not installed)"
		}
	}
	log.Info("GPU found; encoding with x264 on the CPU until hardware encoders are chosen", "devices", strings.Join(names, ", "))
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

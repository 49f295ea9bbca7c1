package devices

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// sample is one second of 640×360 at 30 frames a second, H.264 in MPEG-TS: a zoom into the Mandelbrot set.
//
//go:embed sample.ts
var sample []byte

// headroom is the part of the measured rate that is sold, in percent: live segments arrive together, and others use the
// machine too.
const headroom = 80

// enough is how long a calibration goes on encoding.
const enough = 2 * time.Second

// calibrationLadder is small enough to be quick and has a rung of each common shape.
var calibrationLadder = protocol.Ladder{
	{Name: "a", Width: 640, Height: 360, Bitrate: 800_000, Codec: protocol.H264, Preset: "veryfast"},
	{Name: "b", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.H264, Preset: "veryfast"},
}

// Ladder is what the sample is encoded to.
func Ladder() protocol.Ladder { return calibrationLadder }

// Encode transcodes one segment.
type Encode func(ctx context.Context, job media.Job) (*media.Result, error)

// Calibration is a measured pixel rate and what it was measured with.
type Calibration struct {
	PixelRate uint64    `json:"pixel_rate"` // encoded pixels a second that may be sold
	CPUs      int       `json:"cpus"`
	Encoder   string    `json:"encoder"` // which program: its size and age
	At        time.Time `json:"at"`
}

const calibrationFile = "calibration.json"

// Cached returns the calibration kept in dir if it was made on this machine with the program at path.
func Cached(dir, path string) (Calibration, bool) {
	b, err := os.ReadFile(filepath.Join(dir, calibrationFile))
	if err != nil {
		return Calibration{}, false
	}
	var c Calibration
	if json.Unmarshal(b, &c) != nil || c.PixelRate == 0 || c.CPUs != runtime.NumCPU() || c.Encoder != fingerprint(path) {
		return Calibration{}, false
	}
	return c, true
}

// Calibrate measures for about two seconds how fast encode is, one segment at a time, and keeps the result in dir.
func Calibrate(ctx context.Context, encode Encode, dir, path string) (Calibration, error) {
	var pixels int64
	begun := time.Now()
	for time.Since(begun) < enough || pixels == 0 {
		n, err := once(ctx, encode)
		if err != nil {
			return Calibration{}, fmt.Errorf("calibrate: %w", err)
		}
		if pixels == 0 && time.Since(begun) < enough { // the first round also starts threads and faults memory in
			begun, pixels = time.Now(), 1
			continue
		}
		pixels += n
	}
	rate := uint64(float64(pixels)/time.Since(begun).Seconds()) * headroom / 100
	c := Calibration{PixelRate: rate, CPUs: runtime.NumCPU(), Encoder: fingerprint(path), At: time.Now().UTC()}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return Calibration{}, fmt.Errorf("calibrate: %w", err)
	}
	if err := replace(filepath.Join(dir, calibrationFile), append(b, '\n')); err != nil {
		return Calibration{}, fmt.Errorf("keep the calibration: %w", err)
	}
	return c, nil
}

// Check encodes the sample once and says whether what came out is whole.
func Check(ctx context.Context, encode Encode) error {
	_, err := once(ctx, encode)
	return err
}

// once encodes the sample and returns the encoded pixels.
func once(ctx context.Context, encode Encode) (int64, error) {
	var written [2]int64
	result, err := encode(ctx, media.Job{Ladder: calibrationLadder, Source: bytes.NewReader(sample),
		Out: func(rendition int, p []byte) error {
			written[rendition] += int64(len(p))
			return nil
		}})
	if err != nil {
		return 0, err
	}
	if len(result.Renditions) != len(calibrationLadder) {
		return 0, errors.New("the encoder made no whole ladder")
	}
	var pixels int64
	for i, r := range result.Renditions {
		if r.Frames == 0 || written[i] == 0 {
			return 0, fmt.Errorf("rendition %q of the sample is empty", calibrationLadder[i].Name)
		}
		pixels += r.Pixels
	}
	return pixels, nil
}

// fingerprint changes when the program does.
func fingerprint(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d bytes of %s", st.Size(), st.ModTime().UTC().Format(time.RFC3339))
}

// replace writes a file whole or not at all.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

package devices

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// sample is one second of 640×360 at 30 frames a second, H.264 in MPEG-TS: a zoom into the Mandelbrot set.
//
//go:embed sample.ts
var sample []byte

// What the sample is.
const (
	sampleWidth, sampleHeight, sampleFPS = 640, 360, 30
	sampleSeconds                        = 1
)

// headroom is the part of a rate that is sold of one stream alone, in percent: many disturb each other.
const headroom = 80

// enough is how long a calibration goes on encoding.
const enough = 2 * time.Second

// Ladder is what the sample is encoded to: small enough to be quick, with a rung of each common shape.
func Ladder(codec protocol.Codec) protocol.Ladder {
	l := protocol.Ladder{
		{Name: "a", Width: 640, Height: 360, Bitrate: 800_000, Codec: codec},
		{Name: "b", Width: 426, Height: 240, Bitrate: 400_000, Codec: codec},
	}
	if codec == protocol.AV1 { // which MPEG-TS does not carry
		for i := range l {
			l[i].Container = protocol.FMP4
		}
	}
	return l
}

// EncodeFunc transcodes one segment.
type EncodeFunc func(ctx context.Context, job media.Job) (*media.Result, error)

// Calibrate measures for about two seconds how fast one stream of a codec is encoded, segment after segment: pixels a second
// that may be sold.
func Calibrate(ctx context.Context, encode EncodeFunc, codec protocol.Codec) (uint64, error) {
	var pixels int64
	begun := time.Now()
	for first := true; first || pixels == 0 || time.Since(begun) < enough; {
		n, err := once(ctx, encode, Ladder(codec))
		if err != nil {
			return 0, fmt.Errorf("calibrate %s: %w", codec, err)
		}
		if first { // which also starts threads and faults memory in
			first, begun = false, time.Now()
			continue
		}
		pixels += n
	}
	return uint64(float64(pixels)/time.Since(begun).Seconds()) * headroom / 100, nil
}

// Check encodes the sample once and says whether what came out is whole.
func Check(ctx context.Context, encode EncodeFunc, codec protocol.Codec) error {
	_, err := once(ctx, encode, Ladder(codec))
	return err
}

// once encodes the sample and returns the encoded pixels.
func once(ctx context.Context, encode EncodeFunc, ladder protocol.Ladder) (int64, error) {
	written := make([]int64, len(ladder))
	result, err := encode(ctx, media.Job{Ladder: ladder, Source: bytes.NewReader(sample),
		Out: func(rendition int, p []byte) error {
			written[rendition] += int64(len(p))
			return nil
		}})
	if err != nil {
		return 0, err
	}
	if len(result.Renditions) != len(ladder) {
		return 0, errors.New("the encoder made no whole ladder")
	}
	var pixels int64
	for i, r := range result.Renditions {
		if r.Frames == 0 || written[i] == 0 {
			return 0, fmt.Errorf("rendition %q of the sample is empty", ladder[i].Name)
		}
		pixels += r.Pixels
	}
	return pixels, nil
}

// An Estimate takes this long at most, and less than a third of it is sold: it is of few pictures, and easy ones.
const (
	estimateBudget  = 120 * time.Millisecond
	estimateFrames  = 60
	estimatePercent = 30
)

// Estimate is a first, cautious guess of what the machine encodes in H.264 with all of its cores: pixels a second that may be
// sold. It goes by CPU time, so that what else runs at the moment does not matter.
func Estimate(ctx context.Context, p Prober, cpus int) (uint64, error) {
	probe := media.Probe{Encoder: "libx264", Width: sampleWidth, Height: sampleHeight, Frames: 1, Budget: estimateBudget, Options: map[string]string{"preset": "veryfast"}}
	if _, err := p.Probe(ctx, probe); err != nil { // what this costs is the start of the process
		return 0, fmt.Errorf("try the encoder: %w", err)
	}
	probe.Frames = estimateFrames
	got, err := p.Probe(ctx, probe)
	if err != nil {
		return 0, fmt.Errorf("try the encoder: %w", err)
	}
	return uint64(float64(got.Frames)*sampleWidth*sampleHeight/max(got.CPU.Seconds(), 1e-4)*float64(cpus)) * estimatePercent / 100, nil
}

// SampleRate is the encoded pixels a second of so many live streams of the sample.
func SampleRate(streams int) uint64 {
	return Ladder(protocol.H264).PixelRate(sampleFPS) * uint64(streams)
}

// WithoutDecoding is the rate at which only encoding would go, of a rate that was measured with the sample's decoding.
func WithoutDecoding(rate uint64, decode map[string]uint64) uint64 {
	decodes := float64(decode["h264"])
	if decodes == 0 || rate == 0 {
		return rate
	}
	decoded := float64(rate) / float64(SampleRate(1)) * sampleWidth * sampleHeight * sampleFPS
	if decoded > decodes/2 { // one of the two was disturbed: the cautious one holds
		return rate
	}
	return uint64(float64(rate) / (1 - decoded/decodes))
}

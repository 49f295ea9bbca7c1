package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// generated is FFmpeg's own moving picture, with a tone.
func generated(width, height int) []string {
	return []string{"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%dx%d:rate=30", width, height),
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"}
}

// Footage is MPEG-TS segments of 30 pictures per second with a keyframe each.
type Footage struct {
	Name          string // begins the files' names
	Width, Height int
	Rate          string // of the video, as FFmpeg has it
	Count         int
	Seconds       float64 // of one segment
	Generated     bool    // not from BENCH_MEDIA
}

// Make cuts the segments in dir with the program ffmpeg, from the first video in the folder that BENCH_MEDIA names, looped
// and scaled, or generates them.
func (f Footage) Make(ctx context.Context, ffmpeg, dir string) (files []string, segments [][]byte, err error) {
	input := generated(f.Width, f.Height)
	if from := os.Getenv("BENCH_MEDIA"); from != "" && !f.Generated {
		found, _ := filepath.Glob(filepath.Join(from, "*.mp4"))
		if len(found) == 0 {
			return nil, nil, fmt.Errorf("BENCH_MEDIA=%s holds no .mp4", from)
		}
		input = []string{"-stream_loop", "-1", "-i", found[0]}
	}
	gop := strconv.Itoa(int(30 * f.Seconds))
	args := append([]string{"-v", "error", "-nostdin"}, input...)
	args = append(args, "-t", fmt.Sprint(float64(f.Count)*f.Seconds), "-vf", fmt.Sprintf("scale=%d:%d,fps=30,format=yuv420p", f.Width, f.Height),
		"-c:v", "libx264", "-preset", "veryfast", "-b:v", f.Rate, "-maxrate", f.Rate, "-bufsize", f.Rate,
		"-g", gop, "-keyint_min", gop, "-sc_threshold", "0",
		"-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2", "-f", "segment", "-segment_time", fmt.Sprint(f.Seconds), "-segment_time_delta", "0.02",
		"-segment_format", "mpegts", "-segment_format_options", "mpegts_copyts=1", filepath.Join(dir, f.Name+"%04d.ts"))
	if out, err := exec.CommandContext(ctx, ffmpeg, args...).CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("make media: %w: %s", err, out)
	}
	for i := range f.Count {
		file := filepath.Join(dir, fmt.Sprintf("%s%04d.ts", f.Name, i))
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		files, segments = append(files, file), append(segments, body)
	}
	return files, segments, nil
}

// Transcode returns the command that makes every rendition of the ladder as Kinora does, of the input that the given options
// name, into dir. A keyframe is asked for every segmentSeconds; 0: at the start alone, for an input that is one segment.
func Transcode(ctx context.Context, ffmpeg string, ladder protocol.Ladder, segmentSeconds float64, dir string, input ...string) *exec.Cmd {
	args := append([]string{"-v", "error", "-nostdin", "-y", "-copyts"}, input...)
	graph := fmt.Sprintf("[0:v]split=%d", len(ladder))
	for i := range ladder {
		graph += fmt.Sprintf("[s%d]", i)
	}
	for i, p := range ladder {
		graph += fmt.Sprintf(";[s%d]scale=%d:%d:flags=bicubic,setsar=1[v%d]", i, p.Width, p.Height, i)
	}
	args = append(args, "-filter_complex", graph)
	for i, p := range ladder {
		rate := strconv.Itoa(int(p.Bitrate))
		args = append(args, "-map", fmt.Sprintf("[v%d]", i), "-map", "0:a", "-c:v", "libx264", "-preset", p.Preset, "-profile:v", p.CodecProfile,
			"-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-sc_threshold", "0")
		if p.Lookahead < 0 {
			args = append(args, "-tune", "zerolatency")
		} else {
			args = append(args, "-x264-params", fmt.Sprintf("rc-lookahead=%d", p.Lookahead))
		}
		if segmentSeconds > 0 {
			args = append(args, "-forced-idr", "1", "-force_key_frames", fmt.Sprintf("expr:isnan(prev_forced_t)+gte(t,prev_forced_t+%g-0.01)", segmentSeconds))
		}
		args = append(args, "-c:a", "copy", "-muxdelay", "0", "-f", "mpegts", filepath.Join(dir, p.Name+".ts"))
	}
	return exec.CommandContext(ctx, ffmpeg, args...)
}

// Usage is what an ended command cost.
type Usage struct {
	Took, CPU time.Duration
	PeakRSS   int64 // bytes
}

// Run runs cmd to its end.
func Run(cmd *exec.Cmd) (Usage, error) {
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return Usage{}, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out)
	}
	took := time.Since(begun)
	return Usage{Took: took, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), PeakRSS: peakRSS(cmd.ProcessState)}, nil
}

// Paced hands out Body evenly over a time, or at once when Over is 0.
type Paced struct {
	Body  []byte
	Over  time.Duration
	Began time.Time // when the first byte was asked for
	Ended time.Time // when the last byte was handed out

	off   int
}

// Read waits until the next bytes are due.
func (r *Paced) Read(p []byte) (int, error) {
	if r.off == len(r.Body) {
		return 0, io.EOF
	}
	if r.Began.IsZero() {
		r.Began = time.Now()
	}
	n := min(len(p), len(r.Body)-r.off)
	if r.Over > 0 {
		n = min(n, max(188, len(r.Body)/50))
		time.Sleep(time.Until(r.Began.Add(time.Duration(float64(r.Over) * float64(r.off+n) / float64(len(r.Body))))))
	}
	copy(p, r.Body[r.off:r.off+n])
	if r.off += n; r.off == len(r.Body) {
		r.Ended = time.Now()
	}
	return n, nil
}

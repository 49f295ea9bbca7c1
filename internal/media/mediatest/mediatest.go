// Package mediatest makes media for tests with FFmpeg's own generators.
package mediatest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Spec describes a test stream: a moving picture with a burnt-in clock, and a tone. Zero fields take the values in parentheses.
type Spec struct {
	Width, Height  int     // pixels (320×180)
	FPS            int     // pictures per second (30)
	Seconds        float64 // of the whole stream (SegmentSeconds)
	SegmentSeconds float64 // of each segment; a keyframe begins each (2)
	Start          float64 // seconds of the clock before the first picture (0)
	Bitrate        int     // bit/s of the video (FFmpeg's choice: constant quality)
	Preset         string  // of x264 (veryfast)
	Picture        string  // lavfi source without size and rate: testsrc2, black, mandelbrot, … (testsrc2)
	NoClock        bool    // no burnt-in clock
	NoAudio        bool    // no sound track
	SampleRate     int     // of the sound (48000)
	Video          string  // encoder (libx264)
	PixelFormat    string  // yuv420p
	SAR            string  // shape of the pixels ("1/1")
	Extra          string  // more FFmpeg output options, separated by spaces
}

// Segment is one MPEG-TS segment.
type Segment struct {
	Seq      int
	Path     string
	Bytes    []byte
	Duration time.Duration
}

// FFmpeg is the path of the ffmpeg program; the test fails if there is none.
func FFmpeg(t testing.TB) string { t.Helper(); return program(t, "KINORA_FFMPEG", "ffmpeg") }

// FFprobe is the path of the ffprobe program; the test fails if there is none.
func FFprobe(t testing.TB) string { t.Helper(); return program(t, "KINORA_FFPROBE", "ffprobe") }

func program(t testing.TB, env, name string) string {
	t.Helper()
	if path := os.Getenv(env); path != "" {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not set and %s is not in PATH: run `make build`, or eval \"$(deploy/env.sh)\"", env, name)
	}
	return path
}

// Run runs an FFmpeg program and returns what it wrote to stdout and stderr; the test fails if it does.
func Run(t testing.TB, stdin []byte, path string, args ...string) (stdout []byte, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(string(stdin))
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(path), strings.Join(args, " "), err, errs.String())
	}
	return []byte(out.String()), errs.String()
}

// made keeps the streams of this process by their Spec, since encoding them is what costs.
var made struct {
	sync.Mutex
	streams map[Spec]*stream
}

type stream struct {
	once     sync.Once
	segments [][]byte
	seconds  []float64
	err      error
}

// Segments makes the stream that s describes, cut at its keyframes, in t's temporary directory.
// The Bytes of equal Specs are shared: they are not to be written to.
func Segments(t testing.TB, s Spec) []Segment {
	t.Helper()
	s = s.withDefaults()
	made.Lock()
	if made.streams == nil {
		made.streams = make(map[Spec]*stream)
	}
	st := made.streams[s]
	if st == nil {
		st = new(stream)
		made.streams[s] = st
	}
	made.Unlock()
	ffmpeg, dir := FFmpeg(t), t.TempDir()
	st.once.Do(func() { st.err = st.make(ffmpeg, s) })
	if st.err != nil {
		t.Fatal(st.err)
	}
	out := make([]Segment, len(st.segments))
	for i, b := range st.segments {
		path := filepath.Join(dir, fmt.Sprintf("%d.ts", i))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out[i] = Segment{Seq: i, Path: path, Bytes: b, Duration: time.Duration(st.seconds[i] * float64(time.Second)).Round(time.Millisecond)}
	}
	return out
}

func (s Spec) withDefaults() Spec {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	text := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	def(&s.Width, 320)
	def(&s.Height, 180)
	def(&s.FPS, 30)
	def(&s.SampleRate, 48000)
	if s.SegmentSeconds == 0 {
		s.SegmentSeconds = 2
	}
	if s.Seconds == 0 {
		s.Seconds = s.SegmentSeconds
	}
	text(&s.Preset, "veryfast")
	text(&s.Picture, "testsrc2")
	text(&s.Video, "libx264")
	text(&s.PixelFormat, "yuv420p")
	text(&s.SAR, "1/1")
	return s
}

// filter is the lavfi graph of the picture.
func (s Spec) filter() string {
	source := s.Picture
	if source == "black" {
		source = "color=c=black"
	}
	sep := "="
	if strings.Contains(source, "=") {
		sep = ":"
	}
	graph := fmt.Sprintf("%s%ssize=%dx%d:rate=%d", source, sep, s.Width, s.Height, s.FPS)
	if !s.NoClock {
		graph += fmt.Sprintf(",drawtext=text='%%{pts\\:hms}':fontsize=%d:x=(w-tw)/2:y=h-th*2:fontcolor=white:box=1:boxcolor=black", max(s.Height/8, 12))
	}
	return graph + ",setsar=" + s.SAR + ",format=" + s.PixelFormat
}

func (st *stream) make(ffmpeg string, s Spec) error {
	dir, err := os.MkdirTemp("", "mediatest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	seconds := strconv.FormatFloat(s.Seconds, 'f', -1, 64)
	args := []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-f", "lavfi", "-i", s.filter()}
	if !s.NoAudio {
		args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=440:sample_rate=%d", s.SampleRate), "-c:a", "aac", "-b:a", "64k")
	}
	args = append(args, "-t", seconds, "-c:v", s.Video)
	if s.Video == "libx264" {
		args = append(args, "-preset", s.Preset, "-sc_threshold", "0", "-flags", "+cgop")
	}
	if s.Bitrate > 0 {
		b := strconv.Itoa(s.Bitrate)
		args = append(args, "-b:v", b, "-maxrate", b, "-bufsize", b)
	}
	step := strconv.FormatFloat(s.SegmentSeconds, 'f', -1, 64)
	args = append(args, "-g", strconv.Itoa(int(s.SegmentSeconds*float64(s.FPS)+0.5)),
		"-force_key_frames", "expr:gte(t,n_forced*"+step+")")
	args = append(args, strings.Fields(s.Extra)...)
	args = append(args, "-output_ts_offset", strconv.FormatFloat(s.Start, 'f', -1, 64),
		"-f", "segment", "-segment_time", step, "-segment_time_delta", "0.01", "-segment_format", "mpegts",
		"-segment_list", filepath.Join(dir, "list.csv"), "-segment_list_type", "csv", filepath.Join(dir, "%d.ts"))
	if out, err := exec.Command(ffmpeg, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("make test media: %w\n%s\n%s", err, strings.Join(args, " "), out)
	}
	list, err := os.ReadFile(filepath.Join(dir, "list.csv"))
	if err != nil {
		return err
	}
	for _, line := range strings.Fields(string(list)) {
		cells := strings.Split(line, ",")
		if len(cells) != 3 {
			return fmt.Errorf("make test media: segment list says %q", line)
		}
		b, err := os.ReadFile(filepath.Join(dir, cells[0]))
		if err != nil {
			return err
		}
		from, err1 := strconv.ParseFloat(cells[1], 64)
		to, err2 := strconv.ParseFloat(cells[2], 64)
		if err1 != nil || err2 != nil {
			return fmt.Errorf("make test media: segment list says %q", line)
		}
		st.segments = append(st.segments, b)
		st.seconds = append(st.seconds, to-from)
	}
	return nil
}

package media_test

import (
	"bytes"
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

	"go.uber.org/goleak"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// TestMain also checks that the tests leave neither a goroutine nor a child behind.
func TestMain(m *testing.M) {
	if os.Getenv(orphanEnv) != "" {
		orphanParent()
		return
	}
	if os.Getenv(crampedEnv) != "" {
		cramped()
		return
	}
	if os.Getenv(sandboxEnv) != "" {
		sandboxed()
		return
	}
	code := m.Run()
	_ = os.RemoveAll(testChildDir)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if left := children(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "processes left behind:", left)
		code = 1
	}
	os.Exit(code)
}

var (
	testChildDir  string
	testChildOnce sync.Once
	testChildErr  error
)

// testChild is a kinora-media built for tests, which can leave layers of its jail off and crashes when it is told to.
func testChild(t testing.TB) string {
	t.Helper()
	testChildOnce.Do(func() {
		if testChildDir, testChildErr = os.MkdirTemp("", "kinora-media-test-*"); testChildErr != nil {
			return
		}
		out, err := exec.Command("go", "build", "-tags", "jailtest", "-o", testChildDir, "github.com/kinora/kinora/cmd/kinora-media").CombinedOutput()
		if err != nil {
			testChildErr = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if testChildErr != nil {
		t.Fatal(testChildErr)
	}
	return filepath.Join(testChildDir, "kinora-media")
}

// children are the live child processes of this one.
func children() (out []string) {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		for _, pid := range strings.Fields(string(b)) {
			name, _ := os.ReadFile("/proc/" + pid + "/comm")
			out = append(out, pid+" "+strings.TrimSpace(string(name)))
		}
	}
	return out
}

// start gives a child that ends with the test.
func start(t testing.TB, limits media.Limits) *media.Child {
	t.Helper()
	c, err := media.Start(t.Context(), media.Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// outputs collects the renditions of a job.
type outputs struct {
	mu  sync.Mutex
	got map[int][]byte
}

func (o *outputs) take(i int, p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.got == nil {
		o.got = make(map[int][]byte)
	}
	o.got[i] = append(o.got[i], p...)
	return nil
}

func transcode(t testing.TB, c *media.Child, ladder protocol.Ladder, segment []byte, continues bool) (*media.Result, map[int][]byte) {
	t.Helper()
	var o outputs
	res, err := c.Transcode(t.Context(), media.Job{Ladder: ladder, Source: bytes.NewReader(segment), Out: o.take, Continues: continues})
	if err != nil {
		t.Fatal(err)
	}
	return res, o.got
}

func measure(t testing.TB, c *media.Child, segment []byte, grid bool) *media.Measurement {
	t.Helper()
	m, err := c.Measure(t.Context(), bytes.NewReader(segment), media.MeasureOptions{Grid: grid})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func rung(height uint32, bitrate uint32) protocol.Profile {
	return protocol.Profile{Name: strconv.Itoa(int(height)) + "p", Width: (height*16/9 + 1) &^ 1, Height: height, Bitrate: bitrate,
		Codec: protocol.H264, Preset: "ultrafast"}
}

func wantCode(t testing.TB, err error, want protocol.Code) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", want)
	}
	if got := protocol.CodeOf(err); got != want {
		t.Fatalf("code is %s (%v), want %s", got, err, want)
	}
}

// within fails the test unless done is closed in time.
func within(t testing.TB, d time.Duration, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("%s within %s", what, d)
	}
}

// packet is a line of ffprobe -show_packets.
type packet struct {
	pts, dts int64
	key      bool
}

func packets(t testing.TB, ts []byte, track string) (out []packet) {
	t.Helper()
	text, warnings := mediatest.Run(t, ts, mediatest.FFprobe(t), "-v", "warning", "-select_streams", track, "-show_entries", "packet=pts,dts,flags", "-of", "csv=p=0", "-f", "mpegts", "-")
	if warnings != "" {
		t.Errorf("ffprobe: %s", warnings)
	}
	for _, line := range strings.Fields(string(text)) {
		cells := strings.Split(line, ",")
		if len(cells) < 3 {
			t.Fatalf("ffprobe says %q", line)
		}
		pts, err1 := strconv.ParseInt(cells[0], 10, 64)
		dts, err2 := strconv.ParseInt(cells[1], 10, 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("ffprobe says %q", line)
		}
		out = append(out, packet{pts, dts, strings.Contains(cells[2], "K")})
	}
	return out
}

// soundHashes are the MD5 sums of the sound packets, in order.
func soundHashes(t testing.TB, ts []byte) (out []string) {
	t.Helper()
	text, _ := mediatest.Run(t, ts, mediatest.FFmpeg(t), "-v", "error", "-f", "mpegts", "-i", "-", "-map", "0:a", "-c", "copy", "-f", "framemd5", "-")
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			cells := strings.Split(line, ",")
			out = append(out, strings.TrimSpace(cells[len(cells)-1]))
		}
	}
	return out
}

// decodeCleanly decodes every picture and fails on any message of the decoder.
func decodeCleanly(t testing.TB, ts []byte) {
	t.Helper()
	if _, messages := mediatest.Run(t, ts, mediatest.FFmpeg(t), "-v", "warning", "-f", "mpegts", "-i", "-", "-f", "null", "-"); messages != "" {
		t.Errorf("decoding says:\n%s", messages)
	}
}

// sameness is the mean difference of the luma of pictures that show at the same time.
func sameness(t testing.TB, a, b *media.Measurement) float64 {
	t.Helper()
	at := make(map[int64]*media.FrameGrid)
	for i := range a.Frames {
		at[a.Frames[i].PTS] = &a.Frames[i]
	}
	sum, n := 0, 0
	for i := range b.Frames {
		x := at[b.Frames[i].PTS]
		if x == nil {
			continue
		}
		for k, v := range b.Frames[i].Luma {
			sum += max(int(v)-int(x.Luma[k]), int(x.Luma[k])-int(v))
			n++
		}
	}
	if n == 0 {
		t.Fatal("no picture shows at the same time in both")
	}
	return float64(sum) / float64(n)
}

var background = context.Background()

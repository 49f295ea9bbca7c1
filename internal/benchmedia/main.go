// Command benchmedia measures one kinora-media child against one long-running ffmpeg on the joined segments and against one
// ffmpeg per segment, with the same settings, taking turns.
//
//	BENCH_MEDIA=DIR   real footage: the first video file found there is looped and scaled; else FFmpeg's generators
//	BENCH_SEGMENTS=N  segments of 720p per case (30; a third of it of 1080p)
//	BENCH_CASES=LIST  of 720p, 1080p, live, restart, quality, overload (all), and soak, which runs where it is named
//	BENCH_SOAK=N      segments of a soak (1000)
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

const (
	segmentSeconds = 2
	lookahead      = 10 // what Kinora takes where the profile names none
	command        = "make bench-media"
	joinedName     = "one long-running ffmpeg on the joined segments"
	singleName     = "a fresh ffmpeg per whole segment"
)

func rung(name string, width, height, bitrate uint32) protocol.Profile {
	return protocol.Profile{Name: name, Width: width, Height: height, Bitrate: bitrate, Codec: protocol.H264, CodecProfile: "high",
		Preset: "medium", Lookahead: lookahead}
}

var (
	small = protocol.Ladder{rung("480p", 854, 480, 1_600_000), rung("360p", 640, 360, 800_000), rung("240p", 426, 240, 400_000)}
	large = append(protocol.Ladder{rung("720p", 1280, 720, 3_000_000)}, small...)
)

// with is the ladder with another preset and lookahead.
func with(l protocol.Ladder, preset string, lookahead int32) protocol.Ladder {
	out := append(protocol.Ladder(nil), l...)
	for i := range out {
		out[i].Preset, out[i].Lookahead = preset, lookahead
	}
	return out
}

func main() { bench.Main("benchmedia", run) }

type benchmark struct {
	ffmpeg, dir string
	child       *media.Child
	figures     []bench.Figure
}

func (b *benchmark) figure(name string, value float64, unit, aim, baseline string) {
	b.figures = append(b.figures, bench.Figure{Name: name, Value: value, Unit: unit, Aim: aim, Baseline: baseline, Command: command})
}

func run(ctx context.Context) error {
	n, err := bench.Number("BENCH_SEGMENTS", 30, 3)
	if err != nil {
		return err
	}
	cases := os.Getenv("BENCH_CASES")
	wanted := func(name string) bool { return cases == "" || strings.Contains(","+cases+",", ","+name+",") }
	dir, err := os.MkdirTemp("", "kinora-benchmedia-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &benchmark{ffmpeg: os.Getenv("KINORA_FFMPEG"), dir: dir}
	if b.ffmpeg == "" {
		return fmt.Errorf("KINORA_FFMPEG is not set: run %s", command)
	}
	hd := bench.Footage{Name: "720p", Width: 1280, Height: 720, Rate: "3200k", Count: n, Seconds: segmentSeconds}
	if wanted("720p") {
		if err := b.throughput(ctx, hd, small, 6); err != nil {
			return fmt.Errorf("720p: %w", err)
		}
	}
	if wanted("1080p") {
		full := bench.Footage{Name: "1080p", Width: 1920, Height: 1080, Rate: "6M", Count: max(n/3, 3), Seconds: segmentSeconds}
		if err := b.throughput(ctx, full, large, 5); err != nil {
			return fmt.Errorf("1080p: %w", err)
		}
	}
	if wanted("live") {
		hd.Name, hd.Count = "live", max(n/2, 3)
		if err := b.live(ctx, hd); err != nil {
			return fmt.Errorf("live: %w", err)
		}
	}
	if wanted("restart") {
		if err := b.restart(ctx); err != nil {
			return fmt.Errorf("restart: %w", err)
		}
	}
	if wanted("quality") {
		hd.Name, hd.Count = "quality", max(n/3, 3)
		if err := b.quality(ctx, hd); err != nil {
			return fmt.Errorf("quality: %w", err)
		}
	}
	if wanted("overload") {
		if err := b.overload(ctx); err != nil {
			return fmt.Errorf("overload: %w", err)
		}
	}
	if cases != "" && wanted("soak") {
		if err := b.soak(ctx); err != nil {
			return fmt.Errorf("soak: %w", err)
		}
	}
	bench.Print(os.Stdout, b.figures)
	return bench.Save("media", b.figures)
}

// start gives the benchmark a fresh child, and ends the one before.
func (b *benchmark) start(ctx context.Context) (err error) {
	b.stop()
	path, err := filepath.Abs("bin/kinora-media")
	if err != nil {
		return err
	}
	b.child, err = media.Start(ctx, media.Options{Path: path})
	return err
}

// restart measures how long a lease is without a child when its own has died: with a spare ready, and if one had to be started.
func (b *benchmark) restart(ctx context.Context) error {
	path, err := filepath.Abs("bin/kinora-media")
	if err != nil {
		return err
	}
	pool := media.NewPool(media.Options{Path: path}, 1)
	defer pool.Close()
	var spare, fresh []float64
	for range 20 {
		for pool.Idle() == 0 {
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		begun := time.Now()
		c, err := pool.Get(ctx)
		if err != nil {
			return err
		}
		spare = append(spare, time.Since(begun).Seconds()*1000)
		_ = c.Close()
		begun = time.Now()
		if c, err = media.Start(ctx, media.Options{Path: path}); err != nil {
			return err
		}
		fresh = append(fresh, time.Since(begun).Seconds()*1000)
		_ = c.Close()
	}
	if s := pool.Stats(); s.Waited > 0 {
		return fmt.Errorf("%d children were waited for though a spare was ready", s.Waited)
	}
	b.figure("restart_spare_ms", bench.Percentile(spare, 95), "ms, p95", "<= 50", "")
	b.figure("restart_fresh_ms", bench.Percentile(fresh, 95), "ms, p95", "", "")
	return nil
}

func (b *benchmark) stop() {
	if b.child != nil {
		_ = b.child.Close()
		b.child = nil
	}
}

// childRSS is the most memory the child has had.
func (b *benchmark) childRSS() (int64, error) {
	tree, err := bench.Tree(b.child.Pid())
	if err != nil || len(tree) == 0 {
		return 0, fmt.Errorf("memory of the child: %w", err)
	}
	return tree[0].PeakRSS, nil
}

// own is the CPU time this process has used: what the child's parent spends on it counts.
func own() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// throughput has each of the three make the ladder of a turn's segments, one turn after another.
func (b *benchmark) throughput(ctx context.Context, f bench.Footage, ladder protocol.Ladder, turn int) error {
	fmt.Fprintf(os.Stderr, "%s: %d segments, in turns of %d\n", f.Name, f.Count, turn)
	files, segments, err := f.Make(ctx, b.ffmpeg, b.dir)
	if err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer b.stop()
	var ours, joined, single bench.Usage
	var perJoined []float64 // CPU against the long-running one, turn by turn
	for from := 0; from < len(segments); from += turn {
		to := min(from+turn, len(segments))
		before := ours.CPU
		for i := from; i < to; i++ {
			if err := b.transcode(ctx, ladder, segments[i], i > 0, &ours); err != nil {
				return err
			}
		}
		join := filepath.Join(b.dir, "join.ts")
		if err := os.WriteFile(join, bytes.Join(segments[from:to], nil), 0o600); err != nil {
			return err
		}
		u, err := bench.Run(bench.Transcode(ctx, b.ffmpeg, ladder, segmentSeconds, b.dir, "-i", join))
		if err != nil {
			return err
		}
		add(&joined, u)
		perJoined = append(perJoined, (ours.CPU-before).Seconds()/u.CPU.Seconds())
		for _, file := range files[from:to] {
			u, err := bench.Run(bench.Transcode(ctx, b.ffmpeg, ladder, 0, b.dir, "-i", file))
			if err != nil {
				return err
			}
			add(&single, u)
		}
	}
	if ours.PeakRSS, err = b.childRSS(); err != nil {
		return err
	}
	seconds := float64(f.Count) * f.Seconds
	b.figure("cpu_ratio_"+f.Name, ours.CPU.Seconds()/joined.CPU.Seconds(), "ratio", "<= 1.00", joinedName)
	b.figure("cpu_ratio_p50_"+f.Name, bench.Percentile(perJoined, 50), "ratio", "", joinedName+", median of the turns")
	b.figure("cpu_ratio_single_"+f.Name, ours.CPU.Seconds()/single.CPU.Seconds(), "ratio", "", singleName)
	b.figure("cpu_"+f.Name, ours.CPU.Seconds()/seconds, "CPU-s per media-s", "", "")
	b.figure("cpu_joined_"+f.Name, joined.CPU.Seconds()/seconds, "CPU-s per media-s", "", "")
	if f.Name == "720p" {
		b.figure("rtf_ratio", joined.Took.Seconds()/ours.Took.Seconds(), "ratio", ">= 0.95", joinedName)
		b.figure("child_rss_ratio", float64(ours.PeakRSS)/float64(max(joined.PeakRSS, 1)), "ratio", "<= 1.00", joinedName)
	}
	b.figure("child_rss_"+f.Name, float64(ours.PeakRSS)/(1<<20), "MiB", "", "")
	b.figure("joined_rss_"+f.Name, float64(joined.PeakRSS)/(1<<20), "MiB", "", "")
	return nil
}

func add(sum *bench.Usage, u bench.Usage) {
	sum.Took += u.Took
	sum.CPU += u.CPU
	sum.PeakRSS = max(sum.PeakRSS, u.PeakRSS)
}

func (b *benchmark) transcode(ctx context.Context, ladder protocol.Ladder, segment []byte, continues bool, sum *bench.Usage) error {
	begun, mine := time.Now(), own()
	res, err := b.child.Transcode(ctx, media.Job{Ladder: ladder, Source: bytes.NewReader(segment), Out: func(int, []byte) error { return nil }, Continues: continues})
	if err != nil {
		return err
	}
	if want := segmentSeconds * 30; res.Renditions[0].Frames != want {
		return fmt.Errorf("a segment came out with %d pictures, want %d", res.Renditions[0].Frames, want)
	}
	add(sum, bench.Usage{Took: time.Since(begun), CPU: res.CPU + own() - mine})
	return nil
}

// live paces each segment's bytes over its duration and takes the time from the last of them to the last of the renditions.
func (b *benchmark) live(ctx context.Context, f bench.Footage) error {
	fmt.Fprintf(os.Stderr, "live: %d segments of 720p at their own pace, twice\n", f.Count)
	files, segments, err := f.Make(ctx, b.ffmpeg, b.dir)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name, aim string
		ladder    protocol.Ladder
	}{{"live_tail_same", "<= 0.60", small}, {"live_tail_lowlat", "<= 0.10", with(small, "veryfast", -1)}} {
		if err := b.start(ctx); err != nil {
			return err
		}
		var tails, whole []float64
		for i, segment := range segments {
			tail, err := b.paced(ctx, c.ladder, segment, i > 0)
			if err != nil {
				return err
			}
			u, err := bench.Run(bench.Transcode(ctx, b.ffmpeg, c.ladder, 0, b.dir, "-i", files[i]))
			if err != nil {
				return err
			}
			tails, whole = append(tails, tail.Seconds()), append(whole, u.Took.Seconds())
		}
		b.figure(c.name, bench.Percentile(tails, 50)/bench.Percentile(whole, 50), "ratio", c.aim, singleName+", its whole response time")
		b.figure(c.name+"_p50", bench.Percentile(tails, 50), "s", "", "from the last byte in to the last byte out")
	}
	if err := b.firstBytes(ctx, segments); err != nil {
		return err
	}
	b.stop()
	return nil
}

// partMillis is the chunk length of the low-latency profile whose first bytes are timed.
const partMillis = 200

// firstBytes takes the time from the first byte of a paced source to the first byte of media of the rendition that is last to
// have one.
func (b *benchmark) firstBytes(ctx context.Context, segments [][]byte) error {
	for _, c := range []struct {
		name, aim string
		part      int64
	}{{"first_byte_over_part_ms", "<= 150", partMillis}, {"first_byte_ts_ms", "", 0}} {
		if err := b.start(ctx); err != nil {
			return err
		}
		ladder := with(small, "veryfast", -1)
		for i := range ladder {
			if c.part > 0 {
				ladder[i].Container, ladder[i].PartMillis = protocol.FMP4, uint32(c.part)
			}
		}
		var waits []float64
		for i, segment := range segments {
			wait, err := b.firstByte(ctx, ladder, segment, i > 0)
			if err != nil {
				return err
			}
			if i > 0 { // the first learns the stream's frame rate
				waits = append(waits, float64(wait.Milliseconds()-c.part))
			}
		}
		b.figure(c.name, bench.Percentile(waits, 50), "ms", c.aim, "")
	}
	return nil
}

func (b *benchmark) firstByte(ctx context.Context, ladder protocol.Ladder, segment []byte, continues bool) (time.Duration, error) {
	source := &bench.Paced{Body: segment, Over: segmentSeconds * time.Second}
	waiting := make(map[int]bool, len(ladder))
	for i := range ladder {
		waiting[i] = true
	}
	var first time.Time
	_, err := b.child.Transcode(ctx, media.Job{Ladder: ladder, Source: source, Continues: continues, Out: func(i int, p []byte) error {
		if bytes.Contains(p, []byte("moov")) && !bytes.Contains(p, []byte("moof")) { // the init segment, of no use alone
			return nil
		}
		if waiting[i] {
			if delete(waiting, i); len(waiting) == 0 {
				first = time.Now()
			}
		}
		return nil
	}})
	return first.Sub(source.Began), err
}

func (b *benchmark) paced(ctx context.Context, ladder protocol.Ladder, segment []byte, continues bool) (time.Duration, error) {
	source := &bench.Paced{Body: segment, Over: segmentSeconds * time.Second}
	_, err := b.child.Transcode(ctx, media.Job{Ladder: ladder, Source: source, Out: func(int, []byte) error { return nil }, Continues: continues})
	return time.Since(source.Ended), err
}

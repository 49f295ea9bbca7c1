// Command benchpath measures the whole path, broadcaster to orchestrator to transcoder and back, against one ffmpeg process
// per segment with the same settings, interleaved in the same run.
//
//	BENCH_MEDIA=DIR   real footage: the first video file found there is looped and scaled; else FFmpeg's generators
//	BENCH_SEGMENTS=N  segments per case (12)
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/protocol"
)

const (
	segmentSeconds = 2
	lookahead      = 40  // x264's own for medium; both sides are told
	warmSegments   = 210 // that a payee's trust needs
	warmStreams    = 3   // that bring them at once: a broadcaster takes no more than 20 pushes a second on each
	baselineName   = "one ffmpeg process per whole segment"
	command        = "make bench-path"
)

var ladder = protocol.Ladder{
	{Name: "480p", Width: 854, Height: 480, Bitrate: 1_600_000, Codec: protocol.H264, CodecProfile: "high", Preset: "medium", Lookahead: lookahead},
	{Name: "360p", Width: 640, Height: 360, Bitrate: 800_000, Codec: protocol.H264, CodecProfile: "high", Preset: "medium", Lookahead: lookahead},
	{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.H264, CodecProfile: "high", Preset: "medium", Lookahead: lookahead},
}

func main() { bench.Main("benchpath", run) }

func run(ctx context.Context) error {
	n, err := bench.Number("BENCH_SEGMENTS", 12, 3)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kinora-benchpath-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &benchmark{ffmpeg: os.Getenv("KINORA_FFMPEG"), dir: dir, count: n}
	if b.ffmpeg == "" {
		return fmt.Errorf("KINORA_FFMPEG is not set: run %s", command)
	}
	fmt.Fprintln(os.Stderr, "making", 2*n, "segments of 720p30")
	if err := b.makeMedia(ctx); err != nil {
		return err
	}
	kinora, err := filepath.Abs("bin/kinora")
	if err != nil {
		return err
	}
	rungs, err := json.Marshal(ladder)
	if err != nil {
		return err
	}
	if err := b.newTier(ctx, kinora, string(rungs)); err != nil {
		return fmt.Errorf("new tier: %w", err)
	}
	if err := b.steadyTier(ctx, kinora, string(rungs)); err != nil {
		return fmt.Errorf("steady tier: %w", err)
	}
	bench.Print(os.Stdout, b.figures)
	return bench.Save("path", b.figures)
}

type benchmark struct {
	ffmpeg   string
	dir      string
	count    int // segments of a case; there are twice as many, for the two cases on one stream
	segments [][]byte
	files    []string
	warm     [][]byte
	figures  []bench.Figure
}

func (b *benchmark) figure(name string, value float64, unit, aim, baseline string) {
	b.figures = append(b.figures, bench.Figure{Name: name, Value: value, Unit: unit, Aim: aim, Baseline: baseline, Command: command})
}

// makeMedia cuts the source into segments, and makes the small ones with which a payee earns its trust.
func (b *benchmark) makeMedia(ctx context.Context) error {
	source := bench.Footage{Name: "s", Width: 1280, Height: 720, Rate: "3200k", Count: 2 * b.count, Seconds: segmentSeconds}
	var err error
	if b.files, b.segments, err = source.Make(ctx, b.ffmpeg, b.dir); err != nil {
		return err
	}
	small := bench.Footage{Name: "w", Width: 320, Height: 180, Rate: "300k", Count: warmSegments, Seconds: 0.5, Generated: true}
	_, b.warm, err = small.Make(ctx, b.ffmpeg, b.dir)
	return err
}

// plain runs the baseline on one segment.
func (b *benchmark) plain(ctx context.Context, file string) (bench.Usage, error) {
	return bench.Run(bench.Transcode(ctx, b.ffmpeg, ladder, 0, b.dir, "-i", file))
}

// measured is one case: a pair of response times per segment, and CPU time over all of them.
type measured struct {
	ours, plain             []float64 // seconds
	roles, ground, plainCPU time.Duration
	parts                   map[string]time.Duration // CPU time by what used it
	tree                    []bench.Process
}

// interleave pushes count segments, from the given one on, and has plain ffmpeg make each of them right after.
func (b *benchmark) interleave(ctx context.Context, m *market, stream string, from int, pace time.Duration) (measured, error) {
	r := measured{parts: map[string]time.Duration{}}
	for i := from; i < from+b.count; i++ {
		body := b.segments[i]
		rolesBefore, groundBefore, treeBefore, err := m.usage()
		if err != nil {
			return r, err
		}
		whole, tail, err := m.push(ctx, stream, i, body, map[string]string{"Content-Duration": strconv.Itoa(segmentSeconds * 1000)}, pace)
		if err != nil {
			return r, err
		}
		took := whole
		if pace > 0 {
			took = tail
		}
		rolesAfter, groundAfter, tree, err := m.usage()
		if err != nil {
			return r, err
		}
		r.tree = tree
		r.roles += rolesAfter - rolesBefore
		r.ground += groundAfter - groundBefore
		for name, cpu := range byName(tree) {
			r.parts[name] += cpu
		}
		for name, cpu := range byName(treeBefore) {
			r.parts[name] -= cpu
		}
		plain, err := b.plain(ctx, b.files[i])
		if err != nil {
			return r, err
		}
		r.plainCPU += plain.CPU
		r.ours, r.plain = append(r.ours, took.Seconds()), append(r.plain, plain.Took.Seconds())
	}
	return r, nil
}

func (b *benchmark) newTier(ctx context.Context, kinora, rungs string) error {
	fmt.Fprintln(os.Stderr, "case b: every segment's pictures checked on both hops (new payees)")
	m, err := start(kinora, rungs)
	if err != nil {
		return err
	}
	defer m.stop()
	if _, _, err := m.push(ctx, "first", 0, b.warm[0], warmHeader, 0); err != nil {
		return err
	}
	answered := time.Now()
	_, _, tree, err := m.usage()
	if err != nil {
		return err
	}
	began := answered
	for _, p := range tree {
		if roleOf.MatchString(p.Command) && p.Started.Before(began) {
			began = p.Started
		}
	}
	r, err := b.interleave(ctx, m, "bench-new", 0, 0)
	if err != nil {
		return err
	}
	b.figure("new_p50_ratio", bench.Percentile(r.ours, 50)/bench.Percentile(r.plain, 50), "ratio", "", baselineName)
	b.figure("new_cpu_ratio", r.roles.Seconds()/r.plainCPU.Seconds(), "ratio", "<= 1.10", baselineName)
	b.parts("new", r)
	b.figure("start_to_first_answer", answered.Sub(began).Seconds(), "s", "<= 2", "first role started, keys and allocations included")
	return nil
}

// warmHeader asks for one small rung, so that trust is earned quickly.
var warmHeader = map[string]string{"Content-Duration": "500",
	"Livepeer-Transcode-Configuration": `{"profiles":[{"name":"90p","width":160,"height":90,"bitrate":150000,"fps":0,"profile":"H264Main"}]}`}

func (b *benchmark) steadyTier(ctx context.Context, kinora, rungs string) error {
	fmt.Fprintln(os.Stderr, "cases a and c: payees at the steady tier, earned with", warmSegments, "small segments")
	m, err := start(kinora, rungs)
	if err != nil {
		return err
	}
	defer m.stop()
	if err := b.earn(ctx, m); err != nil {
		return err
	}
	r, err := b.interleave(ctx, m, "bench-steady", 0, 0)
	if err != nil {
		return err
	}
	media := float64(b.count * segmentSeconds)
	b.figure("steady_p50_ratio", bench.Percentile(r.ours, 50)/bench.Percentile(r.plain, 50), "ratio", "<= 0.95", baselineName)
	b.figure("steady_p95_ratio", bench.Percentile(r.ours, 95)/bench.Percentile(r.plain, 95), "ratio", "", baselineName)
	b.figure("steady_cpu_ratio", r.roles.Seconds()/r.plainCPU.Seconds(), "ratio", "<= 0.90", baselineName)
	b.parts("steady", r)
	b.figure("steady_ground_cpu_ratio", r.ground.Seconds()/r.plainCPU.Seconds(), "ratio", "", "bus, chain and database, against the same")
	b.figure("steady_p50", bench.Percentile(r.ours, 50), "s", "", "")
	b.figure("plain_p50", bench.Percentile(r.plain, 50), "s", "", "")
	b.figure("steady_cpu", r.roles.Seconds()/media, "CPU-s per media-s", "", "")
	b.figure("plain_cpu", r.plainCPU.Seconds()/media, "CPU-s per media-s", "", "")

	// The same stream goes on: its lease has all of the transcoder.
	paced, err := b.interleave(ctx, m, "bench-steady", b.count, segmentSeconds*time.Second)
	if err != nil {
		return err
	}
	b.figure("paced_p50_ratio", bench.Percentile(paced.ours, 50)/bench.Percentile(paced.plain, 50), "ratio", "<= 0.70",
		"a fresh ffmpeg started once the whole segment is there")
	b.figure("paced_p50", bench.Percentile(paced.ours, 50), "s", "", "from the last byte")
	b.memory(paced.tree)
	return nil
}

// earn has small segments transcoded until the payees are trusted.
func (b *benchmark) earn(ctx context.Context, m *market) error {
	failed := make(chan error, warmStreams)
	for lane := range warmStreams {
		go func() {
			turn := time.NewTicker(60 * time.Millisecond)
			defer turn.Stop()
			for i := len(b.warm) * lane / warmStreams; i < len(b.warm)*(lane+1)/warmStreams; i++ {
				<-turn.C
				if _, _, err := m.push(ctx, fmt.Sprintf("warm%d", lane), i, b.warm[i], warmHeader, 0); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	var first error
	for range warmStreams {
		if err := <-failed; first == nil {
			first = err
		}
	}
	return first
}

// partNames are the kinds of process a market is made of.
var partNames = []string{"broadcaster", "orchestrator", "transcoder", "media_child_of_broadcaster", "media_child_of_orchestrator",
	"media_child_of_transcoder", "up", "postgres"}

func partName(p bench.Process, all map[int]bench.Process) string {
	name := role(p, all)
	switch {
	case strings.Contains(p.Command, "kinora-media") && name != "":
		return "media_child_of_" + name
	case name == "" && strings.Contains(p.Command, "kinora up"):
		return "up"
	case name == "":
		return "postgres"
	}
	return name
}

func index(tree []bench.Process) map[int]bench.Process {
	byPID := map[int]bench.Process{}
	for _, p := range tree {
		byPID[p.PID] = p
	}
	return byPID
}

// byName sums CPU time by kind. What a child used moves to its parent when it ends.
func byName(tree []bench.Process) map[string]time.Duration {
	all, sum := index(tree), map[string]time.Duration{}
	for _, p := range tree {
		sum[partName(p, all)] += p.CPU
	}
	return sum
}

// parts says where the CPU time of a case went.
func (b *benchmark) parts(prefix string, r measured) {
	for _, name := range partNames {
		b.figure(prefix+"_cpu_"+name, r.parts[name].Seconds()/r.plainCPU.Seconds(), "ratio", "", baselineName)
	}
}

func (b *benchmark) memory(tree []bench.Process) {
	all, peak := index(tree), map[string]int64{}
	for _, p := range tree {
		name := partName(p, all)
		peak[name] = max(peak[name], p.PeakRSS)
	}
	for _, name := range partNames {
		if peak[name] > 0 {
			b.figure("peak_rss_"+name, float64(peak[name])/(1<<20), "MiB", "", "largest process of its kind")
		}
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Small streams, so that a machine of few cores takes many of them and one more or less is a small part.
var (
	tiny        = protocol.Ladder{crowded("120p", 214, 120, 150_000), crowded("90p", 160, 90, 100_000)}
	tinyFootage = bench.Footage{Name: "overload", Width: 320, Height: 180, Rate: "400k", Count: 8, Seconds: segmentSeconds}
)

const (
	tinyFPS     = 30
	fullRounds  = 2 // of each side, taking turns
	overloadFor = 16 * time.Second
	settleFor   = 6 * time.Second // before goodput is counted: the first segments are under way
	holdBack    = 3               // a segment is of use until so many of its durations after its last source byte
)

func crowded(name string, width, height, bitrate uint32) protocol.Profile {
	p := rung(name, width, height, bitrate)
	p.Preset = "veryfast"
	return p
}

// overload fills the machine with streams, each in a child of its own, against as many ffmpeg processes; then offers two and
// four times as many as it holds to the transcoder's own admission.
func (b *benchmark) overload(ctx context.Context) error {
	files, segments, err := tinyFootage.Make(ctx, b.ffmpeg, b.dir)
	if err != nil {
		return err
	}
	n := 4 * runtime.NumCPU()
	fmt.Fprintf(os.Stderr, "overload: %d streams at once, as fast as they go, against as many ffmpeg processes\n", n)
	join := filepath.Join(b.dir, "overload-join.ts")
	if err := os.WriteFile(join, bytes.Join(segments, nil), 0o600); err != nil {
		return err
	}
	var ours, plain time.Duration
	var cpu time.Duration
	for range fullRounds {
		took, used, err := b.together(ctx, n, segments)
		if err != nil {
			return err
		}
		ours, cpu = ours+took, cpu+used
		if took, err = b.separate(ctx, n, join); err != nil {
			return err
		}
		plain += took
	}
	mediaSeconds := float64(fullRounds*n*len(files)) * segmentSeconds
	full := mediaSeconds / ours.Seconds() // streams that keep real time
	b.figure("full_throughput_ratio", plain.Seconds()/ours.Seconds(), "ratio", ">= 0.98", fmt.Sprintf("%d separate ffmpeg processes at once", n))
	b.figure("full_streams", full, "streams in real time", "", "")
	work := capacity.Work{Ladder: tiny, SourceFPS: tinyFPS}
	rates := capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: uint64(full * float64(tiny.PixelRate(tinyFPS)))}},
		MilliCPU: int(cpu.Milliseconds() * 1000 / ours.Milliseconds())}
	for _, times := range []int{2, 4} {
		offered := int(math.Ceil(full * float64(times)))
		fmt.Fprintf(os.Stderr, "overload: %d streams are offered to a machine that holds %.1f\n", offered, full)
		r, err := b.offer(ctx, offered, work, capacity.New(capacity.Config{Rates: rates, CPUs: runtime.NumCPU()}), segments)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("overload%d", times)
		b.figure(name+"_goodput", r.useful/r.counted.Seconds()/full, "ratio", ">= 0.95", "what it makes when it is full")
		b.figure(name+"_accepted", float64(r.accepted), "streams", "", fmt.Sprintf("of %d offered", offered))
		b.figure(name+"_refusal_p95_ms", bench.Percentile(r.refusals, 95), "ms", "", "to a typed refusal")
		b.figure(name+"_fairness", r.fairness, "ratio", "", "worst stream's useful segments against the best's")
	}
	return nil
}

// together runs n streams at once, each in a child of its own, and returns how long that took and their CPU time.
func (b *benchmark) together(ctx context.Context, n int, segments [][]byte) (took, cpu time.Duration, err error) {
	children, err := b.children(ctx, n)
	defer closeAll(children)
	if err != nil {
		return 0, 0, err
	}
	var mu sync.Mutex
	var errs []error
	var running sync.WaitGroup
	begun := time.Now()
	for _, c := range children {
		running.Go(func() {
			for i, segment := range segments {
				res, err := c.Transcode(ctx, media.Job{Ladder: tiny, Source: bytes.NewReader(segment), Out: func(int, []byte) error { return nil }, Continues: i > 0})
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
					mu.Unlock()
					return
				}
				cpu += res.CPU
				mu.Unlock()
			}
		})
	}
	running.Wait()
	return time.Since(begun), cpu, errors.Join(errs...)
}

// children starts n of them; those that run are returned also with an error.
func (b *benchmark) children(ctx context.Context, n int) (all []*media.Child, err error) {
	path, err := filepath.Abs("bin/kinora-media")
	if err != nil {
		return nil, err
	}
	for range n {
		c, err := media.Start(ctx, media.Options{Path: path})
		if err != nil {
			return all, err
		}
		all = append(all, c)
	}
	return all, nil
}

func closeAll(children []*media.Child) {
	for _, c := range children {
		_ = c.Close()
	}
}

// separate runs n ffmpeg processes at once over the joined segments.
func (b *benchmark) separate(ctx context.Context, n int, join string) (time.Duration, error) {
	errs := make([]error, n)
	var running sync.WaitGroup
	begun := time.Now()
	for i := range n {
		dir := filepath.Join(b.dir, fmt.Sprintf("separate%d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return 0, err
		}
		running.Go(func() { _, errs[i] = bench.Run(bench.Transcode(ctx, b.ffmpeg, tiny, segmentSeconds, dir, "-i", join)) })
	}
	running.Wait()
	return time.Since(begun), errors.Join(errs...)
}

// offering is what came of streams that were offered.
type offering struct {
	useful   float64       // seconds of media that were made in time
	counted  time.Duration // over how long
	accepted int
	refusals []float64 // ms
	fairness float64
}

// offer has so many live streams ask for a place once a segment until they have one, and counts the media of those that have,
// as far as it comes in time.
func (b *benchmark) offer(ctx context.Context, offered int, work capacity.Work, meter *capacity.Meter, segments [][]byte) (r offering, err error) {
	path, err := filepath.Abs("bin/kinora-media")
	if err != nil {
		return r, err
	}
	pool := media.NewPool(media.Options{Path: path}, 1)
	defer pool.Close()
	begun := time.Now()
	from, to := begun.Add(settleFor), begun.Add(settleFor+overloadFor)
	var mu sync.Mutex
	var errs []error
	var perStream []float64 // useful part of what each accepted stream brought in the time that counts
	var running sync.WaitGroup
	for i := range offered {
		running.Go(func() {
			next := begun.Add(time.Duration(i) * segmentSeconds * time.Second / time.Duration(offered)) // they do not begin together
			id := protocol.NewID()
			for placed := false; !placed; next = next.Add(segmentSeconds * time.Second) {
				if !next.Before(to) {
					return
				}
				time.Sleep(time.Until(next))
				asked := time.Now()
				refusal := meter.Reserve(id, work, asked)
				mu.Lock()
				switch code := protocol.CodeOf(refusal); {
				case refusal == nil:
					placed = true
					r.accepted++
				case code == protocol.NoCapacity:
					r.refusals = append(r.refusals, float64(time.Since(asked).Microseconds())/1000)
				default:
					errs = append(errs, refusal)
				}
				mu.Unlock()
				if placed {
					break
				}
			}
			defer meter.Release(id)
			useful, brought, err := b.stream(ctx, pool, segments, next, from, to, func(s capacity.Segment) { meter.Observe(id, s, time.Now()) })
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
			}
			r.useful += useful
			if brought > 0 {
				perStream = append(perStream, useful/brought)
			}
		})
	}
	running.Wait()
	r.counted = to.Sub(from)
	if len(perStream) > 0 && slices.Max(perStream) > 0 {
		r.fairness = slices.Min(perStream) / slices.Max(perStream)
	}
	return r, errors.Join(errs...)
}

// stream runs one live stream until the end and returns the media that was brought, and made in time, between from and to.
func (b *benchmark) stream(ctx context.Context, pool *media.Pool, segments [][]byte, begin, from, to time.Time, observe func(capacity.Segment)) (useful, brought float64, err error) {
	child, err := pool.Get(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer child.Close()
	const length = segmentSeconds * time.Second
	for i := 0; begin.Before(to); i++ {
		source := &bench.Paced{Body: segments[i%len(segments)], Over: length - min(length-time.Millisecond, max(0, time.Since(begin)))}
		res, err := child.Transcode(ctx, media.Job{Ladder: tiny, Source: source, Out: func(int, []byte) error { return nil }})
		if err != nil {
			return useful, brought, err
		}
		end := begin.Add(length) // when the last byte came in life
		tail := time.Since(end)
		observe(capacity.Segment{Media: res.Source.Duration, CPU: res.CPU, Tail: tail})
		if counts := min(end.Sub(from), to.Sub(begin), length); counts > 0 { // the part of it within the time that counts
			brought += counts.Seconds()
			if tail <= holdBack*length {
				useful += counts.Seconds()
			}
		}
		begin = end
	}
	return useful, brought, nil
}

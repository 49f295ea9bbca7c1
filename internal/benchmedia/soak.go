package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// soakSegments go through one child, unless BENCH_SOAK names another number.
const soakSegments = 1000

// soak takes the memory of one child that is never changed, and of its parent, over many segments of one stream.
func (b *benchmark) soak(ctx context.Context) error {
	n, err := bench.Number("BENCH_SOAK", soakSegments, 10)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "soak: %d segments of a second through one child\n", n)
	footage := bench.Footage{Name: "soak", Width: 320, Height: 180, Rate: "300k", Count: n, Seconds: 1, Generated: true}
	files, _, err := footage.Make(ctx, b.ffmpeg, b.dir)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // the footage, which a parent does not have
	path, err := filepath.Abs("bin/kinora-media")
	if err != nil {
		return err
	}
	pool := media.NewPool(media.Options{Path: path, Worn: media.Worn{Segments: 10 * n}}, 0)
	defer pool.Close()
	session, err := pool.NewSession(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	ladder := with(protocol.Ladder{rung("180p", 320, 180, 200_000), rung("144p", 256, 144, 120_000)}, "veryfast", lookahead)
	child := session.Pid()
	marks := map[int]bool{n / 10: true, n / 2: true, n: true}
	var first, last int64
	for i, file := range files {
		segment, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		res, err := session.Transcode(ctx, media.Job{Ladder: ladder, Source: bytes.NewReader(segment), Out: func(int, []byte) error { return nil }, Continues: i > 0})
		if err != nil {
			return fmt.Errorf("segment %d: %w", i, err)
		}
		if res.Renditions[0].Frames != 30 || session.Pid() != child {
			return fmt.Errorf("segment %d: %d pictures by child %d, want 30 by %d", i, res.Renditions[0].Frames, session.Pid(), child)
		}
		if !marks[i+1] {
			continue
		}
		if last, err = resident(child); err != nil {
			return err
		}
		if first == 0 {
			first = last
		}
		b.figure(fmt.Sprintf("soak_rss_%d", i+1), mib(last), "MiB", "", "")
	}
	b.figure("soak_growth", float64(last)/float64(first), "ratio", "<= 1.05", fmt.Sprintf("its memory after %d segments", n/10))
	parent, err := resident(os.Getpid())
	if err != nil {
		return err
	}
	b.figure("parent_rss", mib(parent), "MiB", "<= 60", "")
	return nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// resident is how much of a process is in memory now.
func resident(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return pages * int64(os.Getpagesize()), nil
}

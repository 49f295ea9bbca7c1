package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/media"
)

// seamPictures is how many pictures from the start of each segment are looked at for its seam.
const seamPictures = 3

// quality compares the joined renditions with those of one long-running ffmpeg of the same settings, by the SSIM of each against
// the source.
func (b *benchmark) quality(ctx context.Context, f bench.Footage) error {
	fmt.Fprintf(os.Stderr, "quality: SSIM of %d joined segments\n", f.Count)
	_, segments, err := f.Make(ctx, b.ffmpeg, b.dir)
	if err != nil {
		return err
	}
	source := filepath.Join(b.dir, "quality-source.ts")
	if err := os.WriteFile(source, bytes.Join(segments, nil), 0o600); err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer b.stop()
	outputs := make([]bytes.Buffer, len(small))
	for i, segment := range segments {
		if _, err := b.child.Transcode(ctx, media.Job{Ladder: small, Source: bytes.NewReader(segment), Continues: i > 0,
			Out: func(rendition int, p []byte) error { outputs[rendition].Write(p); return nil }}); err != nil {
			return err
		}
	}
	dir := filepath.Join(b.dir, "quality")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if _, err := bench.Run(bench.Transcode(ctx, b.ffmpeg, small, segmentSeconds, dir, "-i", source)); err != nil {
		return err
	}
	worst, worstSeam := 1.0, 1.0
	for i, p := range small {
		ours := filepath.Join(b.dir, "quality-"+p.Name+".ts")
		if err := os.WriteFile(ours, outputs[i].Bytes(), 0o600); err != nil {
			return err
		}
		mine, err := b.ssim(ctx, ours, source, int(p.Width), int(p.Height))
		if err != nil {
			return err
		}
		theirs, err := b.ssim(ctx, filepath.Join(dir, p.Name+".ts"), source, int(p.Width), int(p.Height))
		if err != nil {
			return err
		}
		if want := len(segments) * segmentSeconds * 30; len(mine) != want || len(theirs) != want {
			return fmt.Errorf("%s: %d pictures of ours and %d of ffmpeg's were compared, want %d", p.Name, len(mine), len(theirs), want)
		}
		seam := func(v []float64) (some []float64) {
			for k := segmentSeconds * 30; k < len(v); k += segmentSeconds * 30 {
				some = append(some, v[k:k+seamPictures]...)
			}
			return some
		}
		worst = min(worst, mean(mine)-mean(theirs))
		worstSeam = min(worstSeam, mean(seam(mine))-mean(seam(theirs)))
		b.figure("ssim_"+p.Name, mean(mine), "SSIM", "", fmt.Sprintf("%s: %.5f", joinedName, mean(theirs)))
		b.figure("size_ratio_"+p.Name, sizeRatio(ours, filepath.Join(dir, p.Name+".ts")), "ratio", "", joinedName)
	}
	b.figure("ssim_delta", worst, "SSIM", ">= -0.0005", joinedName+", the worst rendition")
	b.figure("ssim_seam_delta", worstSeam, "SSIM", ">= -0.0005", fmt.Sprintf("the first %d pictures of each segment alone", seamPictures))
	return nil
}

func sizeRatio(a, b string) float64 {
	sa, errA := os.Stat(a)
	sb, errB := os.Stat(b)
	if errA != nil || errB != nil || sb.Size() == 0 {
		return 0
	}
	return float64(sa.Size()) / float64(sb.Size())
}

var ssimAll = regexp.MustCompile(`\bAll:([0-9.]+)`)

// ssim is the SSIM of every picture of file against that of the source, scaled to its size.
func (b *benchmark) ssim(ctx context.Context, file, source string, width, height int) ([]float64, error) {
	stats := file + ".ssim"
	graph := fmt.Sprintf("[1:v]scale=%d:%d:flags=bicubic,setpts=PTS-STARTPTS[ref];[0:v]setpts=PTS-STARTPTS[out];[out][ref]ssim=stats_file=%s", width, height, stats)
	cmd := exec.CommandContext(ctx, b.ffmpeg, "-v", "error", "-nostdin", "-i", file, "-i", source, "-lavfi", graph, "-f", "null", "-")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compare %s: %w: %s", filepath.Base(file), err, out)
	}
	text, err := os.ReadFile(stats)
	if err != nil {
		return nil, err
	}
	var all []float64
	for line := range strings.Lines(string(text)) {
		if m := ssimAll.FindStringSubmatch(line); m != nil {
			v, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return nil, fmt.Errorf("SSIM of %s: %w", filepath.Base(file), err)
			}
			all = append(all, v)
		}
	}
	return all, nil
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(max(len(v), 1))
}

//go:build ignore

// Makes the seeds of the corpus with FFmpeg's own generators: `go generate ./internal/media/corpus`, with FFmpeg as
// deploy/env.sh names it. Outputs differ a little between FFmpeg releases; the committed ones are what the tests read.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	picture = "-f lavfi -i testsrc2=size=64x48:rate=15:duration=0.8"
	tone    = "-f lavfi -i sine=duration=0.8:sample_rate=48000"
	x264    = "-c:v libx264 -preset ultrafast -bf 1"
	aac     = "-c:a aac -b:a 24k -ac 1"
	frags   = "-movflags frag_keyframe+empty_moov+default_base_moof"
)

// seeds are FFmpeg's arguments by file.
var seeds = map[string][]string{
	"h264-aac.ts":         {picture, tone, x264, aac},
	"hevc-ac3.ts":         {picture, tone, "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a ac3 -b:a 48k -ac 1"},
	"mpeg2-mp2.ts":        {picture, tone, "-r 25 -c:v mpeg2video -b:v 100k -c:a mp2 -b:a 48k -ac 1"},
	"h264-mp3.ts":         {picture, tone, x264, "-c:a libmp3lame -b:a 32k -ac 1"},
	"h264-silent.ts":      {picture, x264},
	"h264-interlaced.ts":  {picture, x264, "-flags +ildct+ilme -x264-params tff=1"},
	"h264-10bit.ts":       {picture, x264, "-pix_fmt yuv420p10le"},
	"one-picture.ts":      {"-f lavfi -i testsrc2=size=64x48:rate=15:duration=0.05", x264},
	"sound-only.ts":       {tone, aac},
	"tiny-16x16.ts":       {"-f lavfi -i testsrc2=size=16x16:rate=15:duration=0.4", x264},
	"huge-8192x4320.ts":   {"-f lavfi -i color=size=8192x4320:rate=15:duration=0.05", "-c:v libx264 -preset ultrafast -x264-params threads=1"},
	"far-apart.ts":        {"-f lavfi -i testsrc2=size=64x48:rate=1/55:duration=110", "-c:v libx264 -preset ultrafast -bf 0 -fps_mode passthrough"},
	"h264-aac-frag.mp4":   {picture, tone, x264, aac, frags},
	"hevc-aac.mp4":        {picture, tone, "-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1", aac, "-movflags +faststart"},
	"moov-at-the-end.mp4": {picture, tone, x264, aac},
	"av1-opus-frag.mp4":   {"-f lavfi -i testsrc2=size=64x64:rate=15:duration=0.8", tone, "-c:v libsvtav1 -preset 12 -c:a libopus -b:a 24k -ac 1", frags},
	"h264-aac.mkv":        {picture, tone, x264, aac},
	"vp9-opus.webm":       {picture, tone, "-c:v libvpx-vp9 -deadline realtime -c:a libopus -b:a 24k -ac 1"},
	"vp8-opus.webm":       {picture, tone, "-c:v libvpx -deadline realtime -c:a libopus -b:a 24k -ac 1"},
}

func main() {
	for name, args := range seeds {
		line := append([]string{"-v error -nostdin -y -fflags +bitexact"}, args...)
		line = append(line, "-flags +bitexact -fflags +bitexact "+filepath.Join("seeds", name))
		cmd := exec.Command(os.Getenv("KINORA_FFMPEG"), strings.Fields(strings.Join(line, " "))...)
		cmd.Env = append(os.Environ(), "SVT_LOG=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n%s", name, err, out)
			os.Exit(1)
		}
	}
}

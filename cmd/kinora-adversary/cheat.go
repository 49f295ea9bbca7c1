package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/transcoder"
)

// trick is how one kind of cheat differs from honest work. All else is as it should be: container, times, sound, size,
// bitrate.
type trick struct {
	kind    string
	filter  string   // of the pictures, before they are scaled; [p] is the previous segment's, where there was one
	options []string // of ffmpeg, after the honest ones
	output  func([]byte) []byte
	claim   func(*media.Rendition)
}

var tricks = []trick{
	// The noise costs the bits that a picture would, so that only who looks sees that there is none.
	{kind: "black", filter: "drawbox=c=black:t=fill,noise=alls=14:allf=t"},
	{kind: "frozen", filter: "split[a][b];[b]select=eq(n\\,0)[c];[a][c]overlay=eof_action=repeat"},
	{kind: "flip", filter: "hflip"},
	{kind: "replay", filter: "[p]overlay=eof_action=repeat"},
	{kind: "wrong-size"},
	{kind: "low-bitrate", filter: "scale=32:18", options: []string{"-b:v", "0", "-maxrate", "0", "-crf", "51"}},
	{kind: "no-audio", options: []string{"-an"}},
	{kind: "drop-frames", filter: "select=mod(n\\,2)"},
	{kind: "truncated", output: func(b []byte) []byte { return b[:len(b)/2/188*188] }},
	{kind: "forged-receipt", claim: func(r *media.Rendition) { r.Frames, r.Pixels = 2*r.Frames, 2*r.Pixels }},
}

func kinds() []string {
	var out []string
	for _, t := range tricks {
		out = append(out, t.kind)
	}
	return out
}

// findFFmpeg returns path, or the ffmpeg beside this program, or the one in PATH.
func findFFmpeg(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), "ffmpeg")
		if st, err := os.Stat(path); err == nil && st.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return "", errors.New("ffmpeg is not found: set KINORA_FFMPEG to its path")
	}
	return path, nil
}

// cheat is an Encoder that makes something else than was ordered.
type cheat struct {
	kind   string
	ffmpeg string
	log    *slog.Logger
}

// Open readies a session.
func (c *cheat) Open(_ context.Context, ladder protocol.Ladder) (transcoder.Session, error) {
	for _, t := range tricks {
		if t.kind == c.kind {
			return &session{cheat: c, trick: t, ladder: ladder}, nil
		}
	}
	return nil, protocol.Errorf(protocol.Internal, "no cheat %q", c.kind)
}

type session struct {
	*cheat
	trick  trick
	ladder protocol.Ladder

	mu       sync.Mutex
	previous []byte
}

// Close has nothing to do.
func (s *session) Close() error { return nil }

// Encode takes the segment whole, lets ffmpeg make the outputs in a folder and hands them over.
func (s *session) Encode(ctx context.Context, job media.Job) (*media.Result, error) {
	source, err := io.ReadAll(job.Source)
	if err != nil {
		return nil, err
	}
	info, err := look(source)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	previous := s.previous
	s.previous = source
	s.mu.Unlock()
	dir, err := os.MkdirTemp("", "kinora-adversary")
	if err != nil {
		return nil, protocol.Errorf(protocol.Internal, "%w", err)
	}
	defer os.RemoveAll(dir)
	args, err := s.arguments(dir, source, previous, info)
	if err != nil {
		return nil, err
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, s.ffmpeg, args...)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return nil, protocol.Errorf(protocol.TranscodeFailed, "ffmpeg: %w: %.500s", err, said.String())
	}
	result := &media.Result{}
	for i, p := range s.ladder {
		out, err := os.ReadFile(filepath.Join(dir, strconv.Itoa(i)+".ts"))
		if err != nil {
			return nil, protocol.Errorf(protocol.Internal, "%w", err)
		}
		if s.trick.output != nil {
			out = s.trick.output(out)
		}
		if err := job.Out(i, out); err != nil {
			return nil, err
		}
		made, err := look(out)
		if err != nil {
			return nil, err
		}
		r := media.Rendition{Name: p.Name, Frames: made.Frames, Keyframes: made.Keyframes, Pixels: int64(made.Frames) * int64(p.Width) * int64(p.Height),
			FirstPTS: made.FirstPTS, LastPTS: made.LastPTS, Duration: made.Duration, Bytes: made.Bytes, VideoBytes: made.VideoBytes}
		if s.trick.claim != nil {
			s.trick.claim(&r)
		}
		result.Renditions = append(result.Renditions, r)
	}
	s.log.Debug("cheated", "bytes", len(source))
	return result, nil
}

// arguments of ffmpeg: one process, one output a profile.
func (s *session) arguments(dir string, source, previous []byte, info verify.SourceInfo) ([]string, error) {
	in := filepath.Join(dir, "source.ts")
	if err := os.WriteFile(in, source, 0o600); err != nil {
		return nil, protocol.Errorf(protocol.Internal, "%w", err)
	}
	args := []string{"-hide_banner", "-loglevel", "error", "-nostdin", "-copyts", "-i", in}
	filter := s.trick.filter
	if strings.Contains(filter, "[p]") {
		old, err := look(previous)
		if err != nil {
			filter = "" // the first segment has nothing before it: honest for once
		} else {
			path := filepath.Join(dir, "previous.ts")
			if err := os.WriteFile(path, previous, 0o600); err != nil {
				return nil, protocol.Errorf(protocol.Internal, "%w", err)
			}
			shift := float64(info.FirstPTS-old.FirstPTS) / 90_000
			args = append(args, "-itsoffset", strconv.FormatFloat(shift, 'f', 6, 64), "-i", path)
			filter = strings.Replace(filter, "[p]", "[1:v]", 1)
		}
	}
	// One decode and one trick for all renditions.
	graph := strings.TrimSuffix("[0:v]"+filter, ",")
	if filter == "" {
		graph += "null"
	}
	graph += ",split=" + strconv.Itoa(len(s.ladder))
	for i := range s.ladder {
		graph += fmt.Sprintf("[t%d]", i)
	}
	for i, p := range s.ladder {
		scale := fmt.Sprintf(";[t%d]scale=%d:%d,setsar=1,format=yuv420p", i, p.Width, p.Height)
		if s.trick.kind == "wrong-size" {
			scale = fmt.Sprintf(";[t%d]scale=%d:%d,setsar=1,format=yuv420p", i, p.Width/4*2, p.Height/4*2)
		}
		if p.FPSNum != 0 {
			scale += fmt.Sprintf(",fps=%d/%d", p.FPSNum, p.FPSDen)
		}
		graph += scale + fmt.Sprintf("[o%d]", i)
	}
	args = append(args, "-filter_complex", graph)
	for i, p := range s.ladder {
		fps := info.FPS
		if p.FPSNum != 0 {
			fps = float64(p.FPSNum) / float64(p.FPSDen)
		}
		gop := 1 << 20
		if p.GOPMillis > 0 {
			gop = max(1, int(fps*float64(p.GOPMillis)/1000+0.5))
		}
		bitrate := strconv.Itoa(int(p.Bitrate))
		args = append(args, "-map", fmt.Sprintf("[o%d]", i), "-map", "0:a?", "-c:a", "copy", "-c:v", "libx264", "-preset", "veryfast",
			"-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate, "-g", strconv.Itoa(gop), "-keyint_min", strconv.Itoa(gop), "-sc_threshold", "0",
			"-enc_time_base", "1/90000", "-fps_mode", "passthrough", "-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1")
		args = append(args, s.trick.options...)
		args = append(args, "-f", "mpegts", filepath.Join(dir, strconv.Itoa(i)+".ts"))
	}
	return args, nil
}

// look measures a segment.
func look(b []byte) (verify.SourceInfo, error) {
	src := verify.NewSource(verify.Config{}, 0)
	defer src.Cancel()
	if _, err := src.Write(b); err != nil {
		return verify.SourceInfo{}, err
	}
	if err := src.Close(); err != nil {
		return verify.SourceInfo{}, err
	}
	return src.Info(context.Background())
}

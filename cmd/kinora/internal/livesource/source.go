package livesource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Source describes what is pushed where.
type Source struct {
	FFmpeg         string // program
	Input          string // file to loop; empty: the test picture
	PushURL        string // …/live/{stream}, without the segment's name
	Secret         string // bearer, where the listener asks for one
	SegmentSeconds int
	FirstSeq       uint64
	Log            *slog.Logger
	OnBegin        func() // called when the first byte of the first segment is made; may be nil
	OnFirst        func() // called when the first segment was answered; may be nil
}

// Limits of patience: pushes under way at once, and how long one is tried again when the broadcaster is away.
const (
	maxInFlight = 6
	retryFor    = 12 * time.Second
)

// Run makes and pushes segments until ctx ends, then completes the segment it is in and lets the pushes under way
// finish. It returns the number of segments that were answered with 200.
func (s Source) Run(ctx context.Context) (answered int, err error) {
	making, stopMaking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopMaking()
	patience := context.AfterFunc(ctx, func() {
		late := time.AfterFunc(time.Duration(2*s.SegmentSeconds)*time.Second, stopMaking)
		<-making.Done()
		late.Stop()
	})
	defer patience()
	cmd := exec.CommandContext(making, s.FFmpeg, s.arguments()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true} // Ctrl-C lets the last segment end
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the source: %w", err)
	}
	p := &pusher{source: s, slots: make(chan struct{}, maxInFlight)}
	cut := newCutter(out, s.SegmentSeconds*1000-200)
	var cutErr error
	for seq := s.FirstSeq; cutErr == nil && ctx.Err() == nil; seq++ {
		var body *segment
		cutErr = cut.next(func() io.Writer {
			body = newSegment()
			if s.OnBegin != nil && seq == s.FirstSeq {
				s.OnBegin()
			}
			p.push(context.WithoutCancel(ctx), seq, body)
			return body
		})
		if body != nil {
			body.close(cutErr == nil)
		}
	}
	stopMaking()
	waitErr := cmd.Wait()
	p.wg.Wait()
	if ctx.Err() == nil {
		return p.answered, fmt.Errorf("the source ended: %w: %s", errors.Join(cutErr, waitErr), lastLine(said.String()))
	}
	return p.answered, nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func (s Source) arguments() []string {
	gop := fmt.Sprint(30 * s.SegmentSeconds)
	args := []string{"-hide_banner", "-loglevel", "error", "-nostdin"}
	if s.Input == "" {
		clock := `drawtext=text='%{localtime\:%H\\\:%M\\\:%S}  %{pts\:hms}':fontsize=30:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=8:x=(w-tw)/2:y=h-60`
		args = append(args, "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30,"+clock,
			"-re", "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000")
	} else {
		args = append(args, "-re", "-stream_loop", "-1", "-i", s.Input,
			"-vf", "scale=-2:'min(360,ih)',fps=30,format=yuv420p", "-map", "0:v:0", "-map", "0:a:0?")
	}
	return append(args, "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-profile:v", "high",
		"-b:v", "1200k", "-maxrate", "1200k", "-bufsize", "1200k", "-g", gop, "-keyint_min", gop, "-sc_threshold", "0",
		"-force_key_frames", fmt.Sprintf("expr:gte(t,n_forced*%d)", s.SegmentSeconds),
		"-c:a", "aac", "-b:a", "96k", "-ac", "2", "-ar", "48000",
		"-f", "mpegts", "-muxdelay", "0.1", "-flush_packets", "1", "pipe:1")
}

// segment is a body that is sent while it grows and can be sent again from its start.
type segment struct {
	mu    sync.Mutex
	more  *sync.Cond
	data  []byte
	done  bool
	whole bool
}

func newSegment() *segment {
	s := &segment{}
	s.more = sync.NewCond(&s.mu)
	return s
}

func (s *segment) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = append(s.data, p...)
	s.more.Broadcast()
	return len(p), nil
}

func (s *segment) close(whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done, s.whole = true, whole
	s.more.Broadcast()
}

// reader reads from the start, waiting for bytes that have not come yet. A segment cut short by the end of the run ends
// in an error, so that its push is taken back rather than published as a stump.
func (s *segment) reader() io.Reader { return &segmentReader{s: s} }

type segmentReader struct {
	s   *segment
	off int
}

var errCutShort = errors.New("the source was stopped inside this segment")

func (r *segmentReader) Read(p []byte) (int, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for r.off == len(r.s.data) && !r.s.done {
		r.s.more.Wait()
	}
	if r.off < len(r.s.data) {
		n := copy(p, r.s.data[r.off:])
		r.off += n
		return n, nil
	}
	if !r.s.whole {
		return 0, errCutShort
	}
	return 0, io.EOF
}

type pusher struct {
	source   Source
	slots    chan struct{}
	wg       sync.WaitGroup
	mu       sync.Mutex
	answered int
	first    sync.Once
}

func (p *pusher) push(ctx context.Context, seq uint64, body *segment) {
	select {
	case p.slots <- struct{}{}:
	default:
		p.source.Log.Warn("source segment dropped: too many pushes wait for the broadcaster", "seq", seq)
		return
	}
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		defer func() { <-p.slots }()
		began := time.Now()
		for {
			err := p.once(ctx, seq, body)
			if err == nil {
				p.mu.Lock()
				p.answered++
				p.mu.Unlock()
				if p.source.OnFirst != nil {
					p.first.Do(p.source.OnFirst)
				}
				return
			}
			if errors.Is(err, errCutShort) {
				return
			}
			if time.Since(began) > retryFor {
				p.source.Log.Warn("source segment given up", "seq", seq, "err", err)
				return
			}
			p.source.Log.Debug("source segment pushed again", "seq", seq, "err", err)
			time.Sleep(300 * time.Millisecond)
		}
	}()
}

func (p *pusher) once(ctx context.Context, seq uint64, body *segment) error {
	url := fmt.Sprintf("%s/%d.ts", p.source.PushURL, seq)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, body.reader())
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "video/mp2t")
	req.Header.Set("Content-Duration", fmt.Sprint(p.source.SegmentSeconds*1000))
	if p.source.Secret != "" {
		req.Header.Set("Authorization", "Bearer "+p.source.Secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, resp.Status, said)
	}
	return nil
}

// Program finds ffmpeg: KINORA_FFMPEG, beside this program, or on the PATH.
func Program(beside string) (string, error) {
	if p := os.Getenv("KINORA_FFMPEG"); p != "" {
		return p, nil
	}
	if p := beside + "/ffmpeg"; beside != "" {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	p, err := exec.LookPath("ffmpeg")
	if err != nil {
		return "", fmt.Errorf("no ffmpeg program (KINORA_FFMPEG, beside kinora, PATH): run make build, or use --input none")
	}
	return p, nil
}

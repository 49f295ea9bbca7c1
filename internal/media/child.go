package media

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

// helloTimeout bounds how long a started child may take to say Hello.
const helloTimeout = 10 * time.Second

// Child is one running kinora-media. Its methods may be called from several goroutines at once.
type Child struct {
	limits Limits
	worn   Worn
	log    *slog.Logger
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *lineLog
	hello  wire.Hello
	done   chan struct{} // closed when the process has ended and been waited for

	extra   []*os.File // left open to it, by the test of its jail alone
	without []string   // see Options
	set     int        // of namespaces it was started in
	group   string     // folder of its control group, or empty
	layers  []string
	lacking map[string]string
	born    time.Time
	heard   atomic.Int64 // Unix time in ns of its newest frame
	stuck   atomic.Bool  // killed because it hung
	starved atomic.Bool  // but had no processor to run on

	write sync.Mutex // held while a frame is written to stdin
	frame []byte     // of the frame being written

	mu     sync.Mutex
	jobs   map[uint32]*job
	last   uint32 // id of the newest job
	closed bool   // Close was called
	cause  error  // why the child is no use any more; set once
}

// Start starts a child and returns when it is ready.
func Start(ctx context.Context, opts Options) (*Child, error) {
	c := newChild(opts)
	stdout, err := c.spawn(opts.Path)
	if err != nil {
		return nil, protocol.Errorf(protocol.Internal, "start media child: %w", err)
	}
	hello := make(chan error, 1)
	go c.read(stdout, hello)
	timer := time.NewTimer(helloTimeout)
	defer timer.Stop()
	select {
	case err = <-hello:
	case <-timer.C:
		err = fmt.Errorf("no hello within %s", helloTimeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		c.kill(err)
		<-c.done
		return nil, protocol.Errorf(protocol.Internal, "start media child %s: %w", c.cmd.Path, err)
	}
	c.layers, c.lacking = layersOf(c.set, c.group != "", c.hello.Layers, c.hello.Lacking)
	c.born = time.Now()
	c.log.Debug("media child ready", "pid", c.Pid(), "ffmpeg", c.hello.FFmpeg, "layers", c.layers)
	return c, nil
}

func newChild(opts Options) *Child {
	c := &Child{limits: opts.Limits.withDefaults(), worn: opts.Worn.withDefaults(), log: opts.Log, without: opts.without, done: make(chan struct{}), jobs: make(map[uint32]*job)}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c
}

// spawn starts the process in the best jail that this machine grants, and returns its stdout.
func (c *Child) spawn(path string, args ...string) (*os.File, error) {
	if path == "" {
		var err error
		if path, err = Find(); err != nil {
			return nil, err
		}
	}
	groups, groupErr := delegated()
	for {
		set, known := int(usable.Load()), granted.Load()
		if slices.Contains(c.without, "namespaces") {
			set, known = len(namespaces)-1, true
		}
		var group *os.File
		if groupErr == nil {
			if dir, err := groups.group(c.limits); err != nil {
				c.log.Warn("a media child has no control group of its own", "err", err)
			} else if group, err = os.Open(dir); err == nil {
				c.group = dir
			}
		}
		cmd := process(path, args, c.limits, set, group)
		if len(c.without) > 0 {
			cmd.Env = append(cmd.Env, "KINORA_MEDIA_WITHOUT="+strings.Join(c.without, ","))
		}
		cmd.ExtraFiles = c.extra
		stdout, err := c.launch(cmd)
		if group != nil {
			group.Close()
		}
		if err == nil {
			c.set = set
			if set == int(usable.Load()) {
				granted.Store(true)
			}
			return stdout, nil
		}
		c.disband()
		switch {
		case !refused(err):
			return nil, err
		case known:
			return nil, fmt.Errorf("the kernel refuses what it granted before (see user.max_*_namespaces of sysctl, and the number of processes): %w", err)
		case set == len(namespaces)-1:
			return nil, err
		}
		usable.CompareAndSwap(int32(set), int32(set+1))
	}
}

// launch starts cmd with its three pipes.
func (c *Child) launch(cmd *exec.Cmd) (*os.File, error) {
	c.cmd = cmd
	c.stderr = &lineLog{log: c.log}
	cmd.Stderr = c.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, childOut, err := os.Pipe() // not StdoutPipe: Wait would close it under the reader
	if err != nil {
		return nil, errors.Join(err, stdin.Close())
	}
	cmd.Stdout, c.stdin = childOut, stdin
	started := make(chan error, 1)
	go c.wait(started)
	err = <-started
	childOut.Close()
	if err != nil {
		stdout.Close()
		return nil, err
	}
	return stdout, nil
}

// wait starts the process and waits for its end on one thread: a child's parent-death signal is tied to the thread that
// started it, which therefore must not end before the child does.
func (c *Child) wait(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.cmd.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	err := c.cmd.Wait()
	if err == nil {
		err = errors.New("exit status 0")
	}
	c.disband()
	c.fail(protocol.Errorf(protocol.ChildCrashed, "media child %d ended: %w", c.Pid(), err))
	close(c.done)
}

// disband removes the child's control group, which is empty by now.
func (c *Child) disband() {
	if c.group != "" {
		if err := os.Remove(c.group); err != nil {
			c.log.Debug("control group of a media child", "err", err)
		}
	}
}

// read takes the child's frames to their jobs until its stdout ends.
func (c *Child) read(stdout *os.File, hello chan<- error) {
	defer stdout.Close()
	in := bufio.NewReaderSize(stdout, 64<<10)
	f, err := wire.Read(in)
	if err == nil && (f.Kind != wire.KindHello || wire.Decode(f.Payload, &c.hello) != nil || c.hello.Version != wire.Version) {
		err = errors.New("it is not the kinora-media that belongs to this program")
	}
	hello <- err
	for err == nil {
		if f, err = wire.Read(in); err == nil {
			c.heard.Store(time.Now().UnixNano())
			err = c.deliver(f)
		}
	}
	if !errors.Is(err, io.EOF) { // after EOF the process itself says why
		c.kill(protocol.Errorf(protocol.ChildCrashed, "media child %d: %w", c.Pid(), err))
	}
}

func (c *Child) deliver(f wire.Frame) error {
	if !f.Kind.FromChild() || f.Kind == wire.KindHello {
		return fmt.Errorf("%w: kind %d from a child", wire.ErrFormat, f.Kind)
	}
	c.mu.Lock()
	j := c.jobs[f.Job]
	c.mu.Unlock()
	if j == nil { // ended on this side already
		return nil
	}
	return j.take(f)
}

// send writes one frame. A child that is gone makes it fail.
func (c *Child) send(f wire.Frame) error {
	c.write.Lock()
	defer c.write.Unlock()
	c.frame = f.Append(c.frame[:0])
	if _, err := c.stdin.Write(c.frame); err != nil {
		return c.crash(err)
	}
	return nil
}

// crash is the reason for which the child is gone, or one made of err.
func (c *Child) crash(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return c.cause
	}
	return protocol.Errorf(protocol.ChildCrashed, "media child %d: %w", c.Pid(), err)
}

// fail ends every job with cause, and all later ones.
func (c *Child) fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		cause = protocol.Errorf(protocol.Unavailable, "media child %d was closed", c.Pid())
	}
	if c.cause == nil {
		c.cause = cause
	}
	for id, j := range c.jobs {
		delete(c.jobs, id)
		j.fail(c.cause)
	}
}

// kill ends the process at once.
func (c *Child) kill(cause error) {
	c.fail(cause)
	_ = c.cmd.Process.Kill() // fails only when it has ended
}

// hang ends a process that does nothing any more.
func (c *Child) hang(format string, args ...any) {
	c.stuck.Store(true)
	c.kill(protocol.Errorf(protocol.ChildCrashed, "media child %d "+format, append([]any{c.Pid()}, args...)...))
}

// begin registers a job under a new id and tells the child.
func (c *Child) begin(j *job, kind wire.Kind, request any) error {
	payload, err := wire.Encode(request)
	if err != nil {
		return protocol.Errorf(protocol.Internal, "%w", err)
	}
	c.mu.Lock()
	if c.cause != nil {
		defer c.mu.Unlock()
		return c.cause
	}
	c.last++
	j.id = c.last
	c.jobs[j.id] = j
	c.mu.Unlock()
	return c.send(wire.Frame{Kind: kind, Job: j.id, Payload: payload})
}

func (c *Child) forget(j *job) {
	c.mu.Lock()
	delete(c.jobs, j.id)
	c.mu.Unlock()
}

// Pid is the child's process id.
func (c *Child) Pid() int {
	if c.cmd.Process == nil {
		return 0
	}
	return c.cmd.Process.Pid
}

// Done is closed when the child's process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Engine names the child's program and its FFmpeg.
func (c *Child) Engine() string {
	return fmt.Sprintf("%s %d, FFmpeg %s", programName, c.hello.Version, c.hello.FFmpeg)
}

// Layers are the layers of its jail that hold, sorted; lacking are those that do not, each with the reason.
func (c *Child) Layers() (hold []string, lacking map[string]string) { return c.layers, c.lacking }

// Worn is why the child should be changed for a fresh one; empty when it need not.
func (c *Child) Worn() string {
	c.mu.Lock()
	jobs := c.last
	c.mu.Unlock()
	switch age, memory := time.Since(c.born), c.Memory(); {
	case int(jobs) >= c.worn.Segments:
		return fmt.Sprintf("it has done %d jobs", jobs)
	case age >= c.worn.Age:
		return fmt.Sprintf("it is %s old", age.Round(time.Second))
	case memory >= c.worn.Memory:
		return fmt.Sprintf("it has %d bytes in memory", memory)
	}
	return ""
}

// Memory is how much of the child is in memory, in bytes.
func (c *Child) Memory() int64 { return memory(c.Pid()) }

// Close ends the child and waits for it. Jobs in progress fail.
func (c *Child) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	_ = c.stdin.Close() // the child ends by itself; closing twice is harmless
	timer := time.NewTimer(c.limits.CancelGrace)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		c.kill(nil)
		<-c.done
	}
	return nil
}

// lineLog gives each line a child writes to stderr to a logger, cut to a length: media can make libraries say anything. The
// newest lines are kept, to explain a crash.
type lineLog struct {
	log  *slog.Logger
	line []byte

	mu      sync.Mutex
	tail    []string
	crashed bool
}

const (
	maxLogLine = 512
	maxTail    = 12
)

func (l *lineLog) Write(p []byte) (int, error) {
	for _, b := range p {
		switch {
		case b == '\n':
			if len(l.line) > 0 {
				l.keep(string(l.line))
			}
			l.line = l.line[:0]
		case len(l.line) < maxLogLine:
			l.line = append(l.line, b)
		}
	}
	return len(p), nil
}

func (l *lineLog) keep(line string) {
	l.log.Debug("media child", "stderr", line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.crashed && slices.ContainsFunc(crashes, func(prefix string) bool { return strings.HasPrefix(line, prefix) }) {
		l.crashed = true
		l.tail = l.tail[max(0, len(l.tail)-maxTail/2):]
	}
	if len(l.tail) == maxTail {
		if l.crashed { // what follows is where it was, goroutine by goroutine
			return
		}
		l.tail = l.tail[1:]
	}
	l.tail = append(l.tail, line)
}

// crashes begin the lines with which the Go runtime, or the C library, says why it gives up.
var crashes = []string{"SIG", "fatal error:", "panic:", "runtime:", "terminate called", "malloc", "free()"}

func (l *lineLog) newest() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.tail)
}

// wireLadder is l, made by these encoders, as the child wants it.
func wireLadder(l protocol.Ladder, encoders []string) []wire.Profile {
	out := make([]wire.Profile, len(l))
	for i, p := range l {
		out[i] = wire.Profile{Name: p.Name, Width: int(p.Width), Height: int(p.Height), Bitrate: int64(p.Bitrate),
			FPSNum: int(p.FPSNum), FPSDen: int(p.FPSDen), GOPMillis: int(p.GOPMillis), Codec: string(p.Codec),
			CodecProfile: p.CodecProfile, Preset: p.Preset, Lookahead: int(p.Lookahead),
			Container: string(p.Container), PartMillis: int(p.PartMillis), Fit: string(p.Fit), Level: int(p.Level), Tune: p.Tune,
			DynamicRange: string(p.DynamicRange), AudioCodec: p.AudioCodec, AudioBitrate: int(p.AudioBitrate), AudioChannels: int(p.AudioChannels)}
		if i < len(encoders) {
			out[i].Encoder = encoders[i]
		}
	}
	return out
}

// Transcode makes every rendition of the ladder. Several may run at once: the source of a segment may be fed while the one
// before drains. When ctx ends, this job alone is stopped.
func (c *Child) Transcode(ctx context.Context, job Job) (*Result, error) {
	if err := job.Ladder.Validate(); err != nil {
		return nil, protocol.Errorf(protocol.BadLadder, "%w", err)
	}
	j := newJob(c, job.Source)
	j.renditions = len(job.Ladder)
	j.out, j.stall = job.Out, job.Stall
	request := wire.Transcode{Ladder: wireLadder(job.Ladder, job.Encoders), Continues: job.Continues, FPSNum: job.FPSNum, FPSDen: job.FPSDen, Still: job.Still, Device: job.Device, Limits: c.limits.wire(), Loudness: job.Loudness}
	answer, err := j.run(ctx, wire.KindTranscode, request)
	if err != nil {
		return nil, err
	}
	var res Result
	if err := wire.Decode(answer, &res); err != nil || len(res.Renditions) != len(job.Ladder) {
		return nil, protocol.Errorf(protocol.Internal, "media child %d: result of %d renditions for %d profiles: %w", c.Pid(), len(res.Renditions), len(job.Ladder), err)
	}
	return &res, nil
}

// Measure reports what the segment in r holds. Several may run at once, beside a Transcode or not. r as Job.Source.
func (c *Child) Measure(ctx context.Context, r io.Reader, opts MeasureOptions) (*Measurement, error) {
	j := newJob(c, r)
	answer, err := j.run(ctx, wire.KindMeasure, wire.Measure{Grid: opts.Grid, Of: opts.Of, SDR: opts.SDR, Still: opts.Still, Loudness: opts.Loudness, Limits: c.limits.wire()})
	if err != nil {
		return nil, err
	}
	m := &Measurement{Frames: j.pictures}
	if err := wire.Decode(answer, &m.Measurement); err != nil {
		return nil, protocol.Errorf(protocol.Internal, "media child %d: %w", c.Pid(), err)
	}
	slices.SortStableFunc(m.Frames, func(a, b FrameGrid) int { return int(a.PTS - b.PTS) })
	return m, nil
}

// Remux carries the tracks of the segment in r, of any container, into an MPEG-TS, whose bytes out takes as Job.Out does. The
// same segment gives the same bytes. r as Job.Source.
func (c *Child) Remux(ctx context.Context, r io.Reader, out func(p []byte) error) error {
	j := newJob(c, r)
	j.renditions = 1
	j.out = func(_ int, p []byte) error { return out(p) }
	answer, err := j.run(ctx, wire.KindRemux, wire.Remux{Limits: c.limits.wire()})
	if err != nil {
		return err
	}
	if err := wire.Decode(answer, new(wire.Remuxed)); err != nil {
		return protocol.Errorf(protocol.Internal, "media child %d: %w", c.Pid(), err)
	}
	return nil
}

// Package engine transcodes, measures and remuxes segments with FFmpeg, several at once, as frames of the wire ask for it.
package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// Serve takes requests from in and answers to out until in ends. hold and lack are the layers of the jail around this process.
func Serve(in io.Reader, out io.Writer, hold []string, lack map[string]string) error {
	astiav.SetLogLevel(astiav.LogLevelError)
	if err := os.Setenv("SVT_LOG", "1"); err != nil { // SVT-AV1 has a voice of its own: errors only
		return err
	}
	s := &server{out: out, jobs: make(map[uint32]*job), warm: newWarm()}
	return s.serve(in, wire.Hello{Version: wire.Version, FFmpeg: libraryVersion(), Layers: hold, Lacking: lack})
}

// server takes frames from the parent to jobs, each of which runs on its own goroutine.
type server struct {
	write sync.Mutex // held while a frame is written
	out   io.Writer
	frame []byte

	mu      sync.Mutex
	jobs    map[uint32]*job
	line    *line // of the newest transcode job
	cpuSaid time.Duration
	warm    *warm
	devices devices
}

// job is one request of the parent.
type job struct {
	id     uint32
	ctx    context.Context
	cancel context.CancelFunc
	source *source
	window *window
}

func (s *server) serve(in io.Reader, hello wire.Hello) error {
	if err := s.sendMessage(wire.KindHello, 0, hello); err != nil {
		return err
	}
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		f, err := wire.Read(r)
		if errors.Is(err, io.EOF) {
			return nil // the parent closed us or died; what runs is worth nothing now
		}
		if err == nil {
			err = s.take(f)
		}
		if err != nil {
			return err
		}
	}
}

// take never waits: the parent keeps to its credit, so what a job cannot take yet is bounded.
func (s *server) take(f wire.Frame) error {
	switch f.Kind {
	case wire.KindTranscode:
		return start(s, f, wire.KindResult, func(j *job, req wire.Transcode) func() (any, error) {
			l := s.nextLine(req)
			return func() (any, error) {
				r, err := transcode(j.ctx, s, j, l, req)
				if err != nil {
					return nil, err
				}
				r.CPU = s.cpu()
				return r, nil
			}
		})
	case wire.KindMeasure:
		return start(s, f, wire.KindMeasurement, func(j *job, req wire.Measure) func() (any, error) {
			return func() (any, error) {
				m, err := measure(j.ctx, s, j, req)
				if err != nil {
					return nil, err
				}
				m.CPU = s.cpu()
				return m, nil
			}
		})
	case wire.KindProbe:
		return start(s, f, wire.KindProbed, func(j *job, req wire.Probe) func() (any, error) {
			return func() (any, error) {
				p, err := probe(j.ctx, req)
				if err != nil {
					return nil, err
				}
				p.CPU = s.cpu()
				return p, nil
			}
		})
	case wire.KindRemux:
		return start(s, f, wire.KindRemuxed, func(j *job, req wire.Remux) func() (any, error) {
			return func() (any, error) { return remux(j.ctx, s, j, req) }
		})
	}
	if !f.Kind.FromParent() {
		return fmt.Errorf("%w: kind %d from the parent", wire.ErrFormat, f.Kind)
	}
	s.mu.Lock()
	j := s.jobs[f.Job]
	s.mu.Unlock()
	if j == nil { // it has ended; the parent will read so
		return nil
	}
	switch f.Kind {
	case wire.KindData:
		return j.source.put(f.Payload)
	case wire.KindEnd:
		j.source.end(io.EOF)
	case wire.KindCancel:
		j.source.end(context.Canceled)
		j.cancel()
	case wire.KindCredit:
		n, err := wire.DecodeCredit(f.Payload)
		if err != nil {
			return err
		}
		j.window.grant(n)
	}
	return nil
}

// start begins the job that f asks for. What prepare does is done before the next frame is taken; the work that it returns
// runs on a goroutine of its own, and what that comes to is the job's answer, of this kind.
func start[Request any](s *server, f wire.Frame, kind wire.Kind, prepare func(*job, Request) (work func() (any, error))) error {
	var req Request
	if err := wire.Decode(f.Payload, &req); err != nil {
		return err
	}
	j, err := s.begin(f.Job)
	if err != nil {
		return err
	}
	work := prepare(j, req)
	go func() {
		answer, err := work()
		s.finish(j, kind, answer, err)
	}()
	return nil
}

func (s *server) begin(id uint32) (*job, error) {
	j := &job{id: id, window: newWindow(wire.OutputWindow)}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	j.source = newSource(func(n int) {
		// A parent that is gone ends this process through stdin.
		_ = s.send(wire.Frame{Kind: wire.KindCredit, Job: id, Payload: wire.Credit(n)})
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[id] != nil {
		j.cancel()
		return nil, fmt.Errorf("%w: job %d begins twice", wire.ErrFormat, id)
	}
	s.jobs[id] = j
	return j, nil
}

// finish answers and forgets the job.
func (s *server) finish(j *job, kind wire.Kind, answer any, err error) {
	if err != nil {
		var f *wire.Failure
		switch {
		case j.ctx.Err() != nil:
			f = &wire.Failure{Code: wire.CodeCancelled, Detail: "cancelled by the parent"}
		case !errors.As(err, &f):
			f = &wire.Failure{Code: wire.CodeInternal, Detail: err.Error()}
		}
		kind, answer = wire.KindFailure, f
	}
	s.mu.Lock()
	delete(s.jobs, j.id)
	s.mu.Unlock()
	j.cancel()
	if err := s.sendMessage(kind, j.id, answer); err != nil {
		fmt.Fprintln(os.Stderr, "kinora-media:", err)
	}
}

// deliver sends bytes of a rendition of the job as the parent grants.
func (s *server) deliver(ctx context.Context, j *job, rendition int, p []byte) error {
	for len(p) > 0 {
		n := min(len(p), wire.DataChunk)
		if err := j.window.take(ctx, n); err != nil {
			return err
		}
		if err := s.send(wire.Frame{Kind: wire.KindOutput, Rendition: uint8(rendition), Job: j.id, Payload: p[:n]}); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func (s *server) sendMessage(kind wire.Kind, job uint32, m any) error {
	p, err := wire.Encode(m)
	if err != nil {
		return err
	}
	return s.send(wire.Frame{Kind: kind, Job: job, Payload: p})
}

func (s *server) send(f wire.Frame) error {
	s.write.Lock()
	defer s.write.Unlock()
	s.frame = f.Append(s.frame[:0])
	_, err := s.out.Write(s.frame)
	return err
}

// cpu is the CPU time of this process since the last call.
func (s *server) cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	total := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	s.mu.Lock()
	defer s.mu.Unlock()
	d := total - s.cpuSaid
	s.cpuSaid = total
	return d
}

// failf makes a Failure.
func failf(code, format string, args ...any) error {
	return &wire.Failure{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// limitf makes a Failure about a limit.
func limitf(code, name string, value any, format string, args ...any) error {
	return &wire.Failure{Code: code, Detail: fmt.Sprintf(format, args...), Limit: fmt.Sprintf("%s=%v", name, value)}
}

// options is a dictionary of exactly these options; free it.
func options(pairs ...string) (*astiav.Dictionary, error) {
	d := astiav.NewDictionary()
	for i := 0; i < len(pairs); i += 2 {
		if err := d.Set(pairs[i], pairs[i+1], 0); err != nil {
			d.Free()
			return nil, fmt.Errorf("set option %s: %w", pairs[i], err)
		}
	}
	return d, nil
}

// leftover is an error if an option in d was not taken: libav leaves there what it does not know, and says nothing.
func leftover(d *astiav.Dictionary) error {
	var names []string
	flags := astiav.NewDictionaryFlags(astiav.DictionaryFlagIgnoreSuffix)
	for e := d.Get("", nil, flags); e != nil; e = d.Get("", e, flags) {
		names = append(names, e.Key()+"="+e.Value())
	}
	if names != nil {
		return fmt.Errorf("unknown option %s", strings.Join(names, ", "))
	}
	return nil
}

// Command libfuzzer is the whole path of a segment through the media child as one function for libFuzzer, linked with an
// instrumented FFmpeg: see deploy/fuzz-media.sh. A process of it serves one input after another, as a child does.
package main

// #include <stddef.h>
// #include <stdint.h>
import "C"

import (
	"io"
	"sync"
	"time"
	"unsafe"

	"github.com/kinora/kinora/cmd/kinora-media/internal/engine"
	"github.com/kinora/kinora/internal/media/wire"
)

func main() {}

var child = sync.OnceValue(func() *parent {
	in, toChild := io.Pipe()
	fromChild, out := io.Pipe()
	go func() {
		if err := engine.Serve(in, out, nil, nil); err != nil {
			panic(err)
		}
	}()
	p := &parent{to: toChild, from: fromChild}
	p.read() // Hello
	return p
})

// parent is what speaks to the engine.
type parent struct {
	to   io.Writer
	from io.Reader
	job  uint32
}

func (p *parent) read() wire.Frame {
	f, err := wire.Read(p.from)
	if err != nil {
		panic(err)
	}
	return f
}

func (p *parent) send(kind wire.Kind, payload []byte) {
	if _, err := p.to.Write(wire.Frame{Kind: kind, Job: p.job, Payload: payload}.Append(nil)); err != nil {
		panic(err)
	}
}

// do runs one job and returns how it ended.
func (p *parent) do(kind wire.Kind, request any, segment []byte) wire.Frame {
	p.job++
	payload, err := wire.Encode(request)
	if err != nil {
		panic(err)
	}
	p.send(kind, payload)
	credit := wire.SourceWindow
	answers := make(chan wire.Frame)
	go func() {
		for {
			f := p.read()
			answers <- f
			if f.Kind == wire.KindResult || f.Kind == wire.KindMeasurement || f.Kind == wire.KindFailure {
				return
			}
		}
	}()
	stop := time.AfterFunc(60*time.Second, func() { panic("a job hangs") })
	defer stop.Stop()
	ended := false
	for {
		if n := min(credit, len(segment), wire.DataChunk); n > 0 {
			p.send(wire.KindData, segment[:n])
			segment, credit = segment[n:], credit-n
		} else if len(segment) == 0 && !ended {
			p.send(wire.KindEnd, nil)
			ended = true
		}
		var f wire.Frame
		if ended || credit == 0 {
			f = <-answers
		} else {
			select {
			case f = <-answers:
			default:
				continue
			}
		}
		switch f.Kind {
		case wire.KindCredit:
			n, err := wire.DecodeCredit(f.Payload)
			if err != nil {
				panic(err)
			}
			credit += n
		case wire.KindOutput, wire.KindGrids:
			p.send(wire.KindCredit, wire.Credit(len(f.Payload)))
		default:
			return f
		}
	}
}

var limits = wire.Limits{MaxPixels: 1 << 20, MaxStreams: 16, MaxFrames: 300, MaxDuration: 20 * time.Second, MaxOutput: 32 << 20}

// A failure that blames anything but the segment ends the process, so that the fuzzer keeps the input.
func check(f wire.Frame) {
	if f.Kind != wire.KindFailure {
		return
	}
	var failure wire.Failure
	if err := wire.Decode(f.Payload, &failure); err != nil {
		panic(err)
	}
	switch failure.Code {
	case wire.CodeInternal, wire.CodeFailed, wire.CodeBadLadder, wire.CodeCancelled:
		panic(failure.Error())
	}
}

//export LLVMFuzzerTestOneInput
func LLVMFuzzerTestOneInput(data *C.uint8_t, size C.size_t) C.int {
	segment := C.GoBytes(unsafe.Pointer(data), C.int(size))
	p := child()
	check(p.do(wire.KindMeasure, wire.Measure{Grid: true, Limits: limits}, segment))
	check(p.do(wire.KindTranscode, wire.Transcode{Limits: limits, Ladder: []wire.Profile{
		{Name: "a", Width: 64, Height: 36, Bitrate: 100_000, Codec: "h264", Preset: "ultrafast"},
		{Name: "b", Width: 32, Height: 18, Bitrate: 50_000, Codec: "h264", Preset: "ultrafast", FPSNum: 10, FPSDen: 1, Lookahead: -1},
	}}, segment))
	return 0
}

// Package media runs kinora-media children: the only processes that parse media, one per lease, each ended by its parent,
// its deadline or its limits without harm to anything else.
package media

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

// Error is how every method here fails; errors.As finds it. Its codes: EmptySegment, BadMedia, NoVideo, NoKeyframe,
// SegmentTooLarge, SegmentTooLong, TooManyPixels (the source), BadLadder, UnsupportedCodec (the ladder), DeadlineExceeded,
// Cancelled (the context), ChildCrashed, TranscodeFailed, Internal (this machine). An error of the job's own Source or Out
// is returned wrapped as it is.
type Error = protocol.Error

// Options say how children are started.
type Options struct {
	Path   string       // of kinora-media; empty: Find
	Log    *slog.Logger // what children write to stderr goes here at level debug; nil: nowhere
	Limits Limits
	Worn   Worn

	without []string // layers that a child built for tests leaves off, so that these see escapes succeed
}

// Worn says when a Session changes its child for a fresh one. Zero fields take the values in parentheses.
type Worn struct {
	Age      time.Duration // (30 min)
	Segments int           // jobs done (2,000)
	Memory   int64         // bytes in memory (3 GiB)
}

func (w Worn) withDefaults() Worn {
	w.Age = cmp.Or(w.Age, 30*time.Minute)
	w.Segments = cmp.Or(w.Segments, 2000)
	w.Memory = cmp.Or(w.Memory, 3<<30)
	return w
}

// Limits bound a child and every job on it. Zero fields take the values in parentheses.
type Limits struct {
	MaxPixels   int           // of one source picture (4096×2304)
	MaxStreams  int           // elementary streams in a source (16)
	MaxFrames   int           // pictures in a source (20,000)
	MaxDuration time.Duration // of a source, by its timestamps (60 s)
	MaxInput    int64         // bytes of a source (256 MiB)
	MaxOutput   int64         // bytes of a job's renditions together (512 MiB)
	MaxMemory   int64         // address space of a child, bytes (8 GiB)
	MaxResident int64         // of that in memory, bytes, where control groups are (4 GiB)
	MaxFiles    int           // open files of a child (64; 512 with Devices)
	MaxThreads  int           // threads of a child, where namespaces or control groups are (2048)
	MaxCPU      time.Duration // CPU time of a child in all its life (100 h)
	Devices     []string      // GPU device nodes a child may use; with any, it sees drivers' files too, and MaxMemory counts what it can write to
	Card        string        // UUID of the only NVIDIA card it sees, as number 0; empty: all that Devices grant
	CancelGrace time.Duration // a child that does not confirm a cancel for so long is killed (1 s)
}

func (l Limits) withDefaults() Limits {
	l.MaxPixels = cmp.Or(l.MaxPixels, 4096*2304)
	l.MaxStreams = cmp.Or(l.MaxStreams, 16)
	l.MaxFrames = cmp.Or(l.MaxFrames, 20_000)
	l.MaxDuration = cmp.Or(l.MaxDuration, time.Minute)
	l.MaxInput = cmp.Or(l.MaxInput, 256<<20)
	l.MaxOutput = cmp.Or(l.MaxOutput, 512<<20)
	l.MaxMemory = cmp.Or(l.MaxMemory, 8<<30)
	l.MaxResident = cmp.Or(l.MaxResident, 4<<30)
	if len(l.Devices) > 0 {
		l.MaxFiles = cmp.Or(l.MaxFiles, 512) // a driver opens its device many times over
	}
	l.MaxFiles = cmp.Or(l.MaxFiles, 64)
	l.MaxThreads = cmp.Or(l.MaxThreads, 2048)
	l.MaxCPU = cmp.Or(l.MaxCPU, 100*time.Hour)
	l.CancelGrace = cmp.Or(l.CancelGrace, time.Second)
	return l
}

func (l Limits) wire() wire.Limits {
	return wire.Limits{MaxPixels: l.MaxPixels, MaxStreams: l.MaxStreams, MaxFrames: l.MaxFrames, MaxDuration: l.MaxDuration,
		MaxOutput: l.MaxOutput}
}

// programName is the child's program.
const programName = "kinora-media"

// Find looks for kinora-media: KINORA_MEDIA, beside the running program, in bin/ of the source tree it runs in, in PATH.
func Find() (string, error) {
	if path := os.Getenv("KINORA_MEDIA"); path != "" {
		if !executable(path) {
			return "", fmt.Errorf("KINORA_MEDIA is %s, which is not a program", path)
		}
		return path, nil
	}
	if self, err := os.Executable(); err == nil {
		if path := filepath.Join(filepath.Dir(self), programName); executable(path) {
			return path, nil
		}
	}
	if dir, err := os.Getwd(); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				if path := filepath.Join(dir, "bin", programName); executable(path) {
					return path, nil
				}
				break
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if path, err := exec.LookPath(programName); err == nil {
		return path, nil
	}
	return "", errors.New("kinora-media is not found: run `make build`, or set KINORA_MEDIA to its path")
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// Job is one segment to transcode.
type Job struct {
	Ladder protocol.Ladder

	// Source yields the bytes of the segment (MPEG-TS, MP4 or Matroska) as they arrive. Its Read is not begun again once the job ended, but
	// a Read in progress is not interrupted: end it by the same context.
	Source io.Reader

	// Out takes the bytes of Ladder[rendition] as they are muxed, called on Transcode's goroutine. p is valid during the
	// call only. A slow Out slows its own job, no other. What it has taken is worth nothing unless Transcode succeeds.
	Out func(rendition int, p []byte) error

	// Again is called when what Out has taken is void, since the child crashed, and the segment begins anew on another; nil: a
	// segment that has given output then fails. A Session alone calls it.
	Again func() error

	// Stall is how long the child may say nothing while it has what it needs; then it is taken to hang, and killed. 0: for ever.
	Stall time.Duration

	// Continues says that the segment follows the last one begun on this child in the same incarnation, so that muxers
	// go on where they were. If that one failed, or the ladder or tracks differ, the job starts afresh by itself.
	Continues bool

	// Encoders are FFmpeg's names of the encoders to take, by index of the ladder; empty, or a shorter list: the software
	// encoder of the profile's codec. One that this machine cannot run fails the job with UnsupportedCodec.
	Encoders []string

	// Still asks for the first picture as a file, in Result.Still. It costs a scale and an encode of one small picture.
	Still Still

	// Device decodes, and scales for those Encoders that are of its kind, with pictures staying on it: cuda, vaapi or qsv, with
	// its number or path after a colon. Empty: the processor decodes. A device that does not open fails the job with
	// UnsupportedCodec.
	Device string

	// FPSNum/FPSDen is the source's frame rate if it is known; otherwise it is learnt from the first pictures.
	FPSNum, FPSDen int

	// Loudness has that of the source's sound measured: Result.Source.Audio.LUFS and TruePeak. It costs about
	// 5 ms of CPU per second of sound.
	Loudness bool
}

type (
	// Stream is what a source turned out to be.
	Stream = wire.Stream
	// Audio is the sound track of a segment.
	Audio = wire.Audio
	// Rendition is one output: counts, timestamps (1/90000 s, as in the container) and bytes.
	Rendition = wire.Rendition
	// Result is what Transcode made.
	Result = wire.Result
	// Still asks for a picture as a file: jpeg or webp, to fit a size in its shape.
	Still = wire.Still
	// FrameGrid is one picture: PTS (1/90000 s), whether it is a keyframe, and its luma averaged over 32×18 cells, row by
	// row, in limited range (16 to 235 for ordinary pictures) whatever the range of the stream.
	FrameGrid = wire.Picture
)

// MeasureOptions say how deep to look.
type MeasureOptions struct {
	// Grid decodes every picture and fills its Luma. Without it one picture is decoded, for size and codec, and the
	// others are read from the container: a few milliseconds per segment.
	Grid bool

	// Of is the part of every picture that the grid covers: without bars, or what a crop leaves. Empty: all of it.
	Of Rect

	// Still asks for the first picture as a file, in Measurement.Still.
	Still Still

	// SDR takes the grid of pictures of high dynamic range as a rendition looks that is mapped to standard.
	SDR bool

	// Loudness has that of the sound measured: Audio.LUFS and TruePeak.
	Loudness bool
}

// Rect is a part of a picture, in pixels.
type Rect = wire.Rect

// Measurement is what a segment holds.
type Measurement struct {
	wire.Measurement
	Frames []FrameGrid // in order of PTS
}

// Slots is how many pictures a rendition at fpsNum/fpsDen has of a source whose first picture shows at first and whose last
// one ends at end (1/90000 s), one at least. Pictures stand at whole multiples of the frame interval, so that segments join.
func Slots(first, end int64, fpsNum, fpsDen uint32) int64 {
	return max(1, wire.Slot(end, int(fpsNum), int(fpsDen))-wire.Slot(first, int(fpsNum), int(fpsDen)))
}

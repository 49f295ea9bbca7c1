package media_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// onDevice is a lease whose device children are started with opts, and what its device was given up for.
func onDevice(t *testing.T, opts media.Options, hw media.Hardware) (*lease, func() []error) {
	t.Helper()
	var mu sync.Mutex
	var failures []error
	hw.Pool = media.NewPool(opts, 0)
	hw.Failed = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		failures = append(failures, err)
	}
	pool := media.NewPool(media.Options{}, 0)
	s, err := pool.NewSessionOn(t.Context(), &hw)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = s.Close(), pool.Close(), hw.Pool.Close() })
	return &lease{T: t, Session: s, pool: pool}, func() []error { mu.Lock(); defer mu.Unlock(); return failures }
}

// whole transcodes both segments and checks that neither is lost.
func (l *lease) whole(segments ...[]byte) {
	l.Helper()
	for i, b := range segments {
		res, out, _, err := l.run(l.Context(), bytes.NewReader(b), i > 0)
		if err != nil || res.Renditions[0].Frames != 60 {
			l.Fatalf("segment %d: %+v, %v", i, res, err)
		}
		if n := len(packets(l.T, out, "v")); n != 60 {
			l.Errorf("segment %d has %d pictures", i, n)
		}
	}
}

func TestSession_goesOnInSoftwareWhenItsDeviceFails(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	crash := append(bytes.Clone(segments[0].Bytes), "kinora-media: crash now"...)
	for name, tc := range map[string]struct {
		opts  media.Options
		hw    media.Hardware
		first []byte
		says  string
	}{
		"its node is no graphics device":  {media.Options{Limits: media.Limits{Devices: []string{"/dev/null"}}}, media.Hardware{Device: "vaapi:/dev/null", Encoders: []string{"h264_vaapi"}}, segments[0].Bytes, "/dev/null"},
		"it has no encoder":               {media.Options{}, media.Hardware{Encoders: []string{"h264_nvenc"}}, segments[0].Bytes, "h264_nvenc"},
		"its driver crashes":              {media.Options{Path: testChild(t)}, media.Hardware{}, crash, "ended"},
		"no child starts that may use it": {media.Options{Path: "/dev/null"}, media.Hardware{}, segments[0].Bytes, "start media child"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, failures := onDevice(t, tc.opts, tc.hw)
			l.whole(tc.first, segments[1].Bytes)
			if f := failures(); len(f) != 1 || !strings.Contains(f[0].Error(), tc.says) {
				t.Errorf("the device was given up for %v", f)
			}
			if p := l.pool.Poisoned(); len(p) != 0 {
				t.Errorf("a segment is refused for what its device did: %+v", p)
			}
		})
	}
}

func TestSession_staysOnADeviceThatWorks(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	l, failures := onDevice(t, media.Options{Limits: media.Limits{Devices: []string{"/dev/null"}, Card: "GPU-1"}}, media.Hardware{})
	was := l.Pid()
	if env := procFile(t, was, "environ"); !strings.Contains(env, "CUDA_VISIBLE_DEVICES=GPU-1\x00") {
		t.Errorf("environment %q", env)
	}
	l.whole(segments[0].Bytes, segments[1].Bytes)
	if f := failures(); len(f) != 0 || l.Pid() != was {
		t.Errorf("child %d, then %d, for %v", was, l.Pid(), f)
	}
}

func TestSession_doesNotBlameADeviceForItsSegment(t *testing.T) {
	t.Parallel()
	l, failures := onDevice(t, media.Options{}, media.Hardware{})
	_, _, _, err := l.run(t.Context(), strings.NewReader(strings.Repeat("not media ", 1000)), false)
	wantCode(t, err, protocol.BadMedia)
	segment := mediatest.Segments(t, mediatest.Spec{})[0].Bytes
	out := io.ErrClosedPipe
	if _, err := l.Transcode(t.Context(), media.Job{Ladder: small, Source: io.MultiReader(bytes.NewReader(segment[:1000]), failing{io.ErrUnexpectedEOF}), Out: func(int, []byte) error { return nil }}); err == nil {
		t.Error("half a source was made")
	}
	if _, err := l.Transcode(t.Context(), media.Job{Ladder: small, Source: bytes.NewReader(segment), Out: func(int, []byte) error { return out }, Again: func() error {
		t.Error("a segment that nobody takes was begun anew")
		return nil
	}}); err == nil {
		t.Error("renditions that nobody took count as made")
	}
	before := l.pool.Stats()
	l.whole(segment)
	if f := failures(); len(f) != 0 || l.pool.Stats() != before {
		t.Errorf("the device was given up for %v", f)
	}
}

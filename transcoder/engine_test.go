package transcoder

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
	"github.com/kinora/kinora/transcoder/internal/encode"
)

// A device file that is none: what was found of it is a recording.
var (
	fake  = devices.Device{Kind: devices.VAAPI, Path: "/dev/null", ID: "pci-0000:03:00.0"}
	found = []devices.Codec{{Direction: devices.Encode, Codec: "h264", Name: "libx264", Device: devices.CPU, OK: true, PixelRate: 100},
		{Direction: devices.Encode, Codec: "h264", Name: "h264_vaapi", Device: fake.Path, OK: true, PixelRate: 300}}
)

func TestEngine_goesOnWithoutADeviceThatFails(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer // the handler locks
	e, err := openEngine(Config{}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	var dropped []devices.Device
	e.onDrop(func(d devices.Device, err error) { dropped = append(dropped, d) })
	e.use(Config{}, found, []devices.Device{fake})
	session, err := e.session(t.Context(), protocol.H264)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the lease goes on
		if err := devices.Check(t.Context(), session.Encode, protocol.H264); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.with(t.Context(), protocol.H264, func(s encode.Session) error { return devices.Check(t.Context(), s.Encode, protocol.H264) }); err != nil {
		t.Errorf("the next lease: %v", err)
	}
	if err := errors.Join(session.Close(), e.close()); err != nil { // nothing writes to the log any more
		t.Error(err)
	}
	if len(dropped) != 1 || dropped[0] != fake {
		t.Errorf("told of %+v", dropped)
	}
	if n := strings.Count(log.String(), "a device fails"); n != 1 || !strings.Contains(log.String(), fake.Path) {
		t.Errorf("log %s", &log)
	}
}

func TestEngine_leavesDevicesAloneWhereTheOwnerSaysSo(t *testing.T) {
	t.Parallel()
	for encoders, want := range map[string]bool{"": true, EncodersAuto: true, EncodersCPU: false} {
		e := &engine{cards: devices.NewCards()}
		e.use(Config{Encoders: encoders}, found, []devices.Device{fake})
		choice, _ := e.cards.Take(devices.Ladder(protocol.H264))
		if got := choice.Sessions > 0; got != want {
			t.Errorf("--encoders %q takes %+v", encoders, choice)
		}
	}
}

func TestEngine_triesAFailedDeviceForReal(t *testing.T) {
	t.Parallel()
	e, err := openEngine(Config{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	codecs, err := e.survey(t.Context(), []devices.Device{fake}, devices.Encode)
	if err != nil || len(codecs) != 3 {
		t.Fatalf("%+v, %v", codecs, err)
	}
	for _, c := range codecs {
		if c.OK || c.Device != fake.Path || c.Fix == "" {
			t.Errorf("%+v passed on a file that is no device", c)
		}
	}
}

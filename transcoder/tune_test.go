package transcoder_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder"
)

func TestTune_measuresForRealAndKeepsIt(t *testing.T) {
	t.Parallel()
	c := transcoder.Config{Data: filepath.Join(t.TempDir(), "data")}
	var said []string
	tuning, err := transcoder.Tune(t.Context(), c, transcoder.TuneOptions{Soak: time.Second, Streams: 2, Progress: func(s string) { said = append(said, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if rate, ok := tuning.Rates.Encode.Of(protocol.H264); !ok || rate < 1_000_000 || tuning.Rates.Decode["h264"] == 0 {
		t.Errorf("rates %+v", tuning.Rates)
	}
	if tuning.Memory.Total == 0 || tuning.Memory.Stream == 0 || tuning.Memory.Bandwidth == 0 || tuning.Machine.FFmpeg == "" {
		t.Errorf("memory %+v of %+v", tuning.Memory, tuning.Machine)
	}
	if !slices.ContainsFunc(tuning.Codecs, func(c transcoder.Codec) bool { return c.Direction == "decode" && c.Codec == "mpeg2" && c.OK }) {
		t.Errorf("codecs %+v", tuning.Codecs)
	}
	if len(said) < 2 {
		t.Errorf("progress %q", said)
	}
	if _, err := os.Stat(filepath.Join(c.Data, "tuning.json")); err != nil {
		t.Error(err)
	}
	if len(tuning.Drift) != 0 {
		t.Errorf("drift %+v at the first time", tuning.Drift)
	}
}

func TestSelfTest_saysWhatDoesNotWork(t *testing.T) {
	t.Parallel()
	c := transcoder.Config{Data: t.TempDir()}
	checks, codecs, err := transcoder.SelfTest(t.Context(), c, "")
	if err != nil || len(checks) < 3 || len(codecs) < 15 {
		t.Errorf("%+v, %v", checks, err)
	}
	if _, _, err := transcoder.SelfTest(t.Context(), c, "GPU-none"); err == nil || !strings.Contains(err.Error(), "GPU-none") {
		t.Errorf("a device that is not there: %v", err)
	}
	c.MediaChild = filepath.Join(c.Data, "none")
	if checks, _, err := transcoder.SelfTest(t.Context(), c, ""); err == nil {
		t.Errorf("without an encoder: %+v", checks)
	}
}

func TestPixelRates_areReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"0": "0", "": "0", "60000000": "h264=60000000", "h264=5, av1=3": "h264=5,av1=3"} {
		var r transcoder.PixelRates
		if err := r.UnmarshalText([]byte(text)); err != nil || r.String() != want {
			t.Errorf("%q is %s, %v; want %s", text, r, err, want)
		}
	}
	for _, text := range []string{"fast", "h264=", "h263=5", "h264=5,h264=6", "h264=-1", "h264=0", "5;6"} {
		var r transcoder.PixelRates
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, r)
		}
	}
}

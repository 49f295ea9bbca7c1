package entry_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kinora/kinora/internal/bus/bustest"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/protocol"
)

func TestSparing_writesSoManyLinesAndTellsHowManyItLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var to bytes.Buffer
		log := slog.New(slog.NewTextHandler(&to, nil))
		var s entry.Sparing
		for range 1000 {
			s.Log(log, slog.LevelDebug, "not even asked for")
			s.Log(log, slog.LevelWarn, "refused")
		}
		if n := strings.Count(to.String(), "\n"); n != 50 {
			t.Errorf("%d lines, want 50", n)
		}
		time.Sleep(2 * time.Second)
		to.Reset()
		s.Log(log, slog.LevelWarn, "refused")
		if !strings.Contains(to.String(), "lines_left_out_before=950") {
			t.Errorf("it says %s", to.String())
		}
	})
}

// What those who are in may not do, and those who stay out say of themselves, is not for them to write down here as often as they like.
func TestEmbedded_logsLittleOfWhatClientsBringAbout(t *testing.T) {
	t.Parallel()
	to := &bustest.Log{}
	log := slog.New(slog.NewTextHandler(to, nil))
	s, err := embedded.Start(embedded.Options{Log: log, Gate: &entry.Gate{Domain: domain, Guests: newBook(), Log: log}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	conn := enter(t, s.URL(), as(transcoder, protocol.RoleTranscoder)).Conn()
	for range 500 {
		if err := conn.Publish("kinora.v1.secret", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.FlushTimeout(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	if text := to.String(); strings.Contains(text, "secret") {
		t.Errorf("%d lines about what was not allowed", strings.Count(text, "\n"))
	}
	for range 60 {
		if raw(s.URL(), transcoder.Address().Hex(), strings.Repeat("r", 1000), "", signed(transcoder, protocol.Login{})) == nil {
			t.Fatal("a role that is none was let in")
		}
	}
	if text := to.String(); strings.Count(text, "was refused") > 55 || strings.Contains(text, strings.Repeat("r", 50)) || !strings.Contains(text, "there is none such") {
		t.Errorf("60 refused logins wrote %d lines, %d bytes", strings.Count(text, "\n"), len(text))
	}
}

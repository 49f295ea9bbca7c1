package market

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

var ask = Ask{Stream: "cam", Ladder: protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Codec: protocol.H264}}, FPS: 30, SegmentMillis: 2000, MaxMillis: 4000}

// bourse is a market of as many sellers as fees, each with an answer.
func bourse(t *testing.T, fees ...uint64) (*Market, []*Choice) {
	t.Helper()
	var urls []string
	for i := range fees {
		urls = append(urls, "http://127.0.0.1:"+strings.Repeat("1", i+1))
	}
	m := New(Config{URLs: urls, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(m.Close)
	var answers []*Choice
	for i, fee := range fees {
		answers = append(answers, m.choice(m.sellers[i], ask, &quote{Quote: protocol.Quote{MaxFee: protocol.NewWei(fee)}}))
	}
	return m, answers
}

// serve has a choice take so long, some times.
func serve(c *Choice, took time.Duration, times int) {
	for range times {
		sent := time.Now().Add(-took)
		c.sent.Store(&sent)
		c.Succeeded()
	}
}

func TestChoose_takesTheCheapestUntilAllAreKnown(t *testing.T) {
	t.Parallel()
	m, answers := bourse(t, 300, 100, 200)
	for range 20 {
		if c := m.choose(answers, ask, "", time.Now()); c != answers[1] {
			t.Fatalf("%s was chosen", c.URL)
		}
	}
	serve(answers[1], 5*time.Second, 20)
	serve(answers[0], 300*time.Millisecond, 20)
	if c := m.choose(answers, ask, "", time.Now()); c != answers[1] {
		t.Errorf("%s was chosen while one was not tried", c.URL)
	}
}

func TestChoose_leavesTheCheapestForAFasterOneOnceAllAreKnown(t *testing.T) {
	t.Parallel()
	m, answers := bourse(t, 150, 100)
	serve(answers[0], 300*time.Millisecond, 30)
	serve(answers[1], 5*time.Second, 30)
	for range 20 {
		if c := m.choose(answers, ask, "", time.Now()); c != answers[0] {
			t.Fatalf("%s was chosen, which takes most of the hold-back", c.URL)
		}
	}
}

func TestRelieve_letsASlowHolderRestWhereAnotherCouldServe(t *testing.T) {
	t.Parallel()
	m, answers := bourse(t, 100, 150)
	holder := m.sellers[0]
	serve(answers[0], 2*time.Second, 30)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.relieve(holder, ask) {
		t.Error("one that is in time was relieved")
	}
	m.mu.Unlock()
	serve(answers[0], 12*time.Second, 30)
	m.mu.Lock()
	m.sellers[1].resting = time.Now().Add(time.Minute)
	if m.relieve(holder, ask) {
		t.Error("the only one left was relieved")
	}
	m.sellers[1].resting = time.Time{}
	if !m.relieve(holder, ask) || m.fit(holder) || holder.lastErr == nil {
		t.Errorf("resting until %s, %v", holder.resting, holder.lastErr)
	}
}

func TestSend_notesWhenTheLastByteLeft(t *testing.T) {
	t.Parallel()
	_, answers := bourse(t, 1)
	r := &timed{strings.NewReader("bytes"), &answers[0].sent}
	if _, err := io.CopyN(io.Discard, r, 5); err != nil {
		t.Fatal(err)
	}
	if answers[0].sent.Load() != nil {
		t.Error("the end was noted before it came")
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	if at := answers[0].sent.Load(); at == nil || time.Since(*at) > time.Minute {
		t.Errorf("the end was noted at %v", at)
	}
}

func outcome(took time.Duration) route.Outcome {
	return route.Outcome{Verified: true, Time: took, Slots: many}
}

package api_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// A transcoder that parks a slot and grants it no window takes not one frame: its attempt ends all the same, and what the
// orchestrator waits for when it shuts down.
func TestAttempt_withATranscoderThatTakesNoFrameEnds(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Absent, 100)
	offer := m.offer(m.quote(), 0)
	offer.BudgetMillis = 700
	answer := make(chan result, 1)
	go func() {
		r, err := m.try(offer, bytes.NewReader(m.segments()[0].Bytes))
		if err != nil {
			t.Error(err)
		}
		answer <- r
	}()
	m.eventually("it has a lease", func() bool { return len(m.dispatcher.Leases()) == 1 })
	m.parkWithoutWindow(p, m.dispatcher.Leases()[0].Lease)
	if r := <-answer; r.code() != protocol.DeadlineExceeded {
		t.Errorf("status %d, code %q", r.status, r.code())
	}
	m.until("the attempt's end", func(e protocol.Event) bool {
		return e.Kind == protocol.AttemptAbandoned && *e.Counterparty == p.Address() && e.Code == protocol.DeadlineExceeded
	})
}

// parkWithoutWindow parks a slot of p's lease on a connection that never grants a byte of it.
func (m *market) parkWithoutWindow(p *peertest.Peer, lease protocol.ID) {
	m.Helper()
	request, err := protocol.Seal(m.domain, p.Key, protocol.SlotRequest{Lease: lease, Transcoder: p.Address(), Serial: 1})
	m.must(err)
	host := strings.TrimPrefix(m.url, "http://")
	conn, err := net.Dial("tcp", host)
	m.must(err)
	m.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, http2.ClientPreface)
	m.must(err)
	var fields bytes.Buffer
	header := hpack.NewEncoder(&fields)
	for _, f := range []hpack.HeaderField{{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: host},
		{Name: ":path", Value: "/v1/leases/" + lease.String() + "/slots"}, {Name: strings.ToLower(protocol.SlotField), Value: protocol.EncodeField(request)}} {
		m.must(header.WriteField(f))
	}
	frames := http2.NewFramer(conn, conn)
	m.must(frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	m.must(frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: fields.Bytes(), EndHeaders: true}))
	go func() { // alive as far as the connection goes
		for {
			f, err := frames.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = frames.WriteSettingsAck()
				}
			case *http2.PingFrame:
				if !f.IsAck() {
					_ = frames.WritePing(true, f.Data)
				}
			}
		}
	}()
}

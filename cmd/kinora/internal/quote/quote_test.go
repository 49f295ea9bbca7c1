package quote_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/cmd/kinora/internal/quote"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

func wei(n uint64) protocol.Wei { return protocol.NewWei(n) }

var (
	domain = protocol.NewDomain(1337, common.HexToAddress("0x5FbDB2315678afecb367f032d93F642f64180aa3"))
	payer  = common.HexToAddress("0xA11ce00000000000000000000000000000000000")
	// one picture of 100 by 100 a second is 10,000 pixels
	ladder = protocol.Ladder{{Name: "tiny", Width: 100, Height: 100, Bitrate: 1000, Codec: protocol.H264}}
)

func request() protocol.QuoteRequest {
	return protocol.QuoteRequest{Payer: payer, Stream: "quote", Ladder: ladder, SourceFPS: 1, SegmentMillis: 2000, MaxMillis: 10_000}
}

func explain(t *testing.T, faceValue uint64, funds quote.Funds) quote.Meaning {
	t.Helper()
	m, err := quote.Explain(quote.Answer{Quote: protocol.Quote{Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: wei(50)}}, MaxFee: wei(5_500_000)},
		Params: protocol.TicketParams{FaceValue: wei(faceValue)}}, quote.Stream{Ladder: ladder, FPS: 1, Segment: 2 * time.Second, Live: 20_000 * time.Second}, funds)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A million wei a segment, 10,000 segments a day, one ticket in 500 wins: 20 winners a day.
func TestExplain_saysWhatAStreamCostsAndHowEvenlyItPays(t *testing.T) {
	t.Parallel()
	m := explain(t, 500_000_000, quote.Funds{Balance: wei(1_000_000_000), Allocation: wei(800_000_000)})
	if m.PerHour != wei(1_800_000_000) || m.PerDay != wei(10_000_000_000) || m.Fee != wei(1_000_000) || m.Lasts != 1 || !m.Suffices {
		t.Errorf("%+v", m)
	}
	p := 0.002
	in := m.Income
	if math.Abs(m.Probability-p) > 1e-12 || math.Abs(in.CV-math.Sqrt((1-p)/20)) > 1e-9 || math.Abs(in.None-math.Pow(1-p, 10_000)) > 1e-12 {
		t.Errorf("%+v", in)
	}
	// Of the binomial distribution of 10,000 draws at 0.002: P(X ≤ 12) = 0.0388, P(≤ 13) = 0.0658, P(≤ 19) = 0.4702,
	// P(≤ 20) = 0.5592, P(≤ 27) = 0.9478, P(≤ 28) = 0.9658.
	f := wei(500_000_000)
	if in.P5 != f.Mul(13) || in.P50 != f.Mul(20) || in.P95 != f.Mul(28) || in.Mean != wei(10_000_000_000) {
		t.Errorf("income %+v", in)
	}
	// 1.8e9 wei are three winners, and P(X > 3) = 0.001 at a mean of 0.4286 winners: 0.119 h.
	if math.Abs(m.LastsSure-0.119) > 0.001 {
		t.Errorf("lasts %g hours for sure, want 0.119", m.LastsSure)
	}
}

func TestExplain_knowsTicketsThatWinForCertain(t *testing.T) {
	t.Parallel()
	m := explain(t, 1_000_000, quote.Funds{Balance: wei(3_600_000_000), Allocation: wei(999_999)})
	if m.WinProb != ticket.AlwaysWins || m.Probability != 1 || m.Suffices || m.Lasts != m.LastsSure || math.Abs(m.Lasts-2) > 0.001 {
		t.Errorf("%+v", m)
	}
	if want := (quote.Income{Mean: wei(10_000_000_000), P5: wei(10_000_000_000), P50: wei(10_000_000_000), P95: wei(10_000_000_000)}); m.Income != want {
		t.Errorf("income %+v", m.Income)
	}
}

func TestExplain_refusesAFaceValueThatCannotPayASegment(t *testing.T) {
	t.Parallel()
	_, err := quote.Explain(quote.Answer{Quote: protocol.Quote{Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: wei(50)}}},
		Params: protocol.TicketParams{FaceValue: wei(10)}}, quote.Stream{Ladder: ladder, FPS: 1, Segment: 2 * time.Second, Live: time.Hour}, quote.Funds{})
	if protocol.CodeOf(err) != protocol.FeeAboveFaceValue {
		t.Errorf("got %v", err)
	}
}

// peer answers quote requests with what edit made of an honest answer.
func peer(t *testing.T, signed protocol.Domain, edit func(*protocol.Quote, *protocol.TicketParams)) string {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	self := protocol.NewKeySigner(key)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask protocol.QuoteRequest
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || r.URL.Path != "/v1/quote" || r.Method != http.MethodPost {
			protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "%s %s: %v", r.Method, r.URL.Path, err))
			return
		}
		prices := protocol.Prices{{Codec: protocol.H264, WeiPerPixel: wei(50)}}
		fee, err := ask.Ladder.MaxFee(prices, ask.SourceFPS, ask.MaxMillis)
		if err != nil {
			t.Error(err)
		}
		q := protocol.Quote{ID: protocol.NewID(), Orchestrator: self.Address(), Payer: ask.Payer, Stream: ask.Stream, LadderHash: protocol.Hash(ask.Ladder.Hash()),
			Prices: prices, MaxFee: fee, ValidMillis: 60_000, MaxMillis: ask.MaxMillis}
		p := protocol.TicketParams{Set: protocol.NewID(), Payer: ask.Payer, Recipient: self.Address(), FaceValue: fee.Mul(100), RecipientRandHash: protocol.NewID(),
			Expiry: 2_000_000_000, UsableMillis: 1000, AcceptMillis: 2000, RedeemMillis: 3000}
		edit(&q, &p)
		quote, err := protocol.Seal(signed, self, q)
		if err != nil {
			t.Error(err)
		}
		params, err := protocol.Seal(signed, self, p)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(protocol.Encode(protocol.QuoteAnswer{Quote: quote, Params: params}))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAsk_takesOnlyAnAnswerToWhatWasAsked(t *testing.T) {
	t.Parallel()
	honest := func(*protocol.Quote, *protocol.TicketParams) {}
	a, err := quote.Ask(t.Context(), http.DefaultClient, peer(t, domain, honest)+"/", domain, request())
	if err != nil || a.Quote.MaxFee != wei(11*500_000) || a.Params.FaceValue != wei(1100*500_000) {
		t.Fatalf("%+v, %v", a, err)
	}
	other := common.HexToAddress("0xB0b0000000000000000000000000000000000000")
	for want, url := range map[string]string{
		"another chain or escrow":     peer(t, protocol.NewDomain(1, domain.Escrow), honest),
		"the quote is for 0xB0b0":     peer(t, domain, func(q *protocol.Quote, _ *protocol.TicketParams) { q.Payer = other }),
		"of another ladder":           peer(t, domain, func(q *protocol.Quote, _ *protocol.TicketParams) { q.LadderHash[0]++ }),
		"for shorter segments":        peer(t, domain, func(q *protocol.Quote, _ *protocol.TicketParams) { q.MaxMillis-- }),
		"ticket parameters are from":  peer(t, domain, func(_ *protocol.Quote, p *protocol.TicketParams) { p.Payer = other }),
		"one ticket pays 5499999":     peer(t, domain, func(_ *protocol.Quote, p *protocol.TicketParams) { p.FaceValue = wei(5_499_999) }),
		"no price for h264":           peer(t, domain, func(q *protocol.Quote, _ *protocol.TicketParams) { q.Prices[0].Codec = protocol.AV1 }),
		"refuses: draining: tomorrow": answering(t, http.StatusServiceUnavailable, protocol.Encode(protocol.ProblemOf(protocol.Errorf(protocol.Draining, "tomorrow")))),
		"is it an orchestrator?":      answering(t, http.StatusNotFound, []byte("404 page not found")),
		"the answer of":               answering(t, http.StatusOK, []byte("<html>")),
		"ask for a quote":             "http://127.0.0.1:1",
	} {
		if _, err := quote.Ask(t.Context(), http.DefaultClient, url, domain, request()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	bad := request()
	bad.SourceFPS = 0
	if _, err := quote.Ask(t.Context(), http.DefaultClient, "http://127.0.0.1:1", domain, bad); err == nil || !strings.Contains(err.Error(), "source_fps") {
		t.Errorf("an impossible request: %v", err)
	}
}

func answering(t *testing.T, status int, body []byte) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

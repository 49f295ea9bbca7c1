package broadcaster_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// peer is an orchestrator with one transcoder: it speaks the market's messages and transcodes with kinora-media, and it can
// be told to misbehave.
type peer struct {
	t          testing.TB
	url        string
	domain     func() protocol.Domain
	self       *protocol.KeySigner
	transcoder *protocol.KeySigner
	session    common.Address // a session key of every payer
	mute       chan struct{}  // segments are not answered before it is closed
	pool       *media.Pool
	server     *httptest.Server

	price     protocol.Wei
	usable    time.Duration                 // of ticket parameters
	valid     time.Duration                 // of quotes
	spike     atomic.Uint64                 // price instead, unless 0
	room      atomic.Uint64                 // pixels a second that it has room for, unless 0
	refuse    atomic.Pointer[protocol.Code] // segments with this code
	andThen   atomic.Pointer[protocol.Code] // and with this one after the first
	blacken   atomic.Int32                  // so many segments are answered with a picture of something else
	abandon   atomic.Int32                  // so many segments have a first attempt that is abandoned
	flood     atomic.Int64                  // one segment is answered with a rendition of so many bytes
	flooded   atomic.Int64                  // so many were taken of it
	held      chan struct{}                 // when set, segments wait for it before they are answered
	stubborn  atomic.Bool                   // a segment that is called off is delivered all the same: it was done
	calledOff chan struct{}                 // gets one for each segment that is called off
	parts     func(part int) bool           // when set, two transcoders share each ladder, a rung each; false: the part shows something else
	reused    protocol.ID                   // when set, of every attempt
	before    func(seq uint64)              // when set, called before a segment is answered
	quoting   func(r *http.Request)         // when set, called before a quote is answered
	mu        sync.Mutex
	requests  map[protocol.ID]protocol.QuoteRequest
	delivered map[protocol.ID]int // tickets by attempt
	rejects   map[protocol.ID]protocol.Code
	offers    []protocol.SegmentOffer
	flushes   int
}

func newKey(t testing.TB) *protocol.KeySigner {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(key)
}

func newPeer(t testing.TB, domain func() protocol.Domain) *peer {
	t.Helper()
	if _, err := media.Find(); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, domain: domain, self: newKey(t), transcoder: newKey(t), pool: media.NewPool(media.Options{}, 1), price: protocol.NewWei(100), usable: time.Minute, valid: time.Minute, calledOff: make(chan struct{}, 16),
		requests: make(map[protocol.ID]protocol.QuoteRequest), delivered: make(map[protocol.ID]int), rejects: make(map[protocol.ID]protocol.Code)}
	t.Cleanup(func() { _ = p.pool.Close() })
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/quote", p.quote)
	mux.HandleFunc("POST /v1/streams/{stream}/segments/{seq}", p.segment)
	mux.HandleFunc("POST /v1/streams/{stream}/segments/{seq}/cancel", p.cancel)
	mux.HandleFunc("POST /v1/tickets", p.tickets)
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		e := protocol.Event{ID: 7, At: time.Now(), Role: "orchestrator", Actor: p.self.Address(), Kind: protocol.BidReceived}
		_, _ = io.WriteString(w, "id: 7\nevent: bid_received\ndata: "+string(protocol.Encode(e))+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	p.server = httptest.NewUnstartedServer(mux)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP1(true)
	p.server.Config.Protocols = &protocols
	p.server.Start()
	p.url = p.server.URL
	t.Cleanup(func() { p.server.CloseClientConnections(); p.server.Close() })
	return p
}

func (p *peer) quote(w http.ResponseWriter, r *http.Request) {
	var q protocol.QuoteRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "%w", err))
		return
	}
	if p.quoting != nil {
		p.quoting(r)
	}
	if err := p.fits(q); err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	price := p.price
	if x := p.spike.Load(); x > 0 {
		price = protocol.NewWei(x)
	}
	prices := protocol.Prices{{Codec: protocol.H264, WeiPerPixel: price}, {Codec: protocol.HEVC, WeiPerPixel: price}}
	fee, err := q.Ladder.MaxFee(prices, q.SourceFPS, q.MaxMillis)
	if err != nil {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadLadder, "%w", err))
		return
	}
	quote := must(protocol.Seal(p.domain(), p.self, protocol.Quote{ID: protocol.NewID(), Orchestrator: p.self.Address(), Payer: q.Payer, Stream: q.Stream,
		LadderHash: protocol.Hash(q.Ladder.Hash()), Prices: prices, MaxFee: fee, ValidMillis: uint32(p.valid.Milliseconds()), MaxMillis: q.MaxMillis}))
	usable := uint32(p.usable.Milliseconds())
	params := must(protocol.Seal(p.domain(), p.self, protocol.TicketParams{Set: protocol.NewID(), Payer: q.Payer, Recipient: p.self.Address(), Lane: uint16(len(q.Stream)), FaceValue: fee.Mul(2),
		RecipientRandHash: protocol.NewID(), Expiry: uint64(time.Now().Add(time.Hour).Unix()), UsableMillis: usable, AcceptMillis: usable + 10_000, RedeemMillis: usable + 12_000}))
	p.mu.Lock()
	p.requests[quote.Message.ID] = q
	p.mu.Unlock()
	_ = json.NewEncoder(w).Encode(protocol.QuoteAnswer{Quote: quote, Params: params})
}

// fits refuses what there is no room for, as an orchestrator does.
func (p *peer) fits(q protocol.QuoteRequest) error {
	if room := p.room.Load(); room > 0 && q.Ladder.PixelRate(q.SourceFPS) > room {
		return protocol.Limited(protocol.NoCapacity, "free_pixel_rate", room, "none of 1 bidders can take it: candidate 1: free_pixel_rate is %d, want at least %d",
			room, q.Ladder.PixelRate(q.SourceFPS))
	}
	return nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (p *peer) tickets(w http.ResponseWriter, r *http.Request) {
	var d payment.Delivery
	if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "%w", err))
		return
	}
	var answer payment.DeliveryAnswer
	p.mu.Lock()
	for _, x := range d.Tickets {
		p.delivered[x.Attempt]++
		answer.Results = append(answer.Results, payment.Result{Attempt: x.Attempt})
	}
	for _, x := range d.Rejects {
		p.rejects[x.Attempt] = x.Code
	}
	if d.Flush != nil {
		p.flushes++
	}
	p.mu.Unlock()
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *peer) segment(w http.ResponseWriter, r *http.Request) {
	offer, err := protocol.DecodeField[protocol.SegmentOffer](r.Header.Get(protocol.OfferField))
	if err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	header := offer.Header.Message
	if signer, err := offer.Header.Signatory(p.domain()); err != nil || signer != header.Payer && signer != p.session {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadSignature, "signed by %s: %w", signer, err))
		return
	}
	if code := p.refuse.Load(); code != nil {
		if next := p.andThen.Load(); next != nil {
			p.refuse.Store(next)
		}
		protocol.WriteProblem(w, protocol.Errorf(*code, "told to refuse"))
		return
	}
	if p.mute != nil { // as a process that is stopped: it takes the connection, and nothing else
		p.mu.Lock()
		p.offers = append(p.offers, offer)
		p.mu.Unlock()
		select {
		case <-p.mute:
		case <-r.Context().Done():
		}
		return
	}
	p.mu.Lock()
	p.offers = append(p.offers, offer)
	q, known := p.requests[header.Quote]
	p.mu.Unlock()
	if !known {
		protocol.WriteProblem(w, protocol.Errorf(protocol.QuoteUnknown, "no such quote"))
		return
	}
	if err := p.fits(q); err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", protocol.FrameType)
	frames := protocol.NewFrameWriter(w, rc.Flush)
	ordinal := uint8(0)
	if p.abandon.Add(-1) >= 0 {
		p.start(frames, ordinal, offer, p.transcoder)
		_ = frames.Write(protocol.Frame{Kind: protocol.FrameRendition, Attempt: ordinal, Payload: []byte("half a rendition")})
		_ = frames.Write(protocol.Frame{Kind: protocol.FrameAbandoned, Attempt: ordinal, Payload: protocol.Encode(protocol.ProblemOf(protocol.Errorf(protocol.ChildCrashed, "told to")))})
		ordinal++
	}
	if most := p.flood.Swap(0); most > 0 {
		p.pour(frames, ordinal, offer, most)
		return
	}
	if p.parts != nil {
		p.share(r, frames, offer, q.Ladder)
		return
	}
	ladder := q.Ladder
	if p.blacken.Add(-1) >= 0 { // right in every number but not the picture: another rung's
		ladder = append(protocol.Ladder{}, ladder...)
		ladder[0].Width, ladder[0].Height = 64, 64
	}
	child, err := p.pool.Get(r.Context())
	if err != nil {
		return
	}
	defer child.Close()
	a := p.start(frames, ordinal, offer, p.transcoder)
	hash := sha256.New()
	outputs := make([][]byte, len(ladder))
	if p.held != nil {
		select {
		case <-p.held:
		case <-p.calledOff:
			if !p.stubborn.Load() {
				_ = frames.Write(protocol.Frame{Kind: protocol.FrameEnd, Payload: protocol.Encode(protocol.ProblemOf(protocol.Errorf(protocol.Cancelled, "called off")))})
				return
			}
		}
	}
	if p.before != nil {
		p.before(header.Seq)
	}
	result, err := child.Transcode(r.Context(), media.Job{Ladder: ladder, Source: io.TeeReader(r.Body, hash), Out: func(i int, b []byte) error {
		outputs[i] = append(outputs[i], b...)
		return frames.Write(protocol.Frame{Kind: protocol.FrameRendition, Attempt: ordinal, Rendition: uint8(i), Payload: b})
	}})
	if err != nil {
		_ = frames.Write(protocol.Frame{Kind: protocol.FrameEnd, Payload: protocol.Encode(protocol.ProblemOf(err))})
		return
	}
	if x := result.Renditions[0]; x.LastPTS-x.FirstPTS > 90*(int64(offer.DurationMillis)*5/4+1000) {
		_ = frames.Write(protocol.Frame{Kind: protocol.FrameEnd, Payload: protocol.Encode(protocol.ProblemOf(protocol.Errorf(protocol.SegmentTooLong, "announced as %d ms", offer.DurationMillis)))})
		return
	}
	receipt := protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: a.Transcoder, Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt, Source: protocol.Hash(hash.Sum(nil))}
	for i, x := range result.Renditions {
		receipt.Renditions = append(receipt.Renditions, protocol.RenditionReceipt{Profile: protocol.Hash(q.Ladder[i].Hash()), Output: sha256.Sum256(outputs[i]), Pixels: uint64(x.Pixels),
			Frames: uint32(x.Frames), FirstPTS: x.FirstPTS, LastPTS: x.LastPTS})
	}
	_ = frames.Write(protocol.Frame{Kind: protocol.FrameReceipt, Attempt: ordinal, Payload: protocol.Encode(must(protocol.Seal(p.domain(), p.transcoder, receipt)))})
	_ = frames.Write(protocol.Frame{Kind: protocol.FrameVerdict, Attempt: ordinal, Payload: protocol.Encode(protocol.Verdict{Attempt: a.Attempt, Passed: true})})
	_ = frames.Write(protocol.Frame{Kind: protocol.FrameEnd})
}

func (p *peer) cancel(w http.ResponseWriter, r *http.Request) {
	if _, err := protocol.DecodeField[protocol.SegmentOffer](r.Header.Get(protocol.OfferField)); err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	p.calledOff <- struct{}{}
	w.WriteHeader(http.StatusNoContent)
}

func (p *peer) start(frames *protocol.FrameWriter, ordinal uint8, offer protocol.SegmentOffer, transcoder *protocol.KeySigner, rungs ...int) protocol.Assignment {
	a := protocol.Assignment{Orchestrator: p.self.Address(), Transcoder: transcoder.Address(), Lease: protocol.NewID(), SegmentKey: offer.Header.Message.SegmentKey, Attempt: protocol.NewID()}
	if !p.reused.IsZero() {
		a.Attempt = p.reused
	}
	_ = frames.Write(protocol.Frame{Kind: protocol.FrameAttempt, Attempt: ordinal, Payload: protocol.Encode(protocol.AttemptStart{
		Assignment: must(protocol.Seal(p.domain(), p.self, a)), DurationMillis: offer.DurationMillis, BudgetMillis: offer.BudgetMillis, Rungs: rungs})})
	return a
}

// share has each rung made by a transcoder of its own, in an attempt of its own, and vouches for them when both are done.
func (p *peer) share(r *http.Request, frames *protocol.FrameWriter, offer protocol.SegmentOffer, ladder protocol.Ladder) {
	source, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var verdicts []protocol.Frame
	for part := range ladder {
		transcoder := newKey(p.t)
		child, err := p.pool.Get(r.Context())
		if err != nil {
			return
		}
		ordinal, job := uint8(part), ladder[part:part+1]
		a := p.start(frames, ordinal, offer, transcoder, part)
		if !p.parts(part) {
			job = protocol.Ladder{job[0]}
			job[0].Width, job[0].Height = 64, 64
		}
		var output []byte
		result, err := child.Transcode(r.Context(), media.Job{Ladder: job, Source: bytes.NewReader(source), Out: func(_ int, b []byte) error {
			output = append(output, b...)
			return frames.Write(protocol.Frame{Kind: protocol.FrameRendition, Attempt: ordinal, Payload: b})
		}})
		_ = child.Close()
		if err != nil {
			return
		}
		x := result.Renditions[0]
		receipt := protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: a.Transcoder, Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt, Source: sha256.Sum256(source),
			Renditions: []protocol.RenditionReceipt{{Profile: protocol.Hash(ladder[part].Hash()), Output: sha256.Sum256(output), Pixels: uint64(x.Pixels),
				Frames: uint32(x.Frames), FirstPTS: x.FirstPTS, LastPTS: x.LastPTS}}}
		_ = frames.Write(protocol.Frame{Kind: protocol.FrameReceipt, Attempt: ordinal, Payload: protocol.Encode(must(protocol.Seal(p.domain(), transcoder, receipt)))})
		verdicts = append(verdicts, protocol.Frame{Kind: protocol.FrameVerdict, Attempt: ordinal, Payload: protocol.Encode(protocol.Verdict{Attempt: a.Attempt, Passed: true})})
	}
	for _, v := range verdicts {
		_ = frames.Write(v)
	}
	_ = frames.Write(protocol.Frame{Kind: protocol.FrameEnd})
}

// pour answers with null packets, of which a transport stream may have any number.
func (p *peer) pour(frames *protocol.FrameWriter, ordinal uint8, offer protocol.SegmentOffer, most int64) {
	p.start(frames, ordinal, offer, p.transcoder)
	packet := append([]byte{0x47, 0x1f, 0xff, 0x10}, bytes.Repeat([]byte{0xff}, 184)...)
	packets := bytes.Repeat(packet, 1000)
	for p.flooded.Load() < most {
		if frames.Write(protocol.Frame{Kind: protocol.FrameRendition, Attempt: ordinal, Payload: packets}) != nil {
			return
		}
		p.flooded.Add(int64(len(packets)))
	}
}

// paid is how many attempts got a ticket; more than one for one attempt fails the test only if they were different, which
// the ledger of the payer rules out.
func (p *peer) paid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.delivered)
}

func (p *peer) rejected() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.rejects)
}

func (p *peer) offered() []protocol.SegmentOffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]protocol.SegmentOffer(nil), p.offers...)
}

// eventually polls until is holds.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within 30 s: %s", what)
		case <-tick.C:
		}
	}
}

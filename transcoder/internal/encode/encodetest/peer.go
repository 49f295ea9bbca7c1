// Package encodetest is an orchestrator for tests: it takes parked slots over HTTP/2 and sends attempts down them.
package encodetest

import (
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
)

// Patience is how long a test waits for anything.
const Patience = 20 * time.Second

// Domain is that of a Peer unless its test sets another.
var Domain = protocol.NewDomain(1337, common.HexToAddress("0xe5c0"))

// Peer is a listening orchestrator.
type Peer struct {
	URL    string
	Key    *protocol.KeySigner
	Domain protocol.Domain

	server *http.Server
	slots  chan *Slot

	mu      sync.Mutex
	refusal error // what the next slots are refused with
	parked  int
	refused int
}

// Slot is one parked request.
type Slot struct {
	Request protocol.SlotRequest
	in      *protocol.FrameReader
	out     *protocol.FrameWriter
	body    io.Closer
	done    chan struct{}
	once    sync.Once
	gone    <-chan struct{}
}

// NewKey draws an account.
func NewKey(t testing.TB) *protocol.KeySigner {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(key)
}

// Seal signs m.
func Seal[M protocol.Message](t testing.TB, s protocol.Signer, m M) protocol.Signed[M] {
	t.Helper()
	signed, err := protocol.Seal(Domain, s, m)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// NewPeer starts an orchestrator that ends with the test.
func NewPeer(t testing.TB) *Peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	p := &Peer{URL: "http://" + listener.Addr().String(), Key: NewKey(t), Domain: Domain, slots: make(chan *Slot, 64)}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), Protocols: protocols}
	go func() { _ = p.server.Serve(listener) }()
	t.Cleanup(p.Close)
	return p
}

// Close ends every exchange at once.
func (p *Peer) Close() { _ = p.server.Close() }

// Refuse answers slots from now on with err; nil takes them again.
func (p *Peer) Refuse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = err
}

// Parked counts the slots that wait now.
func (p *Peer) Parked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.parked
}

// Refused counts the slots that were not taken.
func (p *Peer) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

func (p *Peer) serve(w http.ResponseWriter, r *http.Request) {
	signed, err := protocol.DecodeField[protocol.Signed[protocol.SlotRequest]](r.Header.Get(protocol.SlotField))
	var request protocol.SlotRequest
	if err == nil {
		request, err = signed.Open(p.Domain)
	}
	if err == nil && r.URL.Path != "/v1/leases/"+request.Lease.String()+"/slots" {
		err = protocol.Errorf(protocol.BadRequest, "path %s", r.URL.Path)
	}
	p.mu.Lock()
	if err == nil {
		err = p.refusal
	}
	if err != nil {
		p.refused++
	}
	p.mu.Unlock()
	if err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", protocol.FrameType)
	flush := http.NewResponseController(w).Flush
	if flush() != nil {
		return
	}
	s := &Slot{Request: request, in: protocol.NewFrameReader(r.Body), out: protocol.NewFrameWriter(w, flush), body: r.Body,
		done: make(chan struct{}), gone: r.Context().Done()}
	p.mu.Lock()
	p.parked++
	p.mu.Unlock()
	p.slots <- s
	select {
	case <-s.done:
	case <-s.gone:
	}
	p.mu.Lock()
	p.parked--
	p.mu.Unlock()
}

// Slot waits for a parked slot that is still there.
func (p *Peer) Slot(t testing.TB) *Slot {
	t.Helper()
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	for {
		select {
		case s := <-p.slots:
			select {
			case <-s.gone:
				continue
			default:
				return s
			}
		case <-timer.C:
			t.Fatal("no slot was parked")
		}
	}
}

// Assign makes an assignment of lease.
func (p *Peer) Assign(award protocol.Award, seq uint64) protocol.Assignment {
	return protocol.Assignment{Orchestrator: award.Orchestrator, Transcoder: award.Transcoder, Lease: award.Lease,
		SegmentKey: protocol.SegmentKey{Stream: award.Stream, Incarnation: 1, Seq: seq}, Attempt: protocol.NewID()}
}

// SealAward signs an award.
func (p *Peer) SealAward(t testing.TB, a protocol.Award) protocol.Signed[protocol.Award] {
	t.Helper()
	signed, err := protocol.Seal(p.Domain, p.Key, a)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Start sends FrameAttempt of a, with a budget of 30 s.
func (p *Peer) Start(t testing.TB, s *Slot, a protocol.Assignment, continues bool) {
	t.Helper()
	signed, err := protocol.Seal(p.Domain, p.Key, a)
	if err != nil {
		t.Fatal(err)
	}
	s.Begin(t, protocol.AttemptStart{Assignment: signed, DurationMillis: 2000, BudgetMillis: 30_000, Continues: continues})
}

// Begin sends FrameAttempt.
func (s *Slot) Begin(t testing.TB, start protocol.AttemptStart) {
	t.Helper()
	s.send(t, protocol.FrameAttempt, protocol.Encode(start))
}

func (s *Slot) send(t testing.TB, kind protocol.FrameKind, payload []byte) {
	t.Helper()
	if err := s.out.Write(protocol.Frame{Kind: kind, Payload: payload}); err != nil {
		t.Error(err)
	}
}

// Source sends bytes of the source.
func (s *Slot) Source(t testing.TB, p []byte) { t.Helper(); s.send(t, protocol.FrameSource, p) }

// End ends the source, which was whole.
func (s *Slot) End(t testing.TB, whole []byte) {
	t.Helper()
	s.send(t, protocol.FrameSourceEnd, protocol.Encode(protocol.SourceEnd{Source: sha256.Sum256(whole), Bytes: uint64(len(whole))}))
}

// Cancel sends FrameCancel.
func (s *Slot) Cancel(t testing.TB, err error) {
	t.Helper()
	s.send(t, protocol.FrameCancel, protocol.Encode(protocol.ProblemOf(err)))
}

// Finish ends the exchange on this side.
func (s *Slot) Finish() { s.once.Do(func() { close(s.done) }) }

// Outcome is what came of an attempt.
type Outcome struct {
	Renditions map[int][]byte
	Restarts   int // after each, the renditions begin anew
	Receipt    *protocol.Signed[protocol.Receipt]
	Abandoned  *protocol.Problem
	Err        error // the exchange broke
}

// Outcome reads until the receipt, the attempt was abandoned or the exchange broke, and ends the exchange.
func (s *Slot) Outcome() Outcome {
	defer s.Finish()
	out := Outcome{Renditions: make(map[int][]byte)}
	for {
		f, err := s.in.Read()
		if err != nil {
			out.Err = err
			return out
		}
		switch f.Kind {
		case protocol.FrameRestart:
			out.Restarts++
			clear(out.Renditions)
		case protocol.FrameRendition:
			out.Renditions[int(f.Rendition)] = append(out.Renditions[int(f.Rendition)], f.Payload...)
		case protocol.FrameReceipt:
			r, err := protocol.Decode[protocol.Signed[protocol.Receipt]](f.Payload)
			out.Receipt, out.Err = &r, err
			return out
		case protocol.FrameAbandoned:
			p, err := protocol.Decode[protocol.Problem](f.Payload)
			out.Abandoned, out.Err = &p, err
			return out
		default:
			out.Err = errors.New("a frame that a transcoder does not send")
			return out
		}
	}
}

// Run sends whole as the source of an attempt and returns what comes of it.
func (s *Slot) Run(t testing.TB, whole []byte) Outcome {
	t.Helper()
	s.Source(t, whole)
	s.End(t, whole)
	return s.Outcome()
}

// Eventually polls until ok or the test's patience ends.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("waited in vain: " + strings.TrimSpace(what))
		}
	}
}

// Package peertest is the smallest transcoder there can be, over the real bus, HTTP and media child, for tests of the
// orchestrator: honest, or not.
package peertest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Manner is how a Peer behaves.
type Manner string

// Manners.
const (
	Honest   Manner = "honest"
	Dark     Manner = "dark"     // encodes other pictures of the same times instead of the source
	Forger   Manner = "forger"   // claims more pixels than it made
	Quitter  Manner = "quitter"  // breaks off after the first source bytes, as if the process had died
	Absent   Manner = "absent"   // accepts leases and never parks a slot
	Giver    Manner = "giver-up" // abandons each attempt
	Crowded  Manner = "crowded"  // accepts leases and has no room for their attempts
	Sleeper  Manner = "sleeper"  // takes the source and never answers
	Decliner Manner = "decliner"
	Hasty    Manner = "hasty"    // sends a receipt at once
	Poisoner Manner = "poisoner" // says of each segment that it is poison
	Stumbler Manner = "stumbler" // sends something, begins anew, and does it well
	Choppy   Manner = "choppy"   // puts in keyframes nobody asked for: a fault that a source might provoke
)

// Options of a Peer.
type Options struct {
	Domain protocol.Domain
	Key    *protocol.KeySigner
	NATS   string
	Price  uint64 // wei per pixel
	Manner Manner
	Owner  common.Address // whom its record says that it belongs to; zero: it brings no record
	Free   uint64         // pixels a second that its bids say are free; 0: a thousand million
	// Params makes the ticket parameters for a lease.
	Params func(ctx context.Context, payer common.Address, stream string, maxFee protocol.Wei) (protocol.Signed[protocol.TicketParams], error)
	// Admit holds credit for an attempt; may be nil.
	Admit func(ctx context.Context, payer, signer common.Address, attempt protocol.ID, budget protocol.Wei) (release func(), err error)
	// Tickets takes deliveries; nil: none are served.
	Tickets func(ctx context.Context, delivery []byte) ([]byte, error)
	// Owe notes a delivered attempt; may be nil.
	Owe func(ctx context.Context, payer common.Address, attempt protocol.ID, stream string, fee protocol.Wei) error
	// Instead is what a Dark peer encodes instead of segment seq.
	Instead func(seq uint64) []byte
	Log     *slog.Logger
}

// Peer is a transcoder on the market.
type Peer struct {
	Options
	child  *media.Child
	client *http.Client
	manner atomic.Value
	free   atomic.Uint64
	life   context.Context

	Tries atomic.Int64 // attempts it was given
	Asked atomic.Int64 // leases it was offered
	Held  atomic.Int64 // leases it accepted

	mu     sync.Mutex
	leases map[protocol.ID]held
}

type held struct {
	offer protocol.AwardOffer
	end   context.CancelFunc
}

// Address of its key.
func (p *Peer) Address() common.Address { return p.Key.Address() }

// Behave changes its manner.
func (p *Peer) Behave(m Manner) { p.manner.Store(m) }

// HasFree changes what its bids say is free.
func (p *Peer) HasFree(pixelRate uint64) { p.free.Store(pixelRate) }

// room is what is free beside the leases it holds.
func (p *Peer) room() uint64 {
	free := p.free.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.leases {
		if !h.offer.Standby {
			free -= min(free, work(h.offer))
		}
	}
	return free
}

func work(o protocol.AwardOffer) uint64 {
	rate, _ := o.Ladder.PixelRates(o.SourceFPS).Of(protocol.H264)
	return rate
}

// Open counts its leases.
func (p *Peer) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.leases)
}

func (p *Peer) is(x Manner) bool { return p.manner.Load().(Manner) == x }

// Join brings a peer to the market until the test ends; it bids from now on.
func Join(t testing.TB, o Options) *Peer {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	p := &Peer{Options: o, client: &http.Client{Transport: transport}, leases: make(map[protocol.ID]held)}
	p.Behave(o.Manner)
	p.HasFree(cmp.Or(o.Free, 1e9))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	life, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	p.life = life
	var err error
	p.child, err = media.Start(life, media.Options{Log: o.Log})
	must(err)
	nats, err := bus.Dial(t.Context(), o.NATS, bus.Options{Name: "peer", Log: o.Log})
	must(err)
	self := p.Address()
	must(nats.ServeAwards(life, self, p.award))
	must(nats.ServeParams(life, self, func(ctx context.Context, r protocol.Signed[protocol.ParamsRequest]) protocol.AwardAnswer {
		p.mu.Lock()
		h, ok := p.leases[r.Message.Lease]
		p.mu.Unlock()
		if !ok {
			return decline(protocol.Errorf(protocol.LeaseUnknown, "no such lease"))
		}
		return p.params(ctx, h.offer)
	}))
	must(nats.ServeLeases(life, self, func(_ context.Context, r protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement {
		p.mu.Lock()
		defer p.mu.Unlock()
		if h, ok := p.leases[r.Message.Lease]; r.Message.ExtendMillis == 0 && ok {
			h.end()
			delete(p.leases, r.Message.Lease)
		}
		return protocol.Acknowledgement{}
	}))
	if o.Tickets != nil {
		must(nats.ServeTickets(life, self, o.Tickets))
	}
	var record *protocol.Capabilities
	var hash protocol.Hash
	if o.Owner != (common.Address{}) {
		record = &protocol.Capabilities{Transcoder: self, Owner: o.Owner, Engine: "peertest", Sandbox: protocol.Sandbox{Layers: []string{}}}
		hash = protocol.Hash(record.StructHash())
	}
	var bidding sync.WaitGroup
	bidding.Go(func() {
		every := time.NewTicker(200 * time.Millisecond)
		defer every.Stop()
		for {
			bid, err := protocol.Seal(o.Domain, o.Key, protocol.Bid{Transcoder: self, FreePixelRate: p.room(), TTLMillis: 2000, Sequence: uint64(time.Now().UnixNano()),
				Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(o.Price)}}, Capabilities: hash, Record: record})
			if err == nil {
				_ = nats.PublishBid(bid)
			}
			select {
			case <-every.C:
			case <-life.Done():
				return
			}
		}
	})
	t.Cleanup(func() {
		stop()
		bidding.Wait()
		_ = nats.Close()
		_ = p.child.Close()
		transport.CloseIdleConnections()
	})
	return p
}

func decline(err error) protocol.AwardAnswer {
	problem := protocol.ProblemOf(err)
	return protocol.AwardAnswer{Decline: &problem}
}

func (p *Peer) params(ctx context.Context, offer protocol.AwardOffer) protocol.AwardAnswer {
	a := offer.Award.Message
	if p.Admit != nil {
		release, err := p.Admit(ctx, a.Payer, a.Orchestrator, a.Lease, a.MaxFee)
		if err != nil {
			return decline(err)
		}
		release()
	}
	s, err := p.Params(ctx, a.Payer, a.Stream, a.MaxFee)
	if err != nil {
		return decline(err)
	}
	return protocol.AwardAnswer{Params: &s}
}

func (p *Peer) award(ctx context.Context, offer protocol.AwardOffer) protocol.AwardAnswer {
	p.Asked.Add(1)
	if p.is(Decliner) {
		return decline(protocol.Errorf(protocol.NoCapacity, "no room"))
	}
	if free := p.room(); work(offer) > free {
		return decline(protocol.Limited(protocol.NoCapacity, "free_pixel_rate", free, "no room"))
	}
	answer := p.params(ctx, offer)
	if answer.Decline != nil {
		return answer
	}
	p.Held.Add(1)
	life, end := context.WithCancel(p.life)
	p.mu.Lock()
	p.leases[offer.Award.Message.Lease] = held{offer, end}
	p.mu.Unlock()
	if p.is(Absent) {
		return answer
	}
	for i := range 2 {
		go func() {
			for serial := uint64(i + 1); life.Err() == nil; serial += 2 {
				if err := p.slot(life, offer, serial); err != nil {
					return // the lease is over, or the market is
				}
			}
		}()
	}
	return answer
}

// slot parks one slot and serves the attempt that comes.
func (p *Peer) slot(ctx context.Context, offer protocol.AwardOffer, serial uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lease := offer.Award.Message.Lease
	request, err := protocol.Seal(p.Domain, p.Key, protocol.SlotRequest{Lease: lease, Transcoder: p.Address(), Serial: serial})
	if err != nil {
		return err
	}
	body, w := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, offer.Award.Message.URL+"/v1/leases/"+lease.String()+"/slots", body)
	if err != nil {
		return err
	}
	req.Header.Set(protocol.SlotField, protocol.EncodeField(request))
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("slot refused: %d", resp.StatusCode)
	}
	in, out := protocol.NewFrameReader(resp.Body), protocol.NewFrameWriter(w, nil)
	unpark := context.AfterFunc(ctx, func() { _ = w.CloseWithError(context.Cause(ctx)) }) // a request whose body is waited for does not hear of its context
	f, err := in.Read()
	unpark()
	if err != nil || f.Kind != protocol.FrameAttempt {
		return errors.New("no attempt came")
	}
	start, err := protocol.Decode[protocol.AttemptStart](f.Payload)
	if err != nil {
		return err
	}
	p.Tries.Add(1)
	source, feed := io.Pipe()
	ended := make(chan protocol.SourceEnd, 1)
	go func() {
		defer cancel()
		for {
			f, err := in.Read()
			switch {
			case err != nil:
				feed.CloseWithError(io.ErrUnexpectedEOF)
				return
			case f.Kind == protocol.FrameSource:
				if _, err := feed.Write(f.Payload); err != nil {
					continue // nobody reads; a cancel is still to be heard
				}
			case f.Kind == protocol.FrameSourceEnd:
				if end, err := protocol.Decode[protocol.SourceEnd](f.Payload); err == nil {
					ended <- end
				}
				_ = feed.Close()
			case f.Kind == protocol.FrameCancel:
				feed.CloseWithError(context.Canceled)
				return
			}
		}
	}()
	defer source.Close()
	err = p.serve(ctx, offer, start, source, ended, out)
	if errors.Is(err, errQuit) {
		return w.CloseWithError(err) // the stream breaks as if the process had died
	}
	if err != nil {
		_ = out.Write(protocol.Frame{Kind: protocol.FrameAbandoned, Payload: protocol.Encode(protocol.ProblemOf(err))})
	}
	_ = w.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return nil
}

var errQuit = errors.New("quit")

func (p *Peer) serve(ctx context.Context, offer protocol.AwardOffer, start protocol.AttemptStart, source io.Reader, ended <-chan protocol.SourceEnd, out *protocol.FrameWriter) error {
	a, award := start.Assignment.Message, offer.Award.Message
	if p.Admit != nil {
		release, err := p.Admit(ctx, award.Payer, award.Orchestrator, a.Attempt, award.MaxFee)
		if err != nil {
			return err
		}
		defer release()
	}
	receipt := protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: p.Address(), Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt}
	outputs := make([]*hashed, len(offer.Ladder))
	for i := range outputs {
		outputs[i] = newHashed()
	}
	job := media.Job{Ladder: offer.Ladder, Source: source, Continues: start.Continues, Out: func(i int, b []byte) error {
		_, _ = outputs[i].Write(b)
		return out.Write(protocol.Frame{Kind: protocol.FrameRendition, Rendition: uint8(i), Payload: b})
	}}
	switch {
	case p.is(Quitter):
		_, _ = io.ReadFull(source, make([]byte, 100))
		return errQuit
	case p.is(Giver):
		return protocol.Errorf(protocol.ChildCrashed, "the child died")
	case p.is(Crowded):
		return protocol.Limited(protocol.NoCapacity, "free_pixel_rate", 0, "the room is taken meanwhile")
	case p.is(Poisoner):
		_, _ = io.Copy(io.Discard, source)
		return protocol.Errorf(protocol.PoisonSegment, "it ended two media children")
	case p.is(Stumbler):
		if err := errors.Join(out.Write(protocol.Frame{Kind: protocol.FrameRendition, Payload: []byte("not what comes of it")}),
			out.Write(protocol.Frame{Kind: protocol.FrameRestart})); err != nil {
			return err
		}
	case p.is(Sleeper):
		_, _ = io.Copy(io.Discard, source)
		<-ctx.Done()
		return protocol.Errorf(protocol.Cancelled, "cancelled")
	case p.is(Hasty):
		s, err := protocol.Seal(p.Domain, p.Key, protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: p.Address(), Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt,
			Source: protocol.NewID(), Renditions: []protocol.RenditionReceipt{{Frames: 1, Pixels: 1}}})
		if err != nil {
			return err
		}
		return out.Write(protocol.Frame{Kind: protocol.FrameReceipt, Payload: protocol.Encode(s)})
	case p.is(Dark):
		_, _ = io.Copy(io.Discard, source)
		job.Source = bytes.NewReader(p.Instead(a.Seq))
	case p.is(Choppy):
		job.Ladder = slices.Clone(job.Ladder)
		for i := range job.Ladder {
			job.Ladder[i].GOPMillis = 250
		}
	}
	res, err := p.child.Transcode(ctx, job)
	if err != nil {
		return err
	}
	select {
	case end := <-ended:
		receipt.Source = end.Source
	case <-ctx.Done():
		return ctx.Err()
	}
	for i, r := range res.Renditions {
		receipt.Renditions = append(receipt.Renditions, protocol.RenditionReceipt{Profile: protocol.Hash(offer.Ladder[i].Hash()), Output: outputs[i].sum(),
			Pixels: uint64(r.Pixels), Frames: uint32(r.Frames), FirstPTS: r.FirstPTS, LastPTS: r.LastPTS})
	}
	if p.is(Forger) {
		receipt.Renditions[0].Pixels++
	}
	signed, err := protocol.Seal(p.Domain, p.Key, receipt)
	if err != nil {
		return err
	}
	if p.Owe != nil {
		fee, err := offer.Ladder.Fee(award.Prices, receipt)
		if err != nil {
			return err
		}
		if err := p.Owe(ctx, award.Payer, a.Attempt, a.Stream, fee); err != nil {
			return err
		}
	}
	return out.Write(protocol.Frame{Kind: protocol.FrameReceipt, Payload: protocol.Encode(signed)})
}

// hashed is the running hash of one rendition.
type hashed struct{ hash.Hash }

func newHashed() *hashed { return &hashed{sha256.New()} }

func (h *hashed) sum() protocol.Hash { return protocol.Hash(h.Sum(nil)) }

package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// manner is how a peer behaves.
type manner string

const (
	honest   manner = "honest"
	black    manner = "black"    // encodes black pictures of the same times instead of the source
	forger   manner = "forger"   // claims more pixels than it made
	quitter  manner = "quitter"  // breaks off after the first source bytes
	absent   manner = "absent"   // accepts leases and never parks a slot
	giver    manner = "giver-up" // abandons each attempt
	sleeper  manner = "sleeper"  // takes the source and never answers
	decliner manner = "decliner"
	hasty    manner = "hasty" // sends a receipt at once
)

// peer is the smallest transcoder there can be, over the real bus, HTTP and media child.
type peer struct {
	m      *market
	key    *protocol.KeySigner
	price  uint64
	child  *media.Child
	client *http.Client
	manner atomic.Value

	life   context.Context
	tries  atomic.Int64 // attempts it was given
	parked atomic.Int64
	held   atomic.Int64 // leases it accepted

	mu     sync.Mutex
	leases map[protocol.ID]context.CancelFunc
}

func (p *peer) address() common.Address { return p.key.Address() }

func (p *peer) is(x manner) bool { return p.manner.Load().(manner) == x }

// join brings a peer to the market and waits until it can be hired.
func (m *market) join(how manner, price uint64) *peer {
	m.Helper()
	p := &peer{m: m, key: key(m), price: price, client: h2c(m), leases: make(map[protocol.ID]context.CancelFunc)}
	p.manner.Store(how)
	life, stop := context.WithCancel(context.WithoutCancel(m.Context()))
	p.life = life
	var err error
	p.child, err = media.Start(life, media.Options{Log: m.log})
	m.must(err)
	nats, err := bus.Dial(m.Context(), m.nats, bus.Options{Name: "peer", Log: m.log})
	m.must(err)
	self := p.address()
	m.must(nats.ServeAwards(life, self, p.award))
	m.must(nats.ServeParams(life, self, func(ctx context.Context, r protocol.Signed[protocol.ParamsRequest]) protocol.AwardAnswer {
		return p.params(r.Message.Orchestrator)
	}))
	m.must(nats.ServeLeases(life, self, func(_ context.Context, r protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement {
		p.mu.Lock()
		defer p.mu.Unlock()
		if end := p.leases[r.Message.Lease]; r.Message.ExtendMillis == 0 && end != nil {
			end()
			delete(p.leases, r.Message.Lease)
		}
		return protocol.Acknowledgement{}
	}))
	var bidding sync.WaitGroup
	bidding.Go(func() {
		every := time.NewTicker(200 * time.Millisecond)
		defer every.Stop()
		for {
			bid, err := protocol.Seal(m.domain, p.key, protocol.Bid{Transcoder: self, FreePixelRate: 1e9, TTLMillis: 2000, Sequence: uint64(time.Now().UnixNano()),
				Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(price)}}})
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
	m.Cleanup(func() {
		stop()
		bidding.Wait()
		_ = nats.Close()
		_ = p.child.Close()
	})
	m.eventually("the peer is allocated", func() bool {
		for _, x := range m.fleet.Members() {
			if x.Address == self && x.Allocated {
				return true
			}
		}
		return false
	})
	return p
}

func (p *peer) params(payer common.Address) protocol.AwardAnswer {
	s, err := params(p.m.domain, p.key, payer, protocol.NewWei(1e15))
	if err != nil {
		problem := protocol.ProblemOf(err)
		return protocol.AwardAnswer{Decline: &problem}
	}
	return protocol.AwardAnswer{Params: &s}
}

func (p *peer) award(_ context.Context, offer protocol.AwardOffer) protocol.AwardAnswer {
	if p.is(decliner) {
		problem := protocol.ProblemOf(protocol.Errorf(protocol.NoCapacity, "no room"))
		return protocol.AwardAnswer{Decline: &problem}
	}
	p.held.Add(1)
	a := offer.Award.Message
	ctx, end := context.WithCancel(p.life)
	p.mu.Lock()
	p.leases[a.Lease] = end
	p.mu.Unlock()
	if !p.is(absent) {
		for i := range 2 {
			go func() {
				for serial := uint64(i + 1); ctx.Err() == nil; serial += 2 {
					if err := p.slot(ctx, offer, serial); err != nil {
						return // the lease is over, or the market is
					}
				}
			}()
		}
	}
	return p.params(a.Orchestrator)
}

// slot parks one slot and serves the attempt that comes.
func (p *peer) slot(ctx context.Context, offer protocol.AwardOffer, serial uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lease := offer.Award.Message.Lease
	request, err := protocol.Seal(p.m.domain, p.key, protocol.SlotRequest{Lease: lease, Transcoder: p.address(), Serial: serial})
	if err != nil {
		return err
	}
	body, w := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.m.url+"/v1/leases/"+lease.String()+"/slots", body)
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
	p.parked.Add(1)
	in, out := protocol.NewFrameReader(resp.Body), protocol.NewFrameWriter(w, nil)
	f, err := in.Read()
	if err != nil || f.Kind != protocol.FrameAttempt {
		return errors.New("no attempt came")
	}
	start, err := protocol.Decode[protocol.AttemptStart](f.Payload)
	if err != nil {
		return err
	}
	p.tries.Add(1)
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

func (p *peer) serve(ctx context.Context, offer protocol.AwardOffer, start protocol.AttemptStart, source io.Reader, ended <-chan protocol.SourceEnd, out *protocol.FrameWriter) error {
	a := start.Assignment.Message
	receipt := protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: p.address(), Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt}
	outputs := make([]*hashed, len(offer.Ladder))
	for i := range outputs {
		outputs[i] = newHashed()
	}
	job := media.Job{Ladder: offer.Ladder, Source: source, Continues: start.Continues, Out: func(i int, b []byte) error {
		_, _ = outputs[i].Write(b)
		return out.Write(protocol.Frame{Kind: protocol.FrameRendition, Rendition: uint8(i), Payload: b})
	}}
	switch {
	case p.is(quitter):
		_, _ = io.ReadFull(source, make([]byte, 100))
		return errQuit
	case p.is(giver):
		return protocol.Errorf(protocol.ChildCrashed, "the child died")
	case p.is(sleeper):
		_, _ = io.Copy(io.Discard, source)
		<-ctx.Done()
		return protocol.Errorf(protocol.Cancelled, "cancelled")
	case p.is(hasty):
		s, err := protocol.Seal(p.m.domain, p.key, protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: p.address(), Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt,
			Source: protocol.NewID(), Renditions: []protocol.RenditionReceipt{{Frames: 1, Pixels: 1}}})
		if err != nil {
			return err
		}
		return out.Write(protocol.Frame{Kind: protocol.FrameReceipt, Payload: protocol.Encode(s)})
	case p.is(black):
		_, _ = io.Copy(io.Discard, source)
		job.Source = bytes.NewReader(mediatest.Segments(p.m, dark)[a.Seq].Bytes)
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
	if p.is(forger) {
		receipt.Renditions[0].Pixels++
	}
	signed, err := protocol.Seal(p.m.domain, p.key, receipt)
	if err != nil {
		return err
	}
	return out.Write(protocol.Frame{Kind: protocol.FrameReceipt, Payload: protocol.Encode(signed)})
}

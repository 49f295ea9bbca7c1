package transcoder_test

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
)

// An orchestrator that names another account as its payer is worked for when that account let its key sign, up to the cap,
// and until it is revoked. What it ordered before is paid.
func TestRun_worksForASessionKeyAsLongAsItsPayerLetsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, domain := t.Context(), w.escrow.Domain()
	owner := encodetest.NewKey(t)
	_, err := w.account.Transfer(ctx, owner.Address(), ether(20))
	no(err)
	treasury := chain.NewAccount(w.account.Client(), owner)
	_, err = w.escrow.Deposit(ctx, treasury, ether(10))
	no(err)
	_, err = w.escrow.Allocate(ctx, treasury, w.transcoder, ether(10))
	no(err)
	peer := encodetest.NewPeer(t)
	peer.Key, peer.Domain = w.orchestrator, domain
	bids := make(chan protocol.Bid, 100)
	no(w.bus.SubscribeBids(ctx, func(b protocol.Signed[protocol.Bid]) {
		if m, err := b.Open(domain); err == nil {
			bids <- m
		}
	}))
	w.run(t)
	award := func() (protocol.Award, protocol.AwardAnswer) {
		b := <-bids
		for len(bids) > 0 {
			b = <-bids
		}
		a := protocol.Award{Lease: protocol.NewID(), Orchestrator: w.orchestrator.Address(), Payer: owner.Address(), Transcoder: w.transcoder, Stream: "live",
			LadderHash: protocol.Hash(ladder.Hash()), Prices: b.Prices, MaxFee: ether(1).Div(10), LeaseMillis: 60_000, BidSequence: b.Sequence, URL: peer.URL}
		answer, err := w.bus.OfferAward(ctx, w.transcoder, protocol.AwardOffer{Award: peer.SealAward(t, a), Ladder: ladder, SourceFPS: 30, SegmentMillis: 2000})
		no(err)
		return a, answer
	}
	declines := func(code protocol.Code) {
		t.Helper()
		encodetest.Eventually(t, "awards are declined with "+string(code), func() bool {
			_, answer := award()
			return answer.Decline != nil && answer.Decline.Code == code
		})
	}
	authorise := func(dailyCap protocol.Wei) {
		t.Helper()
		now, err := w.escrow.BlockTime(ctx)
		no(err)
		_, err = w.escrow.Authorise(ctx, treasury, w.orchestrator.Address(), now+uint64(60*24*time.Hour/time.Second), dailyCap)
		no(err)
	}

	declines(protocol.BadSignature) // the owner has never heard of it
	authorise(ether(1).Div(20))     // half of what the award may cost
	declines(protocol.InsufficientCredit)
	authorise(ether(5))
	var a protocol.Award
	var answer protocol.AwardAnswer
	encodetest.Eventually(t, "the session is seen", func() bool {
		a, answer = award()
		return answer.Params != nil
	})
	params, err := answer.Params.Open(domain)
	no(err)
	if params.Payer != owner.Address() {
		t.Fatalf("parameters for %s, the payer is %s", params.Payer, owner.Address())
	}
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	slot := peer.Slot(t)
	first := peer.Assign(a, 0)
	peer.Start(t, slot, first, false)
	if out := slot.Run(t, segments[0].Bytes); out.Receipt == nil {
		t.Fatalf("%+v, %v", out.Abandoned, out.Err)
	}

	_, err = w.escrow.Revoke(ctx, treasury, w.orchestrator.Address())
	no(err)
	seq := uint64(0)
	encodetest.Eventually(t, "it is seen that the session has ended", func() bool { // what was read of it counts for two seconds
		seq++
		slot := peer.Slot(t)
		peer.Start(t, slot, peer.Assign(a, seq), false)
		out := slot.Run(t, segments[1].Bytes)
		if out.Receipt == nil && (out.Abandoned == nil || out.Abandoned.Code != protocol.SessionEnded) {
			t.Fatalf("after the revocation: abandoned %+v, %v", out.Abandoned, out.Err)
		}
		return out.Receipt == nil
	})
	declines(protocol.SessionEnded)
	signed, err := ticket.Domain{ChainID: domain.ChainID, Escrow: domain.Escrow}.Hasher().Sign(protocol.OnBehalf(owner.Address(), w.orchestrator),
		ticket.Ticket{Payer: params.Payer, Recipient: params.Recipient, Lane: params.Lane, TicketNonce: 1, FaceValue: params.FaceValue,
			WinProb: ticket.AlwaysWins, Expiry: params.Expiry, RecipientRandHash: common.Hash(params.RecipientRandHash)})
	no(err)
	raw, err := w.bus.SendTickets(ctx, w.transcoder, protocol.Encode(payment.Delivery{Payer: owner.Address(), Recipient: w.transcoder,
		Tickets: []payment.Paid{{Attempt: first.Attempt, Ticket: signed}}}))
	no(err)
	if got, err := protocol.Decode[payment.DeliveryAnswer](raw); err != nil || len(got.Results) != 1 || got.Results[0].Code != "" {
		t.Errorf("the ticket for what was delivered before: %+v, %v", got, err)
	}
}

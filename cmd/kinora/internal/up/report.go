package up

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Report is what kinora up --json prints. Every amount is read from the chain, none from the roles' own counters;
// LedgerBalanced says whether the two agree.
type Report struct {
	SegmentsIn          uint64                    `json:"segments_in"`
	SegmentsPublished   uint64                    `json:"segments_published"`
	RenditionsPublished uint64                    `json:"renditions_published"`
	SegmentsLate        uint64                    `json:"segments_late"`   // released more than the hold-back after their last source byte
	SegmentsFailed      uint64                    `json:"segments_failed"` // never published
	VerifiedL0          uint64                    `json:"verified_l0"`     // checks of attempts, both hops
	VerifiedL1          uint64                    `json:"verified_l1"`
	Rejected            uint64                    `json:"rejected"` // outputs that failed a check
	Bids                uint64                    `json:"bids"`
	Awards              uint64                    `json:"awards"`
	CheatersCaught      uint64                    `json:"cheaters_caught"` // transcoders cut off
	TicketsSent         uint64                    `json:"tickets_sent"`
	TicketsWon          uint64                    `json:"tickets_won"`
	TicketsRedeemed     uint64                    `json:"tickets_redeemed"`
	RedemptionTxs       uint64                    `json:"redemption_txs"`
	Latency             Latency                   `json:"latency_ms"` // last source byte → release
	Wei                 Books                     `json:"wei"`
	LedgerBalanced      bool                      `json:"ledger_balanced"`
	LedgerNotes         []string                  `json:"ledger_notes,omitempty"` // what did not agree
	RPCURL              string                    `json:"rpc_url"`
	Escrow              common.Address            `json:"escrow_address"`
	Parties             map[string]common.Address `json:"parties"`
	HLSURL              string                    `json:"hls_url"`
}

// Latency is in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	Max float64 `json:"max"`
}

// Books are the money of one run.
type Books struct {
	BroadcasterSpent  protocol.Wei `json:"broadcaster_spent"` // fell off its escrow account and allocations
	OrchestratorEarn  protocol.Wei `json:"orchestrator_earned"`
	OrchestratorSpent protocol.Wei `json:"orchestrator_spent"`
	TranscodersEarned protocol.Wei `json:"transcoders_earned"`
	Gas               protocol.Wei `json:"gas"`
	EscrowBefore      protocol.Wei `json:"escrow_before"`
	EscrowAfter       protocol.Wei `json:"escrow_after"`
}

// broadcasterStats, orchestratorStats and transcoderStats are the parts of /api/v1/stats that are counted here.
type broadcasterStats struct {
	SegmentsIn          uint64     `json:"segments_in"`
	SegmentsPublished   uint64     `json:"segments_published"`
	RenditionsPublished uint64     `json:"renditions_published"`
	SegmentsLate        uint64     `json:"segments_late"`
	SegmentsFailed      uint64     `json:"segments_failed"`
	VerifiedL0          uint64     `json:"verified_l0"`
	VerifiedL1          uint64     `json:"verified_l1"`
	Rejected            uint64     `json:"rejected"`
	InFlight            int        `json:"in_flight"`
	Latency             Latency    `json:"latency_ms"`
	Payer               payerStats `json:"payer"`
}

type orchestratorStats struct {
	Bids           uint64         `json:"bids"`
	Awards         uint64         `json:"awards"`
	VerifiedL0     uint64         `json:"verified_l0"`
	VerifiedL1     uint64         `json:"verified_l1"`
	Rejected       uint64         `json:"rejected"`
	CheatersCaught uint64         `json:"cheaters_caught"`
	Transcoders    int            `json:"transcoders"`
	Allocated      int            `json:"allocated"`
	Payer          payerStats     `json:"payer"`
	Recipient      recipientStats `json:"recipient"`
}

type transcoderStats struct {
	Recipient recipientStats `json:"recipient"`
}

type payerStats struct {
	Sent         uint64       `json:"signed"`
	Acknowledged uint64       `json:"acknowledged"`
	Due          uint64       `json:"due"`
	FeeWei       protocol.Wei `json:"fee_wei"`
}

type recipientStats struct {
	Accepted       uint64       `json:"accepted"`
	Won            uint64       `json:"won"`
	Redeemed       uint64       `json:"redeemed"`
	Txs            uint64       `json:"txs"`
	PendingWinners int          `json:"pending_winners"`
	OpenSets       int          `json:"open_sets"`
	WonWei         protocol.Wei `json:"won_wei"`
	RedeemedWei    protocol.Wei `json:"earned_wei"`
}

// snapshot is what chain and roles say at one moment.
type snapshot struct {
	block        uint64
	escrow       protocol.Wei                    // native balance of the contract
	inEscrow     map[common.Address]protocol.Wei // account and allocations given, by party
	native       map[common.Address]protocol.Wei
	broadcaster  broadcasterStats
	orchestrator orchestratorStats
	transcoders  []transcoderStats
}

// books reads chain and roles.
func (m *market) books(ctx context.Context) (snapshot, error) {
	s := snapshot{inEscrow: map[common.Address]protocol.Wei{}, native: map[common.Address]protocol.Wei{}}
	var err error
	if s.block, err = m.client.BlockNumber(ctx); err != nil {
		return s, err
	}
	if s.escrow, err = m.client.Balance(ctx, m.escrow.Address()); err != nil {
		return s, err
	}
	for _, p := range m.parties {
		a := p.Signer.Address()
		if s.native[a], err = m.client.Balance(ctx, a); err != nil {
			return s, err
		}
		sum, err := m.escrow.Balance(ctx, a)
		if err != nil {
			return s, err
		}
		for _, q := range m.parties {
			if p.Name == q.Name {
				continue
			}
			allocation, err := m.escrow.Allocation(ctx, a, q.Signer.Address())
			if err != nil {
				return s, err
			}
			sum = sum.Add(allocation.Amount)
		}
		s.inEscrow[a] = sum
	}
	if err := m.broadcaster.ask(ctx, "GET", "/api/v1/stats", &s.broadcaster); err != nil {
		return s, err
	}
	if err := m.orchestrator.ask(ctx, "GET", "/api/v1/stats", &s.orchestrator); err != nil {
		return s, err
	}
	for _, t := range m.transcoders {
		var stats transcoderStats
		if err := t.ask(ctx, "GET", "/api/v1/stats", &stats); err != nil {
			return s, err
		}
		s.transcoders = append(s.transcoders, stats)
	}
	return s, nil
}

// compare turns two snapshots and the redemptions between them into the report.
func (m *market) compare(ctx context.Context, before, after snapshot) (Report, error) {
	b, o := after.broadcaster, after.orchestrator
	was := before.broadcaster
	r := Report{
		SegmentsIn: b.SegmentsIn - was.SegmentsIn, SegmentsPublished: b.SegmentsPublished - was.SegmentsPublished,
		RenditionsPublished: b.RenditionsPublished - was.RenditionsPublished, SegmentsLate: b.SegmentsLate - was.SegmentsLate,
		SegmentsFailed: b.SegmentsFailed - was.SegmentsFailed,
		VerifiedL0:     b.VerifiedL0 - was.VerifiedL0 + o.VerifiedL0 - before.orchestrator.VerifiedL0,
		VerifiedL1:     b.VerifiedL1 - was.VerifiedL1 + o.VerifiedL1 - before.orchestrator.VerifiedL1,
		Rejected:       b.Rejected - was.Rejected + o.Rejected - before.orchestrator.Rejected,
		Bids:           o.Bids, Awards: o.Awards - before.orchestrator.Awards, CheatersCaught: o.CheatersCaught,
		TicketsSent: b.Payer.Sent - was.Payer.Sent + o.Payer.Sent - before.orchestrator.Payer.Sent,
		TicketsWon:  o.Recipient.Won - before.orchestrator.Recipient.Won, Latency: b.Latency,
		RPCURL: m.chain.URL(), Escrow: m.escrow.Address(), Parties: addresses(m.parties),
		HLSURL: fmt.Sprintf("http://%s/hls/%s/index.m3u8", m.broadcaster.addr(), m.o.Stream),
	}
	note := func(format string, args ...any) { r.LedgerNotes = append(r.LedgerNotes, fmt.Sprintf(format, args...)) }
	counted := map[common.Address]protocol.Wei{}
	orchestrator := m.parties[1].Signer.Address()
	counted[orchestrator] = o.Recipient.RedeemedWei.Sub(before.orchestrator.Recipient.RedeemedWei)
	pending := o.Recipient.PendingWinners
	for i, t := range after.transcoders {
		then := before.transcoders[i].Recipient
		r.TicketsWon += t.Recipient.Won - then.Won
		counted[m.parties[2+i].Signer.Address()] = t.Recipient.RedeemedWei.Sub(then.RedeemedWei)
		pending += t.Recipient.PendingWinners
	}
	if pending > 0 {
		note("%d winning tickets are not redeemed yet", pending)
	}

	redeemed, err := m.escrow.Redemptions(ctx, before.block+1)
	if err != nil {
		return r, err
	}
	earned := map[common.Address]protocol.Wei{}
	txs := map[common.Hash]bool{}
	broadcaster := m.parties[0].Signer.Address()
	var fromBroadcaster protocol.Wei
	for _, e := range redeemed {
		earned[e.Recipient] = earned[e.Recipient].Add(e.Amount)
		r.TicketsRedeemed += e.Tickets
		txs[e.Tx] = true
		switch e.Payer {
		case broadcaster:
			fromBroadcaster = fromBroadcaster.Add(e.Amount)
		case orchestrator:
			r.Wei.OrchestratorSpent = r.Wei.OrchestratorSpent.Add(e.Amount)
		}
		if e.Recipient != orchestrator {
			r.Wei.TranscodersEarned = r.Wei.TranscodersEarned.Add(e.Amount)
		}
	}
	r.RedemptionTxs = uint64(len(txs))
	r.Wei.OrchestratorEarn = earned[orchestrator]
	r.Wei.BroadcasterSpent = before.inEscrow[broadcaster].Sub(after.inEscrow[broadcaster])
	r.Wei.EscrowBefore, r.Wei.EscrowAfter = before.escrow, after.escrow

	gas := new(big.Int)
	held := protocol.Wei{}
	for _, p := range m.parties {
		a := p.Signer.Address()
		gas.Add(gas, new(big.Int).Sub(before.native[a].Big(), after.native[a].Big()))
		held = held.Add(after.inEscrow[a])
		if counted[a] != earned[a] {
			note("%s counts %s wei redeemed, the chain %s", p.Name, counted[a], earned[a])
		}
	}
	if r.Wei.Gas, err = protocol.WeiFromBig(gas); err != nil {
		note("the parties hold more native money than before: %v", err)
	}
	if fromBroadcaster != r.Wei.BroadcasterSpent {
		note("redeemed from the broadcaster: %s wei, missing from its escrow account: %s", fromBroadcaster, r.Wei.BroadcasterSpent)
	}
	if held != after.escrow {
		note("the parties' accounts and allocations add up to %s wei, the escrow holds %s", held, after.escrow)
	}
	r.LedgerBalanced = len(r.LedgerNotes) == 0
	return r, nil
}

// print shows the report to a person.
func (r Report) print(say progress) {
	say.say("\n  segments    %d in, %d published, %d late, %d failed; %d renditions", r.SegmentsIn, r.SegmentsPublished,
		r.SegmentsLate, r.SegmentsFailed, r.RenditionsPublished)
	say.say("  latency     p50 %.0f ms, p95 %.0f ms, max %.0f ms after the last source byte", r.Latency.P50, r.Latency.P95, r.Latency.Max)
	say.say("  checks      %d L0, %d L1; %d outputs rejected, %d transcoders cut off", r.VerifiedL0, r.VerifiedL1, r.Rejected, r.CheatersCaught)
	say.say("  market      %d bids, %d leases awarded", r.Bids, r.Awards)
	say.say("  tickets     %d sent, %d won, %d redeemed in %d transactions", r.TicketsSent, r.TicketsWon, r.TicketsRedeemed, r.RedemptionTxs)
	say.say("  money       broadcaster spent %s ETH, orchestrator earned %s and spent %s, transcoders earned %s, gas %s",
		eth(r.Wei.BroadcasterSpent), eth(r.Wei.OrchestratorEarn), eth(r.Wei.OrchestratorSpent), eth(r.Wei.TranscodersEarned), eth(r.Wei.Gas))
	balanced := "the books balance, to the wei, with the chain"
	if !r.LedgerBalanced {
		balanced = fmt.Sprintf("the books DO NOT balance: %v", r.LedgerNotes)
	}
	say.say("  ledger      %s\n", balanced)
}

// eth writes wei for people, cut to six digits behind the point.
func eth(w protocol.Wei) string {
	whole, micro := new(big.Int).QuoRem(w.Div(1e12).Big(), big.NewInt(1e6), new(big.Int))
	return fmt.Sprintf("%s.%06d", whole, micro)
}

package storetest

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/ticket"
)

func order(number uint64, name byte, fee uint64) payment.RelayOrder {
	return payment.RelayOrder{SignedOrder: payment.SignedOrder{Order: ticket.RedeemOrder{Recipient: common.Address{9}, MinTotal: wei(3000), Fee: wei(fee),
		OrderNonce: number, Deadline: 77}, Runs: []byte{1, 2, 3}}, Digest: common.Hash{name}, Most: wei(900), FromBlock: 5}
}

func handedOut(t *testing.T, b bench) {
	ws := b.won(3)
	first := order(0, 1, 100)
	b.no(b.store.HandOut(b.Context(), first, keys(ws...), b.now))
	if err := b.store.HandOut(b.Context(), order(0, 2, 100), nil, b.now); err == nil {
		t.Error("two orders of one number are under way")
	}
	if floor, err := b.store.TxNonceFloor(b.Context()); err != nil || floor != 0 {
		t.Errorf("floor %d, %v: orders have no TxNonce", floor, err)
	}
	raised := order(0, 3, 200)
	b.no(b.store.Raise(b.Context(), first.Digest, raised, b.now))
	sent := b.sent()
	if len(sent) != 1 || sent[0].Relay == nil || sent[0].Tx != raised.Digest || sent[0].Winners != 3 || sent[0].Relay.Order != raised.Order ||
		string(sent[0].Relay.Runs) != string(raised.Runs) || sent[0].Relay.Most != raised.Most || sent[0].Relay.FromBlock != 5 {
		t.Fatalf("sent %+v", sent)
	}
	at, tx := payment.BlockRef{Number: 8, Hash: common.Hash{8}}, common.Hash{0xee}
	for range 2 {
		b.no(b.store.MineRelayed(b.Context(), raised.Digest, tx, at, wei(200), keys(ws[:2]...), []payment.Settled{{Key: ws[2].Key(), State: payment.StateWon, NotBefore: b.now}}, b.now))
	}
	if st := b.stats(); st.Txs != 1 || st.RelayFeesWei != wei(200) || !st.GasWei.IsZero() {
		t.Errorf("stats %+v", st)
	}
	if sent = b.sent(); len(sent) != 1 || sent[0].RelayTx != tx || sent[0].Mined == nil || *sent[0].Mined != at {
		t.Errorf("sent %+v", sent)
	}
	b.no(b.store.Unmine(b.Context(), raised.Digest))
	if st, sent := b.stats(), b.sent(); !st.RelayFeesWei.IsZero() || len(sent) != 1 || sent[0].Mined != nil || sent[0].RelayTx != (common.Hash{}) {
		t.Errorf("taken back: %+v, %+v", st, sent)
	}
	b.no(b.store.MineRelayed(b.Context(), raised.Digest, tx, at, wei(150), keys(ws[:2]...), nil, b.now))
	b.no(b.store.Finalise(b.Context(), raised.Digest, b.now))
	all, err := b.again().Winners(b.Context(), 0)
	b.no(err)
	for _, w := range all {
		if paid := w.Ticket.TicketNonce < ws[2].Ticket.TicketNonce; paid != (w.State == payment.StateFinal) || paid && w.Tx != tx {
			t.Errorf("winner %d is %s by %s", w.Ticket.TicketNonce, w.State, w.Tx)
		}
	}
	if st := b.stats(); st.Redeemed != 2 || st.RelayFeesWei != wei(150) || st.PendingWinners != 1 {
		t.Errorf("stats %+v", st)
	}
	again := order(1, 4, 100)
	b.no(b.store.HandOut(b.Context(), again, keys(ws[2]), b.now))
	b.no(b.store.Drop(b.Context(), again.Digest, b.now))
	b.no(b.store.HandOut(b.Context(), order(1, 5, 100), keys(ws[2]), b.now)) // its number is free again
}

func credited(t *testing.T, b bench) {
	ws := b.won(3)
	at, tx := payment.BlockRef{Number: 8, Hash: common.Hash{8}}, common.Hash{0xee}
	for range 2 {
		for _, w := range ws[:2] {
			b.no(b.store.Credit(b.Context(), tx, at, wei(70), w.Key(), b.now))
		}
	}
	st := b.stats()
	if st.Redeemed != 2 || st.EarnedWei != wei(2000) || st.RelayFeesWei != wei(70) || st.PendingWinners != 1 || st.Txs != 1 {
		t.Errorf("stats %+v, want two winners paid and one fee", st)
	}
	if floor, err := b.again().TxNonceFloor(b.Context()); err != nil || floor != 0 {
		t.Errorf("floor %d, %v: another's transaction has none of our TxNonces", floor, err)
	}
	if sent := b.sent(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
	p := prepared(4)
	b.no(b.store.Submit(b.Context(), p, keys(ws[2]), b.now))
	b.no(b.store.Credit(b.Context(), tx, at, wei(70), ws[2].Key(), b.now)) // it is under way: its own redemption will say
	if st := b.stats(); st.Redeemed != 2 {
		t.Errorf("stats %+v", st)
	}
}

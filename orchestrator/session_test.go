package orchestrator_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator"
)

// The account with the money is another's: this orchestrator has a key that may sign for it, and gas. Its transcoder is paid
// out of that account to the wei, its income leaves for a third, and once the key is revoked nobody works on its word.
func TestRun_paysAndIsPaidForAccountsWhoseKeysAreElsewhere(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	secret, err := crypto.GenerateKey()
	w.must(err)
	owner, savings := protocol.NewKeySigner(secret), common.HexToAddress("0x5a7e")
	client := w.escrow.Client()
	_, err = chain.NewAccount(client, w.payerKey).Transfer(t.Context(), owner.Address(), ether(20))
	w.must(err)
	treasury := chain.NewAccount(client, owner)
	_, err = w.escrow.Deposit(t.Context(), treasury, ether(10))
	w.must(err)
	w.config.Payer, w.config.IncomeTo = owner.Address().Hex(), savings.Hex()
	if err := orchestrator.Run(t.Context(), w.config, w.log); protocol.CodeOf(err) != protocol.SessionEnded {
		t.Fatalf("without a session: %v", err)
	}
	now, err := w.escrow.BlockTime(t.Context())
	w.must(err)
	_, err = w.escrow.Authorise(t.Context(), treasury, w.self, now+uint64(30*24*time.Hour/time.Second), ether(2))
	w.must(err)

	w.start()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4, SegmentSeconds: 1})
	for seq, s := range segments[:3] {
		if err := w.push(t.Context(), uint64(seq), s.Bytes); err != nil {
			t.Fatalf("segment %d: %v", seq, err)
		}
	}
	_, err = w.escrow.Revoke(t.Context(), treasury, w.self)
	w.must(err)
	w.eventually("the transcoder sees the revocation", func() bool {
		return protocol.CodeOf(w.earner.Signs(t.Context(), owner.Address(), w.self)) == protocol.SessionEnded
	})
	if err := w.push(t.Context(), 3, segments[3].Bytes); err == nil {
		t.Error("a segment was transcoded on the word of a revoked key")
	}
	w.waitFor(protocol.SessionEnded)

	// What was delivered before is paid, all of it by the owner's allocation.
	w.must(w.payer.EndStream(t.Context(), "demo"))
	var s stats
	w.eventually("both hops are paid", func() bool {
		s = w.stats()
		return s.Recipient.Accepted == 3 && s.Payer.Acknowledged == 3 && s.Payer.Unsent == 0 && s.Payer.Due == 0 && s.InFlight == 0
	})
	var answer payment.RecipientStats
	w.must(w.post(t.Context(), "/api/v1/drain?timeout=30s", nil, &answer))
	w.must(w.earner.Drain(t.Context()))
	earned, err := w.earner.Stats(t.Context())
	w.must(err)
	paid, err := w.escrow.Redemptions(t.Context(), 0)
	w.must(err)
	var in, out protocol.Wei
	for _, r := range paid {
		switch {
		case r.Recipient == w.self:
			in = in.Add(r.Amount)
		case r.Payer == owner.Address():
			out = out.Add(r.Amount)
		default:
			t.Errorf("%s paid %s wei to %s", r.Payer, r.Amount, r.Recipient)
		}
	}
	if in != answer.EarnedWei || in != answer.WonWei || out != earned.EarnedWei || out != earned.WonWei || !earned.OwedWei.IsZero() {
		t.Errorf("chain: %s in, %s out; books: %s of %s in, %s of %s out, %s owed", in, out, answer.EarnedWei, answer.WonWei, earned.EarnedWei, earned.WonWei, earned.OwedWei)
	}
	allocated, err := w.escrow.Allocation(t.Context(), owner.Address(), w.worker)
	w.must(err)
	balance, err := w.escrow.Balance(t.Context(), owner.Address())
	w.must(err)
	own, err := w.escrow.Balance(t.Context(), w.self)
	w.must(err)
	saved, err := client.Balance(t.Context(), savings)
	w.must(err)
	if allocated.Amount.Add(out) != ether(1) || balance != ether(9) || own != ether(10) || saved != in {
		t.Errorf("allocated are %s of the owner's money after %s were paid, %s are left; the key's own are %s; %s of %s went to the savings",
			allocated.Amount, out, balance, own, saved, in)
	}
}

// waitFor waits for an event that carries code.
func (w *town) waitFor(code protocol.Code) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/api/v1/events", nil)
	w.must(err)
	resp, err := w.client.Do(req)
	w.must(err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"code":"`+string(code)+`"`) {
			return
		}
	}
	w.Fatalf("no event carries %s: %v", code, lines.Err())
}

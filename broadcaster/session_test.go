package broadcaster_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/kinora/kinora/broadcaster"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// The account with the money is another's: this broadcaster has a key that may sign for it, and gas.
func TestRun_paysWithASessionKeyForAnAccountWhoseKeyIsElsewhere(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	client, err := chain.Dial(t.Context(), g.chain.URL())
	no(err)
	t.Cleanup(client.Close)
	escrow, err := chain.NewEscrow(t.Context(), client, g.escrow)
	no(err)
	own, err := identity.Load(g.keystore, g.password)
	no(err)
	rich := chain.NewAccount(client, own)
	ether := protocol.NewWei(1_000_000_000_000_000_000)
	owner := newKey(t) // known to the test alone
	treasury := chain.NewAccount(client, owner)
	dir := t.TempDir()
	_, file, err := identity.Create(dir, filepath.Join(dir, "password"), identity.LightScrypt())
	no(err)
	key, err := identity.Load(file, filepath.Join(dir, "password"))
	no(err)
	_, err = rich.Transfer(t.Context(), owner.Address(), ether.Mul(20))
	no(err)
	_, err = rich.Transfer(t.Context(), key.Address(), ether)
	no(err)
	_, err = escrow.Deposit(t.Context(), treasury, ether.Mul(10))
	no(err)

	peer := newPeer(t, func() protocol.Domain { return g.domain })
	peer.session = key.Address()
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.Keystore, cfg.PasswordFile, cfg.Payer = file, filepath.Join(dir, "password"), owner.Address().Hex()
	if err := broadcaster.Run(t.Context(), cfg, slog.New(slog.DiscardHandler)); protocol.CodeOf(err) != protocol.SessionEnded {
		t.Fatalf("without a session: %v", err)
	}
	now, err := escrow.BlockTime(t.Context())
	no(err)
	_, err = escrow.Authorise(t.Context(), treasury, key.Address(), now+uint64(30*24*time.Hour/time.Second), ether.Mul(2))
	no(err)
	n := start(t, cfg)
	for i, s := range clip(t, 1) {
		if code, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(s.Bytes), "Content-Duration", "2000"); code != http.StatusOK || len(parts) != 2 {
			t.Fatalf("segment %d: %d, %d parts, %+v", i, code, len(parts), problem)
		}
	}
	eventually(t, "a ticket", func() bool { return peer.paid() == 1 })
	if h := peer.offered()[0].Header.Message; h.Payer != owner.Address() {
		t.Errorf("the header names %s as its payer, want %s", h.Payer, owner.Address())
	}
	a, err := escrow.Allocation(context.Background(), owner.Address(), peer.self.Address())
	no(err)
	left, err := escrow.Balance(context.Background(), owner.Address())
	no(err)
	if a.Amount != ether || left != ether.Mul(9) {
		t.Errorf("allocated are %s of the payer's money, %s are left; want one ether and nine", a.Amount, left)
	}
}

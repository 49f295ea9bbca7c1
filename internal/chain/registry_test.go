package chain_test

import (
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
)

func TestRegistry_tellsWhoCameAndWhoWentInOrder(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	client := dial(t, start(t, 1337, rich.Address()))
	account := chain.NewAccount(client, rich)
	address, _, err := account.DeployRegistry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := chain.NewRegistry(client, address)
	var refused *chain.Revert
	if _, err := r.Unregister(t.Context(), account); !errors.As(err, &refused) || refused.Name != "NotRegistered" {
		t.Errorf("who never registered: %v", err)
	}
	first, err := r.Register(t.Context(), account, common.Hash{1}, "data:one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Register(t.Context(), account, common.Hash{2}, "data:two"); err != nil {
		t.Fatal(err)
	}
	if hash, err := r.InfoHash(t.Context(), rich.Address()); err != nil || hash != (common.Hash{2}) {
		t.Errorf("%s, %v", hash, err)
	}
	last, err := r.Unregister(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Changes(t.Context(), 0, last.Block)
	if err != nil || len(all) != 3 || all[0].URI != "data:one" || all[1].Info != (common.Hash{2}) || !all[2].Gone || all[2].Account != rich.Address() {
		t.Errorf("%+v, %v", all, err)
	}
	if later, err := r.Changes(t.Context(), first.Block+1, last.Block); err != nil || len(later) != 2 {
		t.Errorf("from the next block on: %+v, %v", later, err)
	}
	if _, err := chain.NewRegistry(client, common.HexToAddress("0x1234")).Register(t.Context(), account, common.Hash{1}, ""); err == nil {
		t.Error("an account without code was taken for a registry")
	}
	if hash, err := client.BlockHash(t.Context(), first.Block); err != nil || hash != first.BlockHash {
		t.Errorf("block %d has hash %s (%v), want %s", first.Block, hash, err, first.BlockHash)
	}
}

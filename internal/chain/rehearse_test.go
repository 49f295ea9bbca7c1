package chain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/chain"
)

func TestRehearsal_tellsTheTransactionAndSendsNothing(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	client := dial(t, start(t, 7, rich.Address()))
	real := chain.NewAccount(client, rich)
	address, _, err := real.Deploy(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	escrow, err := chain.NewEscrow(t.Context(), client, address)
	if err != nil {
		t.Fatal(err)
	}
	before, err := client.Balance(t.Context(), rich.Address())
	if err != nil {
		t.Fatal(err)
	}
	_, err = escrow.Deposit(t.Context(), chain.NewAccount(client, chain.Rehearsal(rich.Address())), wei(500))
	var r *chain.Rehearsed
	if !errors.As(err, &r) {
		t.Fatalf("it ended with %v", err)
	}
	if r.To != address || r.Value != wei(500) || r.GasLimit != r.Gas+r.Gas/4 || r.Gas < 21_000 {
		t.Errorf("rehearsed %+v", r)
	}
	if after, err := client.Balance(t.Context(), rich.Address()); err != nil || after != before {
		t.Errorf("the account had %s and has %s, %v", before, after, err)
	}
	receipt, err := escrow.Deposit(t.Context(), real, wei(500))
	if err != nil {
		t.Fatal(err)
	}
	if r.MaxFee.Less(receipt.Cost) {
		t.Errorf("it cost %s, at most %s were said", receipt.Cost, r.MaxFee)
	}
}

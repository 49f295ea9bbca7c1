package main

import (
	"context"
	"math/big"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/transcoder"
)

// externalSigner is the account API of clef as its documentation has it, over one key, with an owner who allows everything.
type externalSigner struct{ key *protocol.KeySigner }

// List is account_list.
func (s externalSigner) List(context.Context) []common.Address {
	return []common.Address{s.key.Address()}
}

// SignTransaction is account_signTransaction.
func (s externalSigner) SignTransaction(_ context.Context, a struct {
	To                   *common.Address `json:"to"`
	Gas                  hexutil.Uint64  `json:"gas"`
	MaxFeePerGas         *hexutil.Big    `json:"maxFeePerGas"`
	MaxPriorityFeePerGas *hexutil.Big    `json:"maxPriorityFeePerGas"`
	Value                *hexutil.Big    `json:"value"`
	Nonce                hexutil.Uint64  `json:"nonce"`
	Input                hexutil.Bytes   `json:"input"`
	ChainID              *hexutil.Big    `json:"chainId"`
}) (map[string]any, error) {
	id := (*big.Int)(a.ChainID)
	tx, err := types.SignNewTx(s.key.Key(), types.LatestSignerForChainID(id), &types.DynamicFeeTx{ChainID: id, Nonce: uint64(a.Nonce),
		GasTipCap: (*big.Int)(a.MaxPriorityFeePerGas), GasFeeCap: (*big.Int)(a.MaxFeePerGas), Gas: uint64(a.Gas), To: a.To, Value: (*big.Int)(a.Value), Data: a.Input})
	if err != nil {
		return nil, err
	}
	raw, err := tx.MarshalBinary()
	return map[string]any{"raw": hexutil.Bytes(raw)}, err
}

// clef sets VARIABLE to the URL of an external signer: `VARIABLE KEYSTORE PASSWORDFILE`.
func (b *bank) clef(ts *testscript.TestScript, _ bool, args []string) {
	key, err := identity.Load(ts.MkAbs(args[1]), ts.MkAbs(args[2]))
	ts.Check(err)
	server := rpc.NewServer()
	ts.Check(server.RegisterName("account", externalSigner{key}))
	h := httptest.NewServer(server)
	ts.Defer(func() { server.Stop(); h.CloseClientConnections(); h.Close() })
	ts.Setenv(args[0], h.URL)
}

// database sets VARIABLE to the URL of an orchestrator's new database, as far as its tickets go.
func (b *bank) database(ts *testscript.TestScript, _ bool, args []string) {
	url := pgtest.URL(b.t)
	ts.Check(migrations.Postgres(b.t.Context(), url, "recipient"))
	ts.Setenv(args[0], url)
}

// win has a new payer pay the account with COUNT tickets that all win, on an open or a closed set, and sets $FACE to the
// face value of one: `DATABASE|FOLDER KEYSTORE PASSWORDFILE ESCROW COUNT open|closed [twice]`. With twice it signs the last
// nonce a second time, and $PAYER is set to it.
func (b *bank) win(ts *testscript.TestScript, _ bool, args []string) {
	ctx, client := b.t.Context(), b.account.Client()
	var store payment.Store
	if strings.Contains(args[0], "://") {
		pool, err := pgstore.Open(ctx, args[0])
		ts.Check(err)
		defer pool.Close()
		store = pgstore.Recipient(pool)
	} else {
		dir := ts.MkAbs(args[0])
		ts.Check(os.MkdirAll(dir, 0o700))
		tickets, err := transcoder.TakeTickets(ctx, dir)
		ts.Check(err)
		defer tickets.Close()
		store = tickets
	}
	earner, err := identity.Load(ts.MkAbs(args[1]), ts.MkAbs(args[2]))
	ts.Check(err)
	escrow, err := chain.NewEscrow(ctx, client, common.HexToAddress(args[3]))
	ts.Check(err)
	count, err := strconv.Atoi(args[4])
	ts.Check(err)

	k, err := crypto.GenerateKey()
	ts.Check(err)
	payer := protocol.NewKeySigner(k)
	ether := protocol.NewWei(1e18)
	_, err = b.account.Transfer(ctx, payer.Address(), ether.Mul(2))
	ts.Check(err)
	spender := chain.NewAccount(client, payer)
	_, err = escrow.Deposit(ctx, spender, ether)
	ts.Check(err)
	_, err = escrow.Allocate(ctx, spender, earner.Address(), ether)
	ts.Check(err)

	domain := escrow.Domain()
	recipient := payment.NewRecipient(payment.RecipientConfig{Domain: domain, Signer: earner, Account: chain.NewAccount(client, earner), FaceValueMultiple: 1}, store, escrow)
	fee := protocol.NewWei(1_000_000_000_000_007)
	params, err := recipient.Params(ctx, payer.Address(), "show", fee)
	ts.Check(err)
	p := params.Message
	if p.FaceValue != fee {
		ts.Fatalf("the face value is %s, of a fee of %s", p.FaceValue, fee)
	}
	winProb, err := ticket.WinProbFor(fee, p.FaceValue)
	ts.Check(err)
	hasher := ticket.Domain{ChainID: domain.ChainID, Escrow: domain.Escrow}.Hasher()
	sign := func(i int, salt uint64) payment.Result {
		t, err := hasher.Sign(payer, ticket.Ticket{Payer: p.Payer, Recipient: p.Recipient, Lane: p.Lane, TicketNonce: uint64(i + 1), FaceValue: p.FaceValue,
			WinProb: winProb, Expiry: p.Expiry, RecipientRandHash: common.Hash(p.RecipientRandHash), Salt: salt})
		ts.Check(err)
		answer, err := recipient.Accept(ctx, payment.Delivery{Payer: p.Payer, Recipient: p.Recipient, Tickets: []payment.Paid{{Attempt: protocol.NewID(), Ticket: t}}})
		ts.Check(err)
		return answer.Results[0]
	}
	for i := range count {
		if r := sign(i, uint64(i)); r.Code != "" {
			ts.Fatalf("ticket refused: %s %s", r.Code, r.Detail)
		}
	}
	if len(args) > 6 {
		if r := sign(count-1, 99); r.Code != protocol.TicketInvalid {
			ts.Fatalf("a second ticket of one nonce: %q", r.Code)
		}
		ts.Setenv("PAYER", payer.Address().Hex())
	}
	if args[5] == "closed" {
		ts.Check(recipient.CloseAll(ctx))
	}
	ts.Setenv("FACE", p.FaceValue.String())
}

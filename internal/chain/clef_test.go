package chain_test

import (
	"context"
	"errors"
	"math/big"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// owner is the account API of clef as its documentation has it, over a key in memory, with an owner who decides.
type owner struct {
	key    *protocol.KeySigner
	allow  atomic.Bool
	asleep atomic.Bool
	shown  atomic.Pointer[sendTxArgs]
}

type sendTxArgs struct {
	From                 common.Address  `json:"from"`
	To                   *common.Address `json:"to"`
	Gas                  hexutil.Uint64  `json:"gas"`
	MaxFeePerGas         *hexutil.Big    `json:"maxFeePerGas"`
	MaxPriorityFeePerGas *hexutil.Big    `json:"maxPriorityFeePerGas"`
	Value                *hexutil.Big    `json:"value"`
	Nonce                hexutil.Uint64  `json:"nonce"`
	Input                hexutil.Bytes   `json:"input"`
	ChainID              *hexutil.Big    `json:"chainId"`
}

// List is account_list.
func (o *owner) List(context.Context) []common.Address { return []common.Address{o.key.Address()} }

// SignTransaction is account_signTransaction.
func (o *owner) SignTransaction(ctx context.Context, a sendTxArgs) (map[string]any, error) {
	if o.asleep.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	o.shown.Store(&a)
	if !o.allow.Load() {
		return nil, errors.New("request denied")
	}
	tx, err := types.SignNewTx(o.key.Key(), types.LatestSignerForChainID(a.ChainID.ToInt()), &types.DynamicFeeTx{ChainID: a.ChainID.ToInt(), Nonce: uint64(a.Nonce),
		GasTipCap: a.MaxPriorityFeePerGas.ToInt(), GasFeeCap: a.MaxFeePerGas.ToInt(), Gas: uint64(a.Gas), To: a.To, Value: a.Value.ToInt(), Data: a.Input})
	if err != nil {
		return nil, err
	}
	raw, err := tx.MarshalBinary()
	return map[string]any{"raw": hexutil.Bytes(raw), "tx": tx}, err
}

func serveClef(t *testing.T, o *owner) string {
	t.Helper()
	server := rpc.NewServer()
	if err := server.RegisterName("account", o); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server)
	t.Cleanup(func() { server.Stop(); h.CloseClientConnections(); h.Close() })
	return h.URL
}

func TestClef_signsWhatItsOwnerAllows(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	o := &owner{key: rich}
	url := serveClef(t, o)
	if _, err := chain.DialClef(t.Context(), url, common.Address{9}); err == nil || !strings.Contains(err.Error(), "no account") {
		t.Errorf("an account that clef does not have: %v", err)
	}
	signer, err := chain.DialClef(t.Context(), url, rich.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(signer.Close)
	client := dial(t, start(t, 7, rich.Address()))
	account := chain.NewAccount(client, signer)

	if _, err := account.Transfer(t.Context(), common.Address{1}, wei(5)); err == nil || !strings.Contains(err.Error(), "request denied") {
		t.Errorf("the owner refused: %v", err)
	}
	o.allow.Store(true)
	address, _, err := account.Deploy(t.Context(), time.Hour) // a transaction without a receiver
	if err != nil {
		t.Fatal(err)
	}
	escrow, err := chain.NewEscrow(t.Context(), client, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := escrow.Deposit(t.Context(), account, wei(500)); err != nil {
		t.Fatal(err)
	}
	if shown := o.shown.Load(); shown.Value.ToInt().Cmp(big.NewInt(500)) != 0 || *shown.To != address || shown.From != rich.Address() || shown.ChainID.ToInt().Uint64() != 7 {
		t.Errorf("the owner was shown %+v", shown)
	}
	if b, err := escrow.Balance(t.Context(), rich.Address()); err != nil || b != wei(500) {
		t.Errorf("balance %s, %v", b, err)
	}
	if _, err := signer.SignDigest([32]byte{1}); err == nil {
		t.Error("it signed something that its owner cannot read")
	}
	o.asleep.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := account.Transfer(ctx, common.Address{1}, wei(5)); err == nil {
		t.Error("it did not wait for its owner")
	}
	o.asleep.Store(false)
	if r, err := account.Transfer(t.Context(), common.Address{1}, wei(5)); err != nil || r.Block == 0 {
		t.Errorf("after an owner who slept: %v", err)
	}
}

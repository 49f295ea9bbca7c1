package chain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/protocol"
)

func newKey(t testing.TB) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func wei(n uint64) protocol.Wei { return protocol.NewWei(n) }

// start is a chain where rich has money.
func start(t *testing.T, id uint64, rich common.Address) string {
	t.Helper()
	c, err := devchain.Start(t.Context(), devchain.Options{ChainID: id, Prefund: map[common.Address]protocol.Wei{rich: wei(1e18).Mul(1000)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c.URL()
}

func dial(t *testing.T, urls ...string) *chain.Client {
	t.Helper()
	c, err := chain.Dial(t.Context(), strings.Join(urls, ","), chain.CallTimeout(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after a minute: %s", what)
		}
	}
}

func TestClient_goesRoundNodesThatFail(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	url := start(t, 1, rich.Address())
	for name, spoil := range map[string]chaintest.Spoil{
		"silent": (*chaintest.Call).Hang,
		"broken": func(*chaintest.Call) (json.RawMessage, bool) { return nil, false },
		"overcharged": func(*chaintest.Call) (json.RawMessage, bool) {
			return json.RawMessage(`!{"code":-32005,"message":"limit exceeded"}`), true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad, good := chaintest.NewNode(t, url), chaintest.NewNode(t, url)
			c := dial(t, bad.URL(), good.URL())
			bad.Spoil(spoil)
			if b, err := c.Balance(t.Context(), rich.Address()); err != nil || b.IsZero() {
				t.Errorf("balance %s, %v", b, err)
			}
			nodes := c.Nodes()
			if nodes[0].Usable || nodes[0].Why == "" || !nodes[1].Usable {
				t.Errorf("nodes %+v, want the first unusable, with the reason", nodes)
			}
			asked := bad.Calls("eth_getBalance")
			if _, err := c.Balance(t.Context(), rich.Address()); err != nil || bad.Calls("eth_getBalance") != asked {
				t.Errorf("a node that just failed was asked again first: %v", err)
			}
			bad.Spoil(nil)
			eventually(t, "the first is used again", func() bool { return c.Nodes()[0].Usable })
		})
	}
}

func TestClient_passesOverANodeThatIsBehindAndOneThatRunsAhead(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	url := start(t, 1, rich.Address())
	honest := dial(t, url)
	account := chain.NewAccount(honest, rich)
	for range 6 {
		if _, err := account.Transfer(t.Context(), common.Address{1}, wei(1)); err != nil {
			t.Fatal(err)
		}
	}
	behind, ahead, one, two := chaintest.NewNode(t, url), chaintest.NewNode(t, url), chaintest.NewNode(t, url), chaintest.NewNode(t, url)
	behind.Spoil(chaintest.Lagging(5))
	ahead.Spoil(func(c *chaintest.Call) (json.RawMessage, bool) { // claims blocks that nobody has
		if c.Method == "eth_blockNumber" {
			return chaintest.Hex(1 << 40), true
		}
		return c.Forward()
	})
	c := dial(t, behind.URL(), one.URL(), two.URL(), ahead.URL())
	nodes := c.Nodes()
	if nodes[0].Usable || !strings.Contains(nodes[0].Why, "5 blocks behind") || !nodes[1].Usable || !nodes[2].Usable {
		t.Errorf("nodes %+v, want the first passed over and not the honest ones", nodes)
	}
	if b, err := c.Balance(t.Context(), common.Address{1}); err != nil || b != wei(6) {
		t.Errorf("balance %s, %v: a node that is behind answered", b, err)
	}
}

func TestClient_sendsToEveryNode(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	url := start(t, 1, rich.Address())
	dropping, silent, honest := chaintest.NewNode(t, url), chaintest.NewNode(t, url), chaintest.NewNode(t, url)
	c := dial(t, dropping.URL(), silent.URL(), honest.URL())
	dropping.Spoil(chaintest.Dropping(100))
	silent.Spoil((*chaintest.Call).Hang)
	if _, err := chain.NewAccount(c, rich).Transfer(t.Context(), common.Address{1}, wei(1)); err != nil {
		t.Fatal(err)
	}
	if len(dropping.Sent()) == 0 || len(honest.Sent()) == 0 {
		t.Errorf("%d and %d transactions came, want each node to get it", len(dropping.Sent()), len(honest.Sent()))
	}
}

func TestDial_wantsNodesOfOneChain(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	one, other := start(t, 1, rich.Address()), start(t, 2, rich.Address())
	_, err := chain.Dial(t.Context(), one+","+other)
	if err == nil || !strings.Contains(err.Error(), "serves chain 2") {
		t.Errorf("dialled nodes of two chains: %v", err)
	}
	// One that cannot be asked yet is found out later, and never used.
	late := chaintest.NewNode(t, other)
	late.Spoil((*chaintest.Call).Hang)
	c := dial(t, late.URL(), one)
	late.Spoil(nil)
	eventually(t, "the stranger is found out", func() bool { return c.Nodes()[0].Why == "serves another chain" })
	if c.ChainID() != 1 {
		t.Errorf("chain %d", c.ChainID())
	}
}

// What is in a URL beside its host often is an access key.
func TestClient_showsNoKeyOfANode(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	for _, url := range []string{"http://127.0.0.1:1/v3/" + secret, "http://user:" + secret + "@127.0.0.1:1/", "http://127.0.0.1:1/?key=" + secret, "ws://127.0.0.1:1/" + secret} {
		_, err := chain.Dial(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "127.0.0.1:1") {
			t.Errorf("%v", err)
		}
	}
	rich := newKey(t)
	node := chaintest.NewNode(t, start(t, 1, rich.Address()))
	c := dial(t, node.URL()+"/v3/"+secret)
	node.Spoil(func(*chaintest.Call) (json.RawMessage, bool) { return nil, false })
	_, err := c.Balance(t.Context(), rich.Address())
	if err == nil || strings.Contains(err.Error(), secret) || protocol.CodeOf(err) != protocol.Unavailable {
		t.Errorf("%v", err)
	}
	if s := fmt.Sprint(c.Nodes()); strings.Contains(s, secret) {
		t.Errorf("%s", s)
	}
}

func TestClient_saysThatANodeIsSilentWithoutTheCallersDeadline(t *testing.T) {
	t.Parallel()
	node := chaintest.NewNode(t, start(t, 1, common.Address{1}))
	c := dial(t, node.URL())
	node.Spoil((*chaintest.Call).Hang)
	_, err := c.BlockNumber(t.Context())
	if protocol.CodeOf(err) != protocol.Unavailable || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestAccount_paysNoMoreForGasThanIsAllowed(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	c := dial(t, start(t, 1, rich.Address()))
	head, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var dear *chain.TooDear
	_, err = chain.NewAccount(c, rich).WithFees(chain.Fees{MaxPerGas: head.BaseFee.Div(2)}).Transfer(t.Context(), common.Address{1}, wei(1))
	if !errors.As(err, &dear) {
		t.Errorf("sent for less than the base fee: %v", err)
	}
	node := chaintest.NewNode(t, start(t, 1, rich.Address()))
	bound := head.BaseFee.Add(head.BaseFee.Div(2))
	frugal := chain.NewAccount(dial(t, node.URL()), rich).WithFees(chain.Fees{MaxPerGas: bound, MaxTip: wei(2e6)})
	if _, err := frugal.Transfer(t.Context(), common.Address{1}, wei(1)); err != nil {
		t.Fatal(err)
	}
	tx := node.Sent()[0]
	if tx.GasFeeCap().Cmp(bound.Big()) > 0 || tx.GasTipCap().Cmp(big.NewInt(2e6)) > 0 {
		t.Errorf("it offers %s with a tip of %s, allowed are %s and 2000000", tx.GasFeeCap(), tx.GasTipCap(), bound)
	}
}

// hostile signs something else than it is asked to.
type hostile struct {
	*protocol.KeySigner
	change func(*types.DynamicFeeTx)
}

func (h hostile) SignTransaction(_ context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	to := *tx.To()
	inner := &types.DynamicFeeTx{ChainID: chainID, Nonce: tx.Nonce(), GasTipCap: tx.GasTipCap(), GasFeeCap: tx.GasFeeCap(), Gas: tx.Gas(), To: &to, Value: tx.Value(), Data: tx.Data()}
	h.change(inner)
	return types.SignNewTx(h.Key(), types.LatestSignerForChainID(chainID), inner)
}

func TestAccount_sendsOnlyWhatItAskedToBeSigned(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	url := start(t, 1, rich.Address())
	node := chaintest.NewNode(t, url)
	c := dial(t, node.URL())
	for _, change := range []func(*types.DynamicFeeTx){
		func(tx *types.DynamicFeeTx) { tx.Value = big.NewInt(2) },
		func(tx *types.DynamicFeeTx) { tx.To = &common.Address{9} },
		func(tx *types.DynamicFeeTx) { tx.Nonce++ },
	} {
		if _, err := chain.NewAccount(c, hostile{rich, change}).Transfer(t.Context(), common.Address{1}, wei(1)); err == nil {
			t.Error("another transaction was sent than was asked for")
		}
	}
	if len(node.Sent()) != 0 {
		t.Errorf("%d transactions were sent", len(node.Sent()))
	}
	if _, err := chain.NewAccount(c, hostile{rich, func(*types.DynamicFeeTx) {}}).Transfer(t.Context(), common.Address{1}, wei(1)); err != nil {
		t.Errorf("an honest signer: %v", err)
	}
}

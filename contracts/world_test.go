package contracts_test

import (
	"bufio"
	"context"
	"fmt"
	"math/big"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/protocol"
)

const worldChainID = 31337

// richKey is the first account of every anvil, a number everybody knows.
var richKey = func() *protocol.KeySigner {
	k, err := crypto.HexToECDSA("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
	if err != nil {
		panic(err)
	}
	return protocol.NewKeySigner(k)
}()

// world is a chain with an escrow on it, at the same address whatever the chain: the same account deploys it first.
type world struct {
	t       *testing.T
	rpc     *rpc.Client
	eth     *ethclient.Client
	txNonce uint64
	last    common.Hash
	escrow  common.Address
	abi     *bindings.TicketEscrow
}

// worlds are the two chains that the contracts are held to: go-ethereum's own EVM and another's.
func worlds(t *testing.T) map[string]string {
	t.Helper()
	c, err := devchain.Start(t.Context(), devchain.Options{ChainID: worldChainID,
		Prefund: map[common.Address]protocol.Wei{richKey.Address(): protocol.NewWei(1e18).Mul(10_000)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return map[string]string{"go-ethereum": c.URL(), "anvil": startAnvil(t)}
}

// startAnvil runs an anvil on loopback until the test ends and returns its URL.
func startAnvil(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../bin/anvil")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--host", "127.0.0.1", "--port", "0", "--chain-id", fmt.Sprint(worldChainID), "--accounts", "1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run make build, or deploy/foundry.sh for the contract tools alone", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed: its status says no more
	})
	listening := regexp.MustCompile(`Listening on (127\.0\.0\.1:\d+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() { // or its pipe fills and it stops
				}
			}()
			return "http://" + m[1]
		}
	}
	t.Fatalf("anvil ended before it listened: %v", lines.Err())
	return ""
}

// newWorld deploys an escrow with an hour's thaw on the chain at url.
func newWorld(t *testing.T, url string) *world {
	t.Helper()
	client, err := rpc.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := &world{t: t, rpc: client, eth: ethclient.NewClient(client), abi: bindings.NewTicketEscrow()}
	w.escrow = w.deploy(append(common.FromHex(bindings.TicketEscrowMetaData.Bin),
		w.abi.PackConstructor(common.Address{}, big.NewInt(3600), common.Address{})...))
	return w
}

// deploy sends a contract's creation and returns where it will be.
func (w *world) deploy(code []byte) common.Address {
	w.t.Helper()
	at := crypto.CreateAddress(richKey.Address(), w.txNonce)
	w.send(nil, nil, code)
	return at
}

// send sends one transaction of the rich account without waiting for it.
func (w *world) send(to *common.Address, value *big.Int, data []byte) {
	w.t.Helper()
	w.sendAs(richKey, w.txNonce, to, value, data)
	w.txNonce++
}

func (w *world) sendAs(from *protocol.KeySigner, txNonce uint64, to *common.Address, value *big.Int, data []byte) {
	w.t.Helper()
	tx, err := types.SignNewTx(from.Key(), types.LatestSignerForChainID(big.NewInt(worldChainID)), &types.DynamicFeeTx{
		ChainID: big.NewInt(worldChainID), Nonce: txNonce, GasTipCap: big.NewInt(1e9), GasFeeCap: big.NewInt(20e9), Gas: 8_000_000,
		To: to, Value: value, Data: data})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.eth.SendTransaction(w.t.Context(), tx); err != nil {
		w.t.Fatal(err)
	}
	w.last = tx.Hash()
	w.await()
}

// await waits for the last transaction and wants it to have succeeded.
func (w *world) await() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		r, err := w.eth.TransactionReceipt(ctx, w.last)
		if err == nil {
			if r.Status != types.ReceiptStatusSuccessful {
				w.t.Fatalf("transaction %s failed", w.last)
			}
			return
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("transaction %s was not mined: %v", w.last, err)
		case <-poll.C:
		}
	}
}

// answer is what a call returned, or the data it reverted with.
type answer struct {
	returned []byte
	reverted []byte
}

// ask makes calls, each from its caller, many to a request.
func (w *world) ask(from []common.Address, data [][]byte) []answer {
	w.t.Helper()
	const atOnce = 500
	out := make([]answer, len(data))
	for begin := 0; begin < len(data); begin += atOnce {
		end := min(begin+atOnce, len(data))
		results := make([]hexutil.Bytes, end-begin)
		batch := make([]rpc.BatchElem, end-begin)
		for i := range batch {
			batch[i] = rpc.BatchElem{Method: "eth_call", Result: &results[i], Args: []any{
				map[string]any{"from": from[begin+i], "to": w.escrow, "data": hexutil.Bytes(data[begin+i])}, "latest"}}
		}
		if err := w.rpc.BatchCallContext(w.t.Context(), batch); err != nil {
			w.t.Fatal(err)
		}
		for i, b := range batch {
			if b.Error == nil {
				out[begin+i].returned = results[i]
				continue
			}
			withData, ok := b.Error.(rpc.DataError)
			if !ok {
				w.t.Fatalf("call %d: %v", begin+i, b.Error)
			}
			hex, ok := withData.ErrorData().(string)
			if !ok {
				w.t.Fatalf("call %d: %v with data %v", begin+i, b.Error, withData.ErrorData())
			}
			out[begin+i].reverted = common.FromHex(hex)
		}
	}
	return out
}

// callOne makes one call and unpacks its answer.
func callOne[T any](t *testing.T, eth *ethclient.Client, to common.Address, data []byte, unpack func([]byte) (T, error)) T {
	t.Helper()
	out, err := eth.CallContract(t.Context(), ethereum.CallMsg{To: &to, Data: data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := unpack(out)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

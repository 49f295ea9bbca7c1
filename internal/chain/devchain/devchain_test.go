package devchain_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/protocol"
)

func ether(n uint64) protocol.Wei { return protocol.NewWei(1e18).Mul(n) }

func key(t testing.TB, seed byte) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.ToECDSA(crypto.Keccak256([]byte{seed}))
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

// TestMain doubles as a process that serves a chain until it is killed.
func TestMain(m *testing.M) {
	dir := os.Getenv("DEVCHAIN_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	var rich common.Address
	copy(rich[:], common.FromHex(os.Getenv("DEVCHAIN_TEST_RICH")))
	c, err := devchain.Start(context.Background(), devchain.Options{Dir: dir, Prefund: map[common.Address]protocol.Wei{rich: ether(1000)}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(c.URL())
	select {}
}

func open(t *testing.T, url string, s *protocol.KeySigner) *chain.Account {
	t.Helper()
	c, err := chain.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return chain.NewAccount(c, s)
}

func TestChain_keepsItsBlocksOverCloseAndReopen(t *testing.T) {
	t.Parallel()
	rich, dir := key(t, 1), t.TempDir()
	var escrow common.Address
	for run := range 3 {
		// Only the first run's prefund counts.
		c, err := devchain.Start(t.Context(), devchain.Options{Dir: dir, ChainID: 4242 + uint64(run),
			Prefund: map[common.Address]protocol.Wei{rich.Address(): ether(uint64(1000 + run))}})
		if err != nil {
			t.Fatal(err)
		}
		a := open(t, c.URL(), rich)
		if got := a.Client().ChainID(); got != 4242 {
			t.Errorf("run %d: chain id %d, want 4242", run, got)
		}
		if run == 0 {
			if escrow, _, err = a.Deploy(t.Context(), time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		e, err := chain.NewEscrow(t.Context(), a.Client(), escrow)
		if err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		if _, err := e.Deposit(t.Context(), a, ether(1)); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Balance(t.Context(), rich.Address()); err != nil || got != ether(uint64(run+1)) {
			t.Errorf("run %d: balance in escrow %s, %v; want %s", run, got, err, ether(uint64(run+1)))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestChain_keepsItsBlocksOverKill(t *testing.T) {
	t.Parallel()
	rich, dir := key(t, 2), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "DEVCHAIN_TEST_DIR="+dir, "DEVCHAIN_TEST_RICH="+rich.Address().Hex())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	a := open(t, strings.TrimSpace(url), rich)
	to := key(t, 3).Address()
	for range 3 {
		if _, err := a.Transfer(t.Context(), to, ether(1)); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()

	c, err := devchain.Start(t.Context(), devchain.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a = open(t, c.URL(), rich)
	if got, err := a.Client().Balance(t.Context(), to); err != nil || got != ether(3) {
		t.Errorf("after the kill the recipient has %s, %v; want %s", got, err, ether(3))
	}
	if _, err := a.Transfer(t.Context(), to, ether(1)); err != nil {
		t.Errorf("the chain does not go on: %v", err)
	}
}

func TestAccount_sendsManyAtOnceWithAPeriod(t *testing.T) {
	t.Parallel()
	rich := key(t, 4)
	c, err := devchain.Start(t.Context(), devchain.Options{Period: time.Second, Prefund: map[common.Address]protocol.Wei{rich.Address(): ether(1000)}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := open(t, c.URL(), rich)
	to := key(t, 5).Address()
	errs := make(chan error, 5)
	for range cap(errs) {
		go func() { _, err := a.Transfer(t.Context(), to, ether(1)); errs <- err }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got, err := a.Client().Balance(t.Context(), to); err != nil || got != ether(5) {
		t.Errorf("the recipient has %s, %v; want %s", got, err, ether(5))
	}
}

func TestEscrow_saysWhyTheContractRefuses(t *testing.T) {
	t.Parallel()
	rich := key(t, 6)
	c, err := devchain.Start(t.Context(), devchain.Options{Prefund: map[common.Address]protocol.Wei{rich.Address(): ether(1000)}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := open(t, c.URL(), rich)
	address, _, err := a.Deploy(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	e, err := chain.NewEscrow(t.Context(), a.Client(), address)
	if err != nil {
		t.Fatal(err)
	}
	if e.ThawPeriod() != time.Hour {
		t.Errorf("thaw period %s, want 1h", e.ThawPeriod())
	}
	var refused *chain.Revert
	if _, err := e.Allocate(t.Context(), a, key(t, 7).Address(), ether(1)); !errors.As(err, &refused) || refused.Name != "InsufficientBalance" {
		t.Errorf("allocating without a balance: %v, want InsufficientBalance", err)
	}
	if _, err := e.Allocate(t.Context(), a, rich.Address(), ether(1)); !errors.As(err, &refused) || refused.Name != "SelfAllocation" {
		t.Errorf("allocating to oneself: %v, want SelfAllocation", err)
	}
	if _, err := chain.NewEscrow(t.Context(), a.Client(), rich.Address()); err == nil || !strings.Contains(err.Error(), "no contract at escrow address") {
		t.Errorf("an escrow where there is none: %v", err)
	}
	if _, err := e.Deposit(t.Context(), a, ether(5)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Allocate(t.Context(), a, key(t, 7).Address(), ether(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Thaw(t.Context(), a, key(t, 7).Address(), ether(1)); err != nil {
		t.Fatal(err)
	}
	got, err := e.Allocation(t.Context(), rich.Address(), key(t, 7).Address())
	if err != nil || got.Amount != ether(2) || got.Thawing != ether(1) || got.ThawEnd == 0 || got.Credit() != ether(1) {
		t.Errorf("allocation %+v, %v; want 2 ether, 1 of them thawing", got, err)
	}
	if _, err := e.Release(t.Context(), a, key(t, 7).Address()); !errors.As(err, &refused) || refused.Name != "StillThawing" {
		t.Errorf("releasing too soon: %v, want StillThawing", err)
	}
	if held, err := e.Held(t.Context()); err != nil || held != ether(5) {
		t.Errorf("escrow holds %s, %v; want %s", held, err, ether(5))
	}
	if d, err := e.Deposits(t.Context(), 0); err != nil || len(d) != 1 || d[0].To != rich.Address() || d[0].Amount != ether(5) {
		t.Errorf("deposits %+v, %v", d, err)
	}
	if al, err := e.Allocations(t.Context(), 0); err != nil || len(al) != 1 || al[0].To != key(t, 7).Address() || al[0].Amount != ether(2) {
		t.Errorf("allocations %+v, %v", al, err)
	}
}

func TestChain_refusesADirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := devchain.Start(t.Context(), devchain.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if second, err := devchain.Start(t.Context(), devchain.Options{Dir: dir}); err == nil {
		second.Close()
		t.Error("a second chain opened the directory")
	}
}

// A block that is still being written when the database closes would end this process, without a word.
func TestChain_closesOnlyOnceItsLastBlockIsDone(t *testing.T) {
	t.Parallel()
	rich := key(t, 8)
	for range 20 {
		c, err := devchain.Start(t.Context(), devchain.Options{Prefund: map[common.Address]protocol.Wei{rich.Address(): ether(1000)}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := ethclient.DialContext(t.Context(), c.URL())
		if err != nil {
			t.Fatal(err)
		}
		chainID, err := client.ChainID(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		secret, err := crypto.ToECDSA(crypto.Keccak256([]byte{8}))
		if err != nil {
			t.Fatal(err)
		}
		to := key(t, 9).Address()
		for nonce := range uint64(5) {
			tx, err := types.SignNewTx(secret, types.LatestSignerForChainID(chainID), &types.DynamicFeeTx{ChainID: chainID, Nonce: nonce, To: &to,
				Gas: 21_000, GasFeeCap: big.NewInt(100e9), GasTipCap: big.NewInt(1e9), Value: big.NewInt(1)})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.SendTransaction(t.Context(), tx); err != nil {
				t.Fatal(err)
			}
		}
		client.Close()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

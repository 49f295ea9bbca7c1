package chaintest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/internal/protocol"
)

// Anvil is a running anvil: a chain that does as it is told.
type Anvil struct {
	t      testing.TB
	URL    string
	client *rpc.Client
}

// NewAnvil starts one that makes a block for every transaction, and ends it with the test. Its clock is off by skew.
func NewAnvil(t testing.TB, skew time.Duration, rich common.Address, amount protocol.Wei) *Anvil {
	t.Helper()
	_, self, _, _ := runtime.Caller(0)
	bin := filepath.Join(filepath.Dir(self), "..", "..", "..", "bin", "anvil")
	if _, err := os.Stat(bin); err != nil {
		t.Fatalf("this test needs anvil: %v (run deploy/foundry.sh)", err)
	}
	cmd := exec.Command(bin, "--port", "0", "--accounts", "1", "--order", "fifo")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	// Whoever gets the signal of a dying parent is asked by thread: keep the one that starts it.
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread() // or the thread ends, and with it whatever else was ever started on it
		err := cmd.Start()
		started <- err
		if err == nil {
			<-ended
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); close(ended) })
	listening := regexp.MustCompile(`Listening on ([0-9.:]+)`)
	var said strings.Builder
	lines := bufio.NewScanner(out)
	a := &Anvil{t: t}
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			a.URL = "http://" + m[1]
			break
		}
	}
	if a.URL == "" {
		t.Fatalf("anvil did not start; it said: %s", said.String())
	}
	go func() { // or its pipe fills up
		for lines.Scan() {
		}
	}()
	if a.client, err = rpc.DialContext(t.Context(), a.URL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.client.Close)
	a.Do("anvil_setBalance", rich, (*hexutil.Big)(amount.Big()))
	if skew != 0 {
		a.Do("anvil_setTime", uint64(time.Now().Add(skew).Unix()))
	}
	return a
}

// Do gives an order.
func (a *Anvil) Do(method string, params ...any) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := a.client.CallContext(ctx, nil, method, params...); err != nil {
		a.t.Fatalf("%s: %v", method, err)
	}
}

// Mine makes empty blocks.
func (a *Anvil) Mine(blocks uint64) {
	a.t.Helper()
	a.Do("anvil_mine", hexutil.Uint64(blocks))
}

// Reorg takes blocks back and makes as many empty ones instead.
func (a *Anvil) Reorg(blocks uint64) {
	a.t.Helper()
	a.Do("anvil_reorg", blocks, []any{})
}

package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus/busnode"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/protocol"
)

// serverVariable makes this program one of the stage's servers: NATS and the chain are processes of their own, so that they
// can be killed and stopped.
const serverVariable = "KINORASTAGE_SERVER"

// server says which one.
type server struct {
	NATS  *busnode.Node `json:"nats,omitempty"`
	Chain *chainServer  `json:"chain,omitempty"`
	Ready string        `json:"ready"` // file written once it serves
}

type chainServer struct {
	Dir     string                          `json:"dir"`
	HTTP    string                          `json:"http"`
	Prefund map[common.Address]protocol.Wei `json:"prefund"`
}

// Main is first in the main function, or TestMain, of every program that uses a stage: it does not return in a process that was
// started as a server.
func Main() {
	text := os.Getenv(serverVariable)
	if text == "" {
		return
	}
	var s server
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = s.serve()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (s server) serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ready := func() { _ = os.WriteFile(s.Ready, []byte(`{"http":"ready"}`), 0o644) }
	if s.NATS != nil {
		return s.NATS.Serve(ctx, ready)
	}
	c, err := devchain.Start(ctx, devchain.Options{Dir: s.Chain.Dir, HTTP: s.Chain.HTTP, Period: time.Second, Prefund: s.Chain.Prefund})
	if err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	return c.Close()
}

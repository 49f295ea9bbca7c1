// Package devchain is an Ethereum chain of one node inside this process, for a market on one machine and for tests: it
// makes its own blocks, serves JSON-RPC (eth, net, web3) over HTTP on loopback, and with a directory keeps its blocks
// over restarts and kills.
package devchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/internal/protocol"
)

// DefaultChainID is used where Options name none.
const DefaultChainID = 1337

// Options describe the chain. A Dir that holds a chain already keeps its genesis: Prefund and ChainID then change nothing.
type Options struct {
	Dir     string        // "" keeps the chain in memory
	HTTP    string        // host:port; "" is 127.0.0.1:0
	Period  time.Duration // between blocks, whole seconds; 0 makes a block as soon as there is a transaction
	Prefund map[common.Address]protocol.Wei
	ChainID uint64
}

// Chain is a running chain.
type Chain struct {
	stack  *node.Node
	sealer *sealer
}

// Start opens or begins the chain and serves it.
func Start(ctx context.Context, o Options) (*Chain, error) {
	if o.HTTP == "" {
		o.HTTP = "127.0.0.1:0"
	}
	host, portText, err := net.SplitHostPort(o.HTTP)
	if err != nil {
		return nil, fmt.Errorf("dev chain: listen address %q: %w", o.HTTP, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || host == "" {
		return nil, fmt.Errorf("dev chain: listen address %q: want host:port with a number", o.HTTP)
	}
	if o.Period%time.Second != 0 {
		return nil, fmt.Errorf("dev chain: period %s: want whole seconds", o.Period)
	}
	genesis, err := o.genesis()
	if err != nil {
		return nil, err
	}

	nodeConf := node.DefaultConfig
	nodeConf.Name = "chain"
	nodeConf.DataDir = o.Dir
	nodeConf.DBEngine = "leveldb" // hands every write to the system at once; pebble keeps the last ones in memory, and a kill loses them
	nodeConf.UseLightweightKDF = true
	nodeConf.P2P = p2p.Config{NoDiscovery: true, NoDial: true, MaxPeers: 0}
	nodeConf.HTTPHost, nodeConf.HTTPPort = host, port
	nodeConf.HTTPModules = []string{"eth", "net", "web3"}
	nodeConf.HTTPCors = []string{"*"} // pages may read it; it holds no key
	nodeConf.IPCPath = ""
	stack, err := node.New(&nodeConf)
	if err != nil {
		return nil, fmt.Errorf("dev chain in %q: %w (does another kinora use this data directory?)", o.Dir, err)
	}
	c := &Chain{stack: stack}
	if err := c.assemble(genesis, o.Period); err != nil {
		return nil, errors.Join(fmt.Errorf("dev chain: %w", err), c.Close())
	}
	if err := c.awaitBlock(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("dev chain: %w", err), c.Close())
	}
	return c, nil
}

// URL is where JSON-RPC is served.
func (c *Chain) URL() string { return c.stack.HTTPEndpoint() }

// Close stops the chain.
func (c *Chain) Close() error {
	if c.sealer != nil {
		c.sealer.close()
		c.sealer = nil
	}
	if c.stack == nil {
		return nil
	}
	err := c.stack.Close()
	c.stack = nil
	return err
}

// assemble builds what `geth --dev` builds, with every block's state written out (NoPruning, hash scheme): the default
// keeps recent state in memory and goes back to the genesis when that is lost.
func (c *Chain) assemble(genesis *core.Genesis, period time.Duration) error {
	conf := ethconfig.Defaults
	conf.Genesis = genesis
	conf.NetworkId = genesis.Config.ChainID.Uint64()
	conf.SyncMode = ethconfig.FullSync
	conf.NoPruning = true
	conf.StateScheme = rawdb.HashScheme
	conf.LogNoHistory = true // few blocks: logs are searched without an index
	conf.TxPool.NoLocals = true
	conf.DatabaseCache, conf.TrieCleanCache, conf.TrieDirtyCache, conf.SnapshotCache = 16, 16, 16, 0
	backend, err := eth.New(c.stack, &conf)
	if err != nil {
		return err
	}
	c.stack.RegisterAPIs([]rpc.API{{Namespace: "eth",
		Service: filters.NewFilterAPI(filters.NewFilterSystem(backend.APIBackend, filters.Config{}))}})
	beacon, err := catalyst.NewSimulatedBeacon(0, common.Address{}, backend)
	if err != nil {
		return err
	}
	if err := c.stack.Start(); err != nil {
		return err
	}
	c.sealer = startSealer(beacon, backend.TxPool(), period)
	return nil
}

// awaitBlock returns once a node that seals on demand or by time answers.
func (c *Chain) awaitBlock(ctx context.Context) error {
	client := c.stack.Attach()
	defer client.Close()
	var number string
	return client.CallContext(ctx, &number, "eth_blockNumber")
}

const genesisFile = "genesis.json"

// genesis is the one the directory began with, else a new one, written down before it is used.
func (o Options) genesis() (*core.Genesis, error) {
	file := filepath.Join(o.Dir, genesisFile)
	if o.Dir != "" {
		b, err := os.ReadFile(file)
		switch {
		case err == nil:
			var g core.Genesis
			if err := json.Unmarshal(b, &g); err != nil {
				return nil, fmt.Errorf("dev chain: read %s: %w", file, err)
			}
			return &g, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("dev chain: %w", err)
		}
	}
	config := *params.AllDevChainProtocolChanges
	id := o.ChainID
	if id == 0 {
		id = DefaultChainID
	}
	config.ChainID = new(big.Int).SetUint64(id)
	g := &core.Genesis{Config: &config, GasLimit: ethconfig.Defaults.Miner.GasCeil, BaseFee: big.NewInt(params.InitialBaseFee),
		Difficulty: new(big.Int), Alloc: types.GenesisAlloc{}}
	maps.Copy(g.Alloc, core.SystemContractAllocs())
	for a, w := range o.Prefund {
		g.Alloc[a] = types.Account{Balance: w.Big()}
	}
	if o.Dir == "" {
		return g, nil
	}
	b, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("dev chain: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("dev chain: %w", err)
	}
	half := file + ".half"
	if err := os.WriteFile(half, b, 0o600); err != nil {
		return nil, fmt.Errorf("dev chain: %w", err)
	}
	if err := os.Rename(half, file); err != nil {
		return nil, fmt.Errorf("dev chain: %w", err)
	}
	return g, nil
}

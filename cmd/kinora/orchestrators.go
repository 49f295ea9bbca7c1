package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// registration is a transaction to the registry.
type registration struct {
	sender
	node
	money
	Registry common.Address `help:"Address of the service registry (kinora contracts registry)." required:"" placeholder:"ADDRESS"`
}

// Validate names all that is missing at once.
func (r registration) Validate() error {
	var names []string
	if r.ChainRPC == "" {
		names = append(names, "--chain-rpc")
	}
	if (r.Registry == common.Address{}) {
		names = append(names, "--registry")
	}
	return r.sender.missing(names...)
}

func (r registration) send(a *app, do func(context.Context, *chain.Registry, *chain.Account) (chain.Receipt, string, error)) error {
	return r.signed(a, r.node, r.money, func(ctx context.Context, from *chain.Account) error {
		receipt, said, err := do(ctx, chain.NewRegistry(from.Client(), r.Registry), from)
		if err != nil {
			return err
		}
		object := map[string]any{"address": from.Address().Hex(), "registry": r.Registry.Hex(), "tx": receipt.Tx, "block": receipt.Block, "gas_wei": receipt.Cost}
		return r.answer(a, object, "%s (transaction %s, gas %s)", said, receipt.Tx, r.sum(receipt.Cost))
	})
}

type orchestratorRegister struct {
	registration
	URL    string `name:"url" help:"Where broadcasters reach this orchestrator: https://host:port; http on loopback, for trials." required:"" placeholder:"URL"`
	Region string `help:"Where it is, as the market names places." placeholder:"NAME"`
}

// Validate refuses what no broadcaster would dial.
func (o orchestratorRegister) Validate() error {
	if err := o.registration.Validate(); err != nil {
		return err
	}
	if o.URL == "" {
		return errors.New("missing: --url")
	}
	if err := protocol.ValidateOrchestratorURL(o.URL); err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	if err := protocol.ValidateRegion(o.Region); err != nil {
		return fmt.Errorf("--region: %w", err)
	}
	return nil
}

// Run registers. What is said already is not said again: that would cost gas and change nothing.
func (o orchestratorRegister) Run(a *app) error {
	d := protocol.Descriptor{URL: strings.TrimRight(o.URL, "/"), Region: o.Region}
	return o.send(a, func(ctx context.Context, r *chain.Registry, from *chain.Account) (chain.Receipt, string, error) {
		if hash, err := r.InfoHash(ctx, from.Address()); err == nil && hash == d.Hash() {
			return chain.Receipt{}, fmt.Sprintf("%s is registered at %s already; nothing was sent", from.Address(), d.URL), nil
		}
		receipt, err := r.Register(ctx, from, d.Hash(), d.URI())
		return receipt, fmt.Sprintf("%s is registered at %s", from.Address(), d.URL), err
	})
}

type orchestratorUnregister struct{ registration }

// Run takes the account out.
func (o orchestratorUnregister) Run(a *app) error {
	return o.send(a, func(ctx context.Context, r *chain.Registry, from *chain.Account) (chain.Receipt, string, error) {
		receipt, err := r.Unregister(ctx, from)
		return receipt, fmt.Sprintf("%s is no longer registered", from.Address()), err
	})
}

type contractsRegistry struct {
	sender
	node
	money
}

// Validate names the setting that is missing.
func (c contractsRegistry) Validate() error {
	if c.ChainRPC == "" {
		return c.sender.missing("--chain-rpc")
	}
	return c.sender.missing()
}

// Run deploys a registry.
func (c contractsRegistry) Run(a *app) error {
	return c.signed(a, c.node, c.money, func(ctx context.Context, from *chain.Account) error {
		address, receipt, err := from.DeployRegistry(ctx)
		if err != nil {
			return err
		}
		object := map[string]any{"registry": address.Hex(), "chain_id": from.Client().ChainID(), "deployer": from.Address().Hex(), "tx": receipt.Tx,
			"block": receipt.Block, "gas_wei": receipt.Cost}
		return c.answer(a, object, "registry %s on chain %d, in block %d", address, from.Client().ChainID(), receipt.Block)
	})
}

type orchestratorsCommand struct {
	Ls orchestratorsLs `cmd:"" help:"List the orchestrators that a broadcaster knows of: where from, price, region, distance, quality, and why one is given no work."`
}

type orchestratorsLs struct {
	Broadcaster string `help:"URL of the broadcaster." default:"http://127.0.0.1:8935" placeholder:"URL"`
	output
}

// known is one orchestrator as the broadcaster's API describes it.
type known struct {
	URL     string            `json:"url"`
	Address common.Address    `json:"address"`
	Claimed common.Address    `json:"claimed"`
	Sources []string          `json:"sources"`
	Region  string            `json:"region"`
	Prices  map[string]string `json:"prices"`
	RTT     float64           `json:"rtt_ms"`
	State   string            `json:"state"`
	Passed  uint64            `json:"passed"`
	Failed  uint64            `json:"failed"`
	Quality *struct {
		HalfMillis int64   `json:"half_within_ms"`
		Outcomes   float64 `json:"outcomes"`
	} `json:"quality"`
	Streams  int    `json:"streams"`
	Excluded string `json:"excluded"`
	Error    string `json:"error"`
}

// maxOrchestrators bounds what is read of an answer, in bytes.
const maxOrchestrators = 16 << 20

// Run asks and prints.
func (o orchestratorsLs) Run(a *app) error {
	url := strings.TrimRight(o.Broadcaster, "/") + "/api/v1/orchestrators"
	ctx, cancel := context.WithTimeout(a.ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("--broadcaster: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the broadcaster: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxOrchestrators))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", url, err)
	}
	var all []known
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &all) != nil {
		return fmt.Errorf("%s answered %s: is it a broadcaster?", url, resp.Status)
	}
	if o.JSON {
		return printJSON(a.stdout, json.RawMessage(body))
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ORCHESTRATOR\tURL\tSOURCE\tH.264\tREGION\tRTT\tVERIFIED\tHALF WITHIN\tSTREAMS\tNOT USED")
	dash := func(s string, known bool) string {
		if !known || s == "" {
			return "–"
		}
		return s
	}
	for _, k := range all {
		who := k.Address
		if who == (common.Address{}) {
			who = k.Claimed
		}
		half := "–"
		if k.Quality != nil {
			half = (time.Duration(k.Quality.HalfMillis) * time.Millisecond).String()
		}
		why := k.Excluded
		if k.Error != "" {
			why = strings.TrimPrefix(why+": "+k.Error, ": ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d of %d\t%s\t%d\t%s\n", dash(who.Hex(), who != common.Address{}), k.URL, dash(strings.Join(k.Sources, ", "), true),
			dash(k.Prices[string(protocol.H264)], true), dash(k.Region, true), dash(fmt.Sprintf("%.1f ms", k.RTT), k.RTT > 0), k.Passed, k.Passed+k.Failed, half, k.Streams, dash(why, true))
	}
	return w.Flush()
}

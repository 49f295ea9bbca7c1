package discover

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// RegistryStore keeps what was read of a registry; *store.Store is one.
type RegistryStore interface {
	Registered(ctx context.Context, r store.Registry) (at store.Cursor, known bool, listed []protocol.Listing, err error)
	SaveRegistry(ctx context.Context, r store.Registry, at store.Cursor, listed []protocol.Listing, gone []common.Address) error
	ForgetRegistry(ctx context.Context, r store.Registry) error
}

// Registry reads the ServiceRegistry by its events, each block once.
type Registry struct {
	Contract      *chain.Registry
	Store         RegistryStore
	From          uint64        // block before which there is nothing
	Confirmations uint64        // blocks that must follow one before it is read
	Every         time.Duration // between looks at the chain (15 s)
	Loopback      bool          // take orchestrators on this machine
	Log           *slog.Logger

	at     store.Cursor
	known  bool
	listed map[common.Address]protocol.Listing
}

// Name is "registry".
func (r *Registry) Name() string { return "registry" }

// step is how many blocks are asked for at a time; many nodes answer no more.
const step = 5_000

// Run tells what was kept at once, whether the chain answers or not, and follows the registry until ctx ends.
func (r *Registry) Run(ctx context.Context, tell func([]protocol.Listing)) {
	every := cmp.Or(r.Every, 15*time.Second)
	for !r.load(ctx, tell) {
		if !rest(ctx, time.Second) {
			return
		}
	}
	for ctx.Err() == nil {
		switch changed, err := r.runOnce(ctx); {
		case err != nil && ctx.Err() == nil:
			r.Log.Warn("the registry of orchestrators cannot be read; what is known of it is used on", "registry", r.Contract.Address(), "err", err)
		case changed:
			tell(r.all())
		}
		if !rest(ctx, every) {
			return
		}
	}
}

func (r *Registry) key() store.Registry {
	return store.Registry{ChainID: r.Contract.Client().ChainID(), Address: r.Contract.Address()}
}

func (r *Registry) load(ctx context.Context, tell func([]protocol.Listing)) bool {
	at, known, listed, err := r.Store.Registered(ctx, r.key())
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Warn("what is kept of the registry cannot be read; trying again", "err", err)
		}
		return false
	}
	r.at, r.known, r.listed = at, known, make(map[common.Address]protocol.Listing)
	for _, l := range listed {
		r.listed[l.Account] = l
	}
	if known {
		tell(r.all())
	}
	return true
}

// all that may be dialled, in a fixed order.
func (r *Registry) all() []protocol.Listing {
	sorted := slices.SortedFunc(maps.Values(r.listed), func(a, b protocol.Listing) int { return a.Account.Cmp(b.Account) })
	return usable(sorted, r.Loopback, r.Log)
}

// runOnce reads the blocks that were confirmed since the last time.
func (r *Registry) runOnce(ctx context.Context) (changed bool, err error) {
	client := r.Contract.Client()
	head, err := client.BlockNumber(ctx)
	if err != nil {
		return false, err
	}
	if head < r.Confirmations || r.known && head-r.Confirmations <= r.at.Block {
		return false, nil
	}
	safe := head - r.Confirmations
	if r.known {
		hash, err := client.BlockHash(ctx, r.at.Block)
		if err != nil {
			return false, err
		}
		if hash != r.at.Hash {
			r.Log.Warn("the chain is not the one that the registry was read from; reading it anew", "block", r.at.Block)
			if err := r.Store.ForgetRegistry(ctx, r.key()); err != nil {
				return false, err
			}
			r.at, r.known, r.listed, changed = store.Cursor{}, false, make(map[common.Address]protocol.Listing), true
		}
	}
	from := r.From
	if r.known {
		from = r.at.Block + 1
	}
	for span := uint64(step); from <= safe; {
		until := min(safe, from+span-1)
		hash, err := client.BlockHash(ctx, until)
		if err != nil {
			return changed, err
		}
		events, err := r.Contract.Changes(ctx, from, until)
		if err != nil {
			if _, away := client.BlockNumber(ctx); away != nil || until == from {
				return changed, fmt.Errorf("blocks %d to %d: %w", from, until, err)
			}
			span = (until - from + 1) / 2 // the node is there, so this was too much of it
			continue
		}
		more, err := r.apply(ctx, store.Cursor{Block: until, Hash: hash}, events)
		if err != nil {
			return changed, fmt.Errorf("blocks %d to %d: %w", from, until, err)
		}
		changed, from = changed || more, until+1
	}
	return changed, nil
}

// apply keeps what events changed, with how far they go.
func (r *Registry) apply(ctx context.Context, at store.Cursor, events []chain.Registration) (changed bool, err error) {
	touched := make(map[common.Address]protocol.Listing) // an empty URL: gone
	for _, e := range events {
		touched[e.Account] = protocol.Listing{}
		if e.Gone {
			continue
		}
		d, err := chainDescriptor(e)
		if err != nil {
			r.Log.Debug("a registration says nothing that can be used", "account", e.Account, "err", err)
			continue
		}
		touched[e.Account] = d
	}
	var listed []protocol.Listing
	var gone []common.Address
	for account, l := range touched {
		if l.URL == "" {
			gone = append(gone, account)
		} else {
			listed = append(listed, l)
		}
	}
	if err := r.Store.SaveRegistry(ctx, r.key(), at, listed, gone); err != nil {
		return false, err
	}
	r.at, r.known = at, true
	for _, a := range gone {
		delete(r.listed, a)
	}
	for _, l := range listed {
		r.listed[l.Account] = l
	}
	return len(touched) > 0, nil
}

func chainDescriptor(e chain.Registration) (protocol.Listing, error) {
	d, err := protocol.ReadDescriptor(e.URI, e.Info)
	if err != nil {
		return protocol.Listing{}, err
	}
	l := protocol.Listing{Account: e.Account, URL: d.URL, Region: d.Region}
	return l, l.Validate()
}

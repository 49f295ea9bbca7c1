package chain

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
)

// Registry is the ServiceRegistry: who serves where, as accounts say of themselves.
type Registry struct {
	client  *Client
	address common.Address
	abi     *bindings.ServiceRegistry
}

// NewRegistry is the registry at an address. Nothing is asked of the chain.
func NewRegistry(c *Client, address common.Address) *Registry {
	return &Registry{client: c, address: address, abi: bindings.NewServiceRegistry()}
}

// Address is the contract's.
func (r *Registry) Address() common.Address { return r.address }

// Client is the chain it is on.
func (r *Registry) Client() *Client { return r.client }

// Register says for the account where it serves, in place of what it said before.
func (r *Registry) Register(ctx context.Context, a *Account, info common.Hash, uri string) (Receipt, error) {
	if err := r.check(ctx); err != nil {
		return Receipt{}, err
	}
	return a.send(ctx, "register", r.address, protocol.Wei{}, r.abi.PackRegister(info, uri))
}

// Unregister says that the account serves no longer.
func (r *Registry) Unregister(ctx context.Context, a *Account) (Receipt, error) {
	if err := r.check(ctx); err != nil {
		return Receipt{}, err
	}
	return a.send(ctx, "unregister", r.address, protocol.Wei{}, r.abi.PackUnregister())
}

// check asks what every registry can answer: a transaction to an account without code would succeed and do nothing.
func (r *Registry) check(ctx context.Context) error {
	data, err := r.client.call(ctx, ethereum.CallMsg{To: &r.address, Data: r.abi.PackMAXURI()})
	if err != nil {
		return explain("read the registry", err)
	}
	if _, err := r.abi.UnpackMAXURI(data); err != nil {
		return fmt.Errorf("the contract at %s does not answer as a service registry", r.address)
	}
	return nil
}

// InfoHash is the hash of what account says of itself; zero when it is not registered.
func (r *Registry) InfoHash(ctx context.Context, account common.Address) (common.Hash, error) {
	data, err := r.client.call(ctx, ethereum.CallMsg{To: &r.address, Data: r.abi.PackInfoHashOf(account)})
	if err != nil {
		return common.Hash{}, explain("read a registration", err)
	}
	return r.abi.UnpackInfoHashOf(data)
}

// Registration is what an account said of itself.
type Registration struct {
	Account common.Address
	Info    common.Hash
	URI     string
	Gone    bool // it serves no longer
	Block   uint64
}

// Changes are the registrations of blocks from to until, both included, in their order.
func (r *Registry) Changes(ctx context.Context, from, until uint64) ([]Registration, error) {
	events := r.abi.GetABI().Events
	registered, unregistered := events[bindings.ServiceRegistryRegisteredEventName].ID, events[bindings.ServiceRegistryUnregisteredEventName].ID
	query := ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(until), Addresses: []common.Address{r.address},
		Topics: [][]common.Hash{{registered, unregistered}}}
	logs, err := ask(ctx, r.client.nodes, func(ctx context.Context, eth *ethclient.Client) ([]types.Log, error) {
		return eth.FilterLogs(ctx, query)
	})
	if err != nil {
		return nil, explain("read registrations", err)
	}
	all := make([]Registration, 0, len(logs))
	for i := range logs {
		l := &logs[i]
		if l.Removed || l.Address != r.address || len(l.Topics) == 0 {
			continue
		}
		one := Registration{Block: l.BlockNumber}
		switch l.Topics[0] {
		case registered:
			e, err := r.abi.UnpackRegisteredEvent(l)
			if err != nil {
				return nil, fmt.Errorf("read Registered event: %w", err)
			}
			one.Account, one.Info, one.URI = e.Account, e.InfoHash, e.Uri
		case unregistered:
			e, err := r.abi.UnpackUnregisteredEvent(l)
			if err != nil {
				return nil, fmt.Errorf("read Unregistered event: %w", err)
			}
			one.Account, one.Gone = e.Account, true
		}
		all = append(all, one)
	}
	return all, nil
}

// BlockHash is the hash of the block of a number, by which a reader knows whether it is still on the chain it read before.
func (c *Client) BlockHash(ctx context.Context, number uint64) (common.Hash, error) {
	h, err := ask(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) (*types.Header, error) {
		return eth.HeaderByNumber(ctx, new(big.Int).SetUint64(number))
	})
	if err != nil {
		return common.Hash{}, explain("read block", err)
	}
	return h.Hash(), nil
}

// DeployRegistry puts a ServiceRegistry on the chain.
func (a *Account) DeployRegistry(ctx context.Context) (common.Address, Receipt, error) {
	p, err := a.submit(ctx, "deploy registry", nil, protocol.Wei{}, common.FromHex(bindings.ServiceRegistryMetaData.Bin), nil, false)
	if err != nil {
		return common.Address{}, Receipt{}, err
	}
	r, err := a.await(ctx, p)
	if err != nil {
		return common.Address{}, r, fmt.Errorf("deploy registry: %w", err)
	}
	return createdAddress(a.Address(), p.TxNonce), r, nil
}

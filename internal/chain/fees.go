package chain

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/internal/protocol"
)

// TooDear says that gas costs more than somebody allows. It may be tried again when gas is cheaper.
type TooDear struct {
	Doing       string
	Would, Most *big.Int // wei per gas; or, of a Whole transaction, wei
	Whole       bool
}

// Error names both sides.
func (t *TooDear) Error() string {
	unit := "wei per gas"
	if t.Whole {
		unit = "wei"
	}
	return fmt.Sprintf("%s: gas is too dear now: it would take %s %s, allowed are %s", t.Doing, t.Would, unit, t.Most)
}

// Bill is what a transaction is expected to cost when it is sent.
type Bill struct {
	Gas      uint64
	Expected protocol.Wei
}

// price is what gas costs now, in wei per gas: EIP-1559's base fee, the tip, and the most that is offered.
type price struct{ base, tip, cap *big.Int }

func (p price) expected(gas uint64) protocol.Wei {
	per := new(big.Int).Add(p.base, p.tip)
	if per.Cmp(p.cap) > 0 {
		per = p.cap
	}
	w, err := protocol.WeiFromBig(per.Mul(per, new(big.Int).SetUint64(gas)))
	if err != nil { // no amount of wei is larger
		return protocol.MaxUint96
	}
	return w
}

// price leaves room for the base fee to double, within the account's bounds. A base fee that leaves no room for a tip under
// the bound is a *TooDear.
func (a *Account) price(ctx context.Context) (price, error) {
	tip, err := ask(ctx, a.client.nodes, func(ctx context.Context, eth *ethclient.Client) (*big.Int, error) { return eth.SuggestGasTipCap(ctx) })
	if err != nil {
		return price{}, err
	}
	head, err := a.client.Head(ctx)
	if err != nil {
		return price{}, err
	}
	base := head.BaseFee.Big()
	if most := a.fees.MaxTip.Big(); most.Sign() > 0 && tip.Cmp(most) > 0 {
		tip = most
	}
	most := a.fees.MaxPerGas.Big()
	cap := new(big.Int).Add(new(big.Int).Mul(base, common.Big2), tip)
	if most.Sign() > 0 {
		if now := new(big.Int).Add(base, tip); now.Cmp(most) > 0 {
			return price{}, &TooDear{Doing: "price gas", Would: now, Most: most}
		}
		if cap.Cmp(most) > 0 {
			cap = most
		}
	}
	return price{base, tip, cap}, nil
}

// GasCost is what so much gas is expected to cost now.
func (a *Account) GasCost(ctx context.Context, gas uint64) (protocol.Wei, error) {
	p, err := a.price(ctx)
	if err != nil {
		return protocol.Wei{}, explain("price gas", err)
	}
	return p.expected(gas), nil
}

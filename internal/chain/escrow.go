package chain

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Escrow is one deployed TicketEscrow contract.
type Escrow struct {
	client  *Client
	address common.Address
	abi     *bindings.TicketEscrow
	thaw    time.Duration
	payTo   common.Address // zero: redemptions are credited
}

// Allocation is what a payer set aside for one recipient. Thawing is part of Amount.
type Allocation struct {
	Amount  protocol.Wei
	Thawing protocol.Wei
	ThawEnd uint64 // Unix seconds, chain time; 0 when nothing thaws
}

// Credit is the part that no thaw takes away.
func (a Allocation) Credit() protocol.Wei { return a.Amount.Sub(a.Thawing) }

// Refusal is the contract's reason for not paying a ticket. The numbers are frozen.
type Refusal uint8

// The contract's reasons.
const (
	RefusalNone Refusal = iota
	SelfPayment
	ZeroFaceValue
	Expired
	NonceUsed
	WrongRand
	NotWinning
	BadSignature
	Underfunded
	BelowMinPayout
	SessionEnded
	BadRange
)

// String is the reason in snake case.
func (r Refusal) String() string {
	names := [...]string{"none", "self_payment", "zero_face_value", "expired", "nonce_used", "wrong_rand", "not_winning", "bad_signature",
		"underfunded", "below_min_payout", "session_ended", "bad_range"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("refusal_%d", uint8(r))
}

// NewEscrow opens the escrow at address; an error says when there is none.
func NewEscrow(ctx context.Context, c *Client, address common.Address) (*Escrow, error) {
	e := &Escrow{client: c, address: address, abi: bindings.NewTicketEscrow()}
	code, err := ask(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) ([]byte, error) { return eth.CodeAt(ctx, address, nil) })
	if err != nil {
		return nil, explain("open escrow", err)
	}
	if len(code) == 0 {
		return nil, fmt.Errorf("no contract at escrow address %s on chain %d: correct --escrow, or deploy one with `kinora contracts deploy`",
			address, c.chainID)
	}
	period, err := call(ctx, e, "read thaw period", e.abi.PackTHAWPERIOD(), e.abi.UnpackTHAWPERIOD)
	if err != nil {
		return nil, fmt.Errorf("the contract at %s is no ticket escrow: %w", address, err)
	}
	e.thaw = time.Duration(period.Int64()) * time.Second
	return e, nil
}

// Address is the contract's.
func (e *Escrow) Address() common.Address { return e.address }

// Client is the chain it is on.
func (e *Escrow) Client() *Client { return e.client }

// Domain is the EIP-712 domain of the market messages it backs.
func (e *Escrow) Domain() protocol.Domain { return protocol.NewDomain(e.client.chainID, e.address) }

// ThawPeriod is how long before it takes effect a payer announces that an allocation shrinks.
func (e *Escrow) ThawPeriod() time.Duration { return e.thaw }

// Balance is owner's balance in the escrow: deposits and income, spendable and withdrawable.
func (e *Escrow) Balance(ctx context.Context, owner common.Address) (protocol.Wei, error) {
	out, err := call(ctx, e, "read escrow balance", e.abi.PackAccount(owner), e.abi.UnpackAccount)
	if err != nil {
		return protocol.Wei{}, err
	}
	return protocol.WeiFromBig(out.Balance)
}

// Allocation is what payer allocated to recipient.
func (e *Escrow) Allocation(ctx context.Context, payer, recipient common.Address) (Allocation, error) {
	out, err := call(ctx, e, "read allocation", e.abi.PackAllocation(payer, recipient), e.abi.UnpackAllocation)
	if err != nil {
		return Allocation{}, err
	}
	var a Allocation
	if a.Amount, err = protocol.WeiFromBig(out.Amount); err != nil {
		return Allocation{}, err
	}
	if a.Thawing, err = protocol.WeiFromBig(out.Thawing); err != nil {
		return Allocation{}, err
	}
	a.ThawEnd = out.ThawEnd.Uint64()
	return a, nil
}

// Watermark is the highest ticket nonce paid on a lane, 0 when none was.
func (e *Escrow) Watermark(ctx context.Context, payer, recipient common.Address, lane uint16) (uint64, error) {
	return call(ctx, e, "read lane watermark", e.abi.PackLaneWatermark(payer, recipient, lane), e.abi.UnpackLaneWatermark)
}

// Held is all the contract holds: the sum of every balance and allocation.
func (e *Escrow) Held(ctx context.Context) (protocol.Wei, error) {
	return e.client.Balance(ctx, e.address)
}

// BlockTime is the newest block's Unix second.
func (e *Escrow) BlockTime(ctx context.Context) (uint64, error) { return e.client.BlockTime(ctx) }

// Deposit adds amount wei of the account's own to its balance in the escrow.
func (e *Escrow) Deposit(ctx context.Context, a *Account, amount protocol.Wei) (Receipt, error) {
	return a.send(ctx, "deposit", e.address, amount, e.abi.PackDeposit())
}

// Allocate moves amount wei from the account's balance in the escrow to its allocation for recipient.
func (e *Escrow) Allocate(ctx context.Context, a *Account, recipient common.Address, amount protocol.Wei) (Receipt, error) {
	return a.send(ctx, "allocate", e.address, protocol.Wei{}, e.abi.PackAllocate(recipient, amount.Big()))
}

// Thaw sets how much of the account's allocation for recipient is thawing.
func (e *Escrow) Thaw(ctx context.Context, a *Account, recipient common.Address, amount protocol.Wei) (Receipt, error) {
	return a.send(ctx, "thaw", e.address, protocol.Wei{}, e.abi.PackThawAllocation(recipient, amount.Big()))
}

// Release moves what has thawed of the account's allocation for recipient back to its balance.
func (e *Escrow) Release(ctx context.Context, a *Account, recipient common.Address) (Receipt, error) {
	return a.send(ctx, "release", e.address, protocol.Wei{}, e.abi.PackReleaseAllocation(recipient))
}

// Withdraw takes amount wei out of the account's balance in the escrow and sends it to an address.
func (e *Escrow) Withdraw(ctx context.Context, a *Account, to common.Address, amount protocol.Wei) (Receipt, error) {
	return a.send(ctx, "withdraw", e.address, protocol.Wei{}, e.abi.PackWithdraw(to, amount.Big()))
}

// RedeemBatch sends one transaction that redeems runs, paying at least minTotal wei in all or nothing. It hands the
// signed transaction and what it is expected to cost to stored before it broadcasts it, so that whoever is killed in between can send the same again. The
// estimate of its gas discloses the runs' rands to the node: close their sets before.
func (e *Escrow) RedeemBatch(ctx context.Context, a *Account, runs []ticket.Run, minTotal protocol.Wei, stored func(Prepared, Bill) error) (Prepared, error) {
	packed, err := PackRuns(runs)
	if err != nil {
		return Prepared{}, err
	}
	data := e.abi.PackRedeemBatch(packed, minTotal.Big())
	if e.payTo != (common.Address{}) {
		data = e.abi.PackRedeemBatchTo(packed, minTotal.Big(), e.payTo)
	}
	return a.submit(ctx, "redeem", &e.address, protocol.Wei{}, data, stored, true)
}

// PayingTo is the same escrow, whose RedeemBatch pays out to an account instead of crediting the recipient. The zero address
// changes nothing.
func (e *Escrow) PayingTo(account common.Address) *Escrow {
	to := *e
	to.payTo = account
	return &to
}

// Diagnose asks the chain whether it would pay this ticket now, alone: RefusalNone when it would. It discloses rand.
func (e *Escrow) Diagnose(ctx context.Context, t ticket.Signed, rand [32]byte) (Refusal, error) {
	r, vs := t.Compact()
	data := e.abi.PackRedeem(bindings.ITicketEscrowTicket{Payer: t.Payer, Recipient: t.Recipient, Lane: t.Lane, Nonce: t.TicketNonce,
		FaceValue: t.FaceValue.Big(), WinProb: t.WinProb, Expiry: new(big.Int).SetUint64(t.Expiry), RecipientRandHash: t.RecipientRandHash,
		Salt: t.Salt}, rand, r, vs)
	_, err := e.client.call(ctx, ethereum.CallMsg{From: t.Recipient, To: &e.address, Data: data})
	if err == nil {
		return RefusalNone, nil
	}
	err = explain("try ticket", err)
	if r, ok := err.(*Revert); ok && r.Name == "TicketRefused" {
		return r.Refusal, nil
	}
	return RefusalNone, err
}

func call[T any](ctx context.Context, e *Escrow, doing string, data []byte, unpack func([]byte) (T, error)) (T, error) {
	var zero T
	out, err := e.client.call(ctx, ethereum.CallMsg{To: &e.address, Data: data})
	if err != nil {
		return zero, explain(doing, err)
	}
	v, err := unpack(out)
	if err != nil {
		return zero, fmt.Errorf("%s: %w", doing, err)
	}
	return v, nil
}

func createdAddress(from common.Address, nonce uint64) common.Address {
	return crypto.CreateAddress(from, nonce)
}

// Transferred is a Deposited (From: funder, To: account) or Allocated (From: payer, To: recipient) event.
type Transferred struct {
	From, To common.Address
	Amount   protocol.Wei
	Block    uint64
	Tx       common.Hash
}

// Redeemed is a run that was paid.
type Redeemed struct {
	Payer, Recipient common.Address
	Lane             uint16
	LastNonce        uint64
	Tickets          uint64
	Amount           protocol.Wei
	Block            uint64
	Tx               common.Hash
}

// RunStopped is a run that stopped at a ticket.
type RunStopped struct {
	Payer       common.Address
	Lane        uint16
	TicketNonce uint64
	Reason      Refusal
}

// Deposits lists the deposits from a block on.
func (e *Escrow) Deposits(ctx context.Context, fromBlock uint64) ([]Transferred, error) {
	logs, err := e.logs(ctx, bindings.TicketEscrowDepositedEventName, fromBlock)
	if err != nil {
		return nil, err
	}
	return each(logs, func(l *types.Log) (Transferred, error) {
		v, err := e.abi.UnpackDepositedEvent(l)
		if err != nil {
			return Transferred{}, err
		}
		w, err := protocol.WeiFromBig(v.Amount)
		return Transferred{From: v.Funder, To: v.Account, Amount: w, Block: l.BlockNumber, Tx: l.TxHash}, err
	})
}

// Allocations lists the allocations from a block on.
func (e *Escrow) Allocations(ctx context.Context, fromBlock uint64) ([]Transferred, error) {
	logs, err := e.logs(ctx, bindings.TicketEscrowAllocatedEventName, fromBlock)
	if err != nil {
		return nil, err
	}
	return each(logs, func(l *types.Log) (Transferred, error) {
		v, err := e.abi.UnpackAllocatedEvent(l)
		if err != nil {
			return Transferred{}, err
		}
		w, err := protocol.WeiFromBig(v.Amount)
		return Transferred{From: v.Payer, To: v.Recipient, Amount: w, Block: l.BlockNumber, Tx: l.TxHash}, err
	})
}

// Redemptions lists the paid runs from a block on.
func (e *Escrow) Redemptions(ctx context.Context, fromBlock uint64) ([]Redeemed, error) {
	logs, err := e.logs(ctx, bindings.TicketEscrowRedeemedEventName, fromBlock)
	if err != nil {
		return nil, err
	}
	return each(logs, e.redeemed)
}

// Runs reads what a mined transaction paid to a recipient and where its runs stopped. Another's transaction may hold those of
// other recipients too, whose lanes have the same names.
func (e *Escrow) Runs(r Receipt, recipient common.Address) (paid []Redeemed, stopped []RunStopped, err error) {
	for _, l := range r.logs {
		if l.Address != e.address || len(l.Topics) == 0 {
			continue
		}
		switch l.Topics[0] {
		case e.topic(bindings.TicketEscrowRedeemedEventName):
			v, err := e.redeemed(l)
			if err != nil {
				return nil, nil, err
			}
			if v.Recipient == recipient {
				paid = append(paid, v)
			}
		case e.topic(bindings.TicketEscrowRunStoppedEventName):
			v, err := e.abi.UnpackRunStoppedEvent(l)
			if err != nil {
				return nil, nil, fmt.Errorf("read RunStopped event: %w", err)
			}
			if v.Recipient == recipient {
				stopped = append(stopped, RunStopped{Payer: v.Payer, Lane: v.Lane, TicketNonce: v.Nonce, Reason: Refusal(v.Reason)})
			}
		}
	}
	return paid, stopped, nil
}

func (e *Escrow) redeemed(l *types.Log) (Redeemed, error) {
	v, err := e.abi.UnpackRedeemedEvent(l)
	if err != nil {
		return Redeemed{}, fmt.Errorf("read Redeemed event: %w", err)
	}
	w, err := protocol.WeiFromBig(v.Amount)
	return Redeemed{Payer: v.Payer, Recipient: v.Recipient, Lane: v.Lane, LastNonce: v.LastNonce, Tickets: v.Tickets.Uint64(), Amount: w,
		Block: l.BlockNumber, Tx: l.TxHash}, err
}

func (e *Escrow) topic(event string) common.Hash { return e.abi.GetABI().Events[event].ID }

func (e *Escrow) logs(ctx context.Context, event string, fromBlock uint64) ([]*types.Log, error) {
	return e.find(ctx, new(big.Int).SetUint64(fromBlock), nil, [][]common.Hash{{e.topic(event)}})
}

func each[T any](logs []*types.Log, f func(*types.Log) (T, error)) ([]T, error) {
	out := make([]T, 0, len(logs))
	for _, l := range logs {
		v, err := f(l)
		if err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		out = append(out, v)
	}
	return out, nil
}

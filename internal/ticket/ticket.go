// Package ticket is the lottery ticket that pays for a segment: its value, its EIP-712 digest, its signature and its
// encodings, bit for bit as the TicketEscrow contract has them.
//
// A payer signs a Ticket with a face value and a win probability, so that its expected value is the fee. The recipient
// learns at once whether it won, from the digest and a secret of its own, and redeems winners on chain.
package ticket

import (
	"errors"
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// AlwaysWins is the win probability that is a certainty, not 1 − 2^-64.
const AlwaysWins uint64 = math.MaxUint64

// maxExpiry is the largest Unix second the contract's uint40 holds.
const maxExpiry = 1<<40 - 1

// ErrTicket is wrapped by every refusal of a ticket for what it says. Refused signatures wrap protocol.ErrSignature.
var ErrTicket = errors.New("bad ticket")

// Ticket is what a payer signs. The zero value is not valid.
type Ticket struct {
	Payer             common.Address // signer, an account with a key
	Recipient         common.Address // the only account that can redeem
	Lane              uint16         // sequence of its own inside the pair, with one nonce watermark
	TicketNonce       uint64         // from 1; strictly above the lane's watermark when it is redeemed
	FaceValue         protocol.Wei   // paid in full when it wins; 1 … 2^96−1
	WinProb           uint64         // in units of 2^-64; AlwaysWins is a certainty
	Expiry            uint64         // last Unix second, chain time, in which it pays; below 2^40
	RecipientRandHash common.Hash    // RandHash of the recipient's secret
	Salt              uint64         // unpredictable; drawn by the payer for each ticket
}

// Validate names the field that cannot be; the error wraps ErrTicket. Whether the ticket pays enough, in time and out of
// an allocation is for the recipient to judge.
func (t Ticket) Validate() error {
	switch {
	case t.Payer == common.Address{} || t.Recipient == common.Address{}:
		return fmt.Errorf("%w: payer %s and recipient %s must not be zero", ErrTicket, t.Payer, t.Recipient)
	case t.Payer == t.Recipient:
		return fmt.Errorf("%w: %s pays itself", ErrTicket, t.Payer)
	case t.TicketNonce == 0:
		return fmt.Errorf("%w: nonces begin at 1", ErrTicket)
	case t.FaceValue.IsZero() || !t.FaceValue.FitsUint96():
		return fmt.Errorf("%w: face value is %s, want 1 to 2^96-1 wei", ErrTicket, t.FaceValue)
	case t.WinProb == 0:
		return fmt.Errorf("%w: it can never win", ErrTicket)
	case t.Expiry == 0 || t.Expiry > maxExpiry:
		return fmt.Errorf("%w: expiry is %d, want Unix seconds from 1 to 2^40-1", ErrTicket, t.Expiry)
	case t.RecipientRandHash == common.Hash{}:
		return fmt.Errorf("%w: no recipient rand hash", ErrTicket)
	}
	return nil
}

// EV is the ticket's expected value in wei, rounded down.
func (t Ticket) EV() protocol.Wei { return EV(t.FaceValue, t.WinProb) }

// SameSet reports whether both tickets can stand in one run of a batch: all but nonce, win probability and salt agree.
func (t Ticket) SameSet(o Ticket) bool {
	return t.Payer == o.Payer && t.Recipient == o.Recipient && t.Lane == o.Lane && t.FaceValue == o.FaceValue &&
		t.Expiry == o.Expiry && t.RecipientRandHash == o.RecipientRandHash
}

package ticket

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kinora/kinora/internal/protocol"
)

// RunHeaderBytes and RunTicketBytes are the sizes in calldata of a run's header and of each of its tickets.
const (
	RunHeaderBytes = 85
	RunTicketBytes = 88
)

// Run is winners of one parameter set that are redeemed together. The contract pays the longest prefix it can pay in full, or
// leaves the whole run untouched when that prefix is worth less than MinPayout.
type Run struct {
	Tickets       []Signed // one set, nonces ascending; 1 to 65535 of them
	RecipientRand [32]byte // preimage of the set's RecipientRandHash; encoding it is not yet disclosing it
	MinPayout     protocol.Wei
}

// Total is the sum of face values in wei: the MinPayout that asks for all or nothing.
func (r Run) Total() protocol.Wei {
	if len(r.Tickets) == 0 {
		return protocol.Wei{}
	}
	return r.Tickets[0].FaceValue.Mul(uint64(len(r.Tickets)))
}

// EncodeRun packs r for TicketEscrow.redeemBatch, which takes any number of runs one after another. Errors wrap ErrTicket; a run
// that passes can still be refused on chain for money, time or an older watermark.
func EncodeRun(r Run) ([]byte, error) {
	if len(r.Tickets) == 0 || len(r.Tickets) > math.MaxUint16 {
		return nil, fmt.Errorf("encode run: %w: %d tickets, want 1 to %d", ErrTicket, len(r.Tickets), math.MaxUint16)
	}
	if !r.MinPayout.FitsUint96() {
		return nil, fmt.Errorf("encode run: %w: minimum payout %s is above 2^96-1 wei", ErrTicket, r.MinPayout)
	}
	first := r.Tickets[0].Ticket
	if RandHash(r.RecipientRand) != first.RecipientRandHash {
		return nil, fmt.Errorf("encode run: %w: the rand is not the preimage of %s", ErrTicket, first.RecipientRandHash)
	}

	b := make([]byte, 0, RunHeaderBytes+RunTicketBytes*len(r.Tickets))
	b = append(b, first.Payer[:]...)
	b = binary.BigEndian.AppendUint16(b, first.Lane)
	b = appendUint96(b, first.FaceValue)
	expiry := binary.BigEndian.AppendUint64(nil, first.Expiry)
	b = append(b, expiry[3:]...)
	b = append(b, r.RecipientRand[:]...)
	b = appendUint96(b, r.MinPayout)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Tickets)))

	var last uint64
	for _, s := range r.Tickets {
		if err := s.Validate(); err != nil {
			return nil, fmt.Errorf("encode run: %w", err)
		}
		if !s.SameSet(first) {
			return nil, fmt.Errorf("encode run: %w: nonce %d is of another set than nonce %d", ErrTicket, s.TicketNonce, first.TicketNonce)
		}
		if s.TicketNonce <= last {
			return nil, fmt.Errorf("encode run: %w: nonce %d after %d", ErrTicket, s.TicketNonce, last)
		}
		last = s.TicketNonce
		if v := s.Signature[64]; v != 27 && v != 28 || s.Signature[32] > 0x7f { // no compact form
			return nil, fmt.Errorf("encode run: %w: the signature of nonce %d is not one that Verify accepts", ErrTicket, s.TicketNonce)
		}
		b = append(b, s.Packed()...)
	}
	return b, nil
}

func appendUint96(b []byte, w protocol.Wei) []byte {
	word := w.Bytes32()
	return append(b, word[20:]...)
}

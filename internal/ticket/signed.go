package ticket

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Signed is a ticket with its payer's signature. A ticket is signed once: one that seems lost is sent again as the same
// bytes, since a second signature over another salt would be a second draw.
type Signed struct {
	Ticket
	Signature protocol.Signature // r ‖ s ‖ v; s in the lower half, v 27 or 28
}

// Sign validates t and signs it with the key of its payer, or a session key (protocol.OnBehalf).
func (h *Hasher) Sign(payer protocol.Signer, t Ticket) (Signed, error) {
	if err := t.Validate(); err != nil {
		return Signed{}, fmt.Errorf("sign ticket: %w", err)
	}
	if payer.Address() != t.Payer {
		return Signed{}, fmt.Errorf("sign ticket: %w: it names %s as its payer, this key is %s", ErrTicket, t.Payer, payer.Address())
	}
	sig, err := payer.SignDigest(h.Digest(t))
	if err != nil {
		return Signed{}, fmt.Errorf("sign ticket: %w", err)
	}
	return Signed{Ticket: t, Signature: sig}, nil
}

// Recover returns the account that signed s, whichever payer it names. High s and v other than 27 or 28 are refused.
func (h *Hasher) Recover(s Signed) (common.Address, error) {
	return s.Signature.Recover(h.Digest(s.Ticket))
}

// Verify checks that s is well formed and signed by its payer, and returns its digest, which Won needs. Errors wrap
// ErrTicket or protocol.ErrSignature and carry protocol.TicketInvalid.
func (h *Hasher) Verify(s Signed) (common.Hash, error) {
	if err := s.Validate(); err != nil {
		return common.Hash{}, protocol.Errorf(protocol.TicketInvalid, "%w", err)
	}
	digest := h.Digest(s.Ticket)
	if err := s.Signature.Check(digest, s.Payer); err != nil {
		return common.Hash{}, protocol.Errorf(protocol.TicketInvalid, "%w", err)
	}
	return digest, nil
}

// Signatory checks that s is well formed and returns its digest and who signed it: its payer, or a key that the payer may
// have authorised on chain. Errors are as those of Verify.
func (h *Hasher) Signatory(s Signed) (digest common.Hash, signer common.Address, err error) {
	if err := s.Validate(); err != nil {
		return common.Hash{}, common.Address{}, protocol.Errorf(protocol.TicketInvalid, "%w", err)
	}
	digest = h.Digest(s.Ticket)
	if signer, err = s.Signature.Recover(digest); err != nil {
		return common.Hash{}, common.Address{}, protocol.Errorf(protocol.TicketInvalid, "%w", err)
	}
	return digest, signer, nil
}

// Compact is the signature as the contract takes it (EIP-2098): r, and s with v−27 on top. The signature must be one that
// Verify accepts.
func (s Signed) Compact() (r, vs [32]byte) {
	copy(r[:], s.Signature[:32])
	copy(vs[:], s.Signature[32:64])
	vs[0] |= (s.Signature[64] - 27) << 7
	return r, vs
}

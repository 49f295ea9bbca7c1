package ticket

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
)

// RandHash is what a recipient shows of its secret before it redeems.
func RandHash(recipientRand [32]byte) common.Hash { return crypto.Keccak256Hash(recipientRand[:]) }

// Won reports whether the ticket with this digest wins against the recipient's secret. Signature bytes have no part in
// it, so one ticket has one draw however its signature is written.
func Won(recipientRand [32]byte, digest common.Hash, winProb uint64) bool {
	var preimage [64]byte
	copy(preimage[:32], recipientRand[:])
	copy(preimage[32:], digest[:])
	draw := crypto.Keccak256Hash(preimage[:])
	return binary.BigEndian.Uint64(draw[24:]) < winProb || winProb == AlwaysWins
}

// WinProbFor is the smallest win probability whose expected value at this face value is at least fee. A fee of zero has
// probability zero. A fee above the face value, or a face value of zero or above 2^96−1, is an error with
// protocol.FeeAboveFaceValue.
func WinProbFor(fee, faceValue protocol.Wei) (uint64, error) {
	if faceValue.IsZero() || !faceValue.FitsUint96() {
		return 0, protocol.Errorf(protocol.FeeAboveFaceValue, "face value is %s, want 1 to 2^96-1 wei", faceValue)
	}
	switch c := fee.Cmp(faceValue); {
	case c > 0:
		return 0, protocol.Errorf(protocol.FeeAboveFaceValue, "fee of %s wei is above the face value of %s wei", fee, faceValue)
	case c == 0:
		return AlwaysWins, nil
	}
	fv := faceValue.Big()
	p := new(big.Int).Lsh(fee.Big(), 64)
	p.Add(p, fv).Sub(p, common.Big1).Div(p, fv)
	if !p.IsUint64() { // a fee within 2^-64 of a face value above 2^64 wei
		return AlwaysWins, nil
	}
	return p.Uint64(), nil
}

// EV is ⌊faceValue · winProb / 2^64⌋ wei, and the face value itself at AlwaysWins.
func EV(faceValue protocol.Wei, winProb uint64) protocol.Wei {
	if winProb == AlwaysWins {
		return faceValue
	}
	product := new(big.Int).Mul(faceValue.Big(), new(big.Int).SetUint64(winProb))
	ev, err := protocol.WeiFromBig(product.Rsh(product, 64))
	if err != nil { // less than faceValue, which fits
		panic(fmt.Sprintf("ticket: EV of %s: %v", faceValue, err))
	}
	return ev
}

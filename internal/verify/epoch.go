package verify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/kinora/kinora/internal/protocol"
)

// Epoch is the secret that decides which attempts are sampled, until it is revealed. Whoever has the commitment from before
// and the secret from after can recompute every decision.
type Epoch struct{ secret [32]byte }

// NewEpoch draws a secret.
func NewEpoch() Epoch {
	var e Epoch
	_, _ = rand.Read(e.secret[:]) // never fails, says crypto/rand
	return e
}

// EpochOf is the epoch of a stored or revealed secret.
func EpochOf(secret [32]byte) Epoch { return Epoch{secret} }

// Secret is for storing and, once the epoch is over, for revealing.
func (e Epoch) Secret() [32]byte { return e.secret }

// Commitment is published when the epoch begins.
func (e Epoch) Commitment() protocol.Hash {
	return sha256.Sum256(append([]byte("kinora sampling epoch\x00"), e.secret[:]...))
}

// Sampled decides whether an attempt gets the deep check, for a share rate of all attempts. It depends on nothing the
// payee can choose: the attempt's ID is drawn by the payer.
func (e Epoch) Sampled(attempt protocol.ID, rate float64) bool {
	switch {
	case rate >= 1:
		return true
	case !(rate > 0):
		return false
	}
	mac := hmac.New(sha256.New, e.secret[:])
	mac.Write(attempt[:])
	return float64(binary.BigEndian.Uint64(mac.Sum(nil))) < rate*math.Exp2(64)
}

// String keeps the secret out of logs.
func (e Epoch) String() string { return "epoch " + e.Commitment().Short() }

// GoString keeps the secret out of logs.
func (e Epoch) GoString() string { return e.String() }

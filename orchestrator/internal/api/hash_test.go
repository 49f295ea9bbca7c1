package api_test

import (
	"crypto/sha256"
	"hash"

	"github.com/kinora/kinora/internal/protocol"
)

// hashed is the running hash of one rendition.
type hashed struct{ hash.Hash }

func newHashed() *hashed { return &hashed{sha256.New()} }

func (h *hashed) sum() protocol.Hash { return protocol.Hash(h.Sum(nil)) }

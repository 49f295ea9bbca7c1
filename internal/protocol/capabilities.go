package protocol

import (
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Capabilities is what a transcoder says of its machine. Its hash is part of every Bid, and so signed; the record itself
// travels with some of them (Bid.Record). What it says is the transcoder's word until work bears it out.
type Capabilities struct {
	Transcoder common.Address `json:"transcoder"`
	Engine     string         `json:"engine"` // the media program and its FFmpeg
	Sandbox    Sandbox        `json:"sandbox"`
}

// Sandbox is how the processes that touch media are locked in, and how that stood up to a hostile one.
type Sandbox struct {
	Layers   []string `json:"layers"`   // those that hold, sorted
	Blocked  uint32   `json:"blocked"`  // escapes that failed
	Attempts uint32   `json:"attempts"` // escapes that were tried; 0: never tested
	Report   Hash     `json:"report"`   // SHA-256 of the test's whole table
	At       uint64   `json:"at"`       // Unix time of the test
}

const (
	sandboxTypeString      = "Sandbox(string[] layers,uint32 blocked,uint32 attempts,bytes32 report,uint64 at)"
	capabilitiesTypeString = "Capabilities(address transcoder,string engine,Sandbox sandbox)" + sandboxTypeString

	maxEngine = 128
	maxLayers = 32
	maxLayer  = 32
)

var (
	sandboxType      = crypto.Keccak256Hash([]byte(sandboxTypeString))
	capabilitiesType = crypto.Keccak256Hash([]byte(capabilitiesTypeString))
)

// Tight reports whether a test found nothing that escapes.
func (s Sandbox) Tight() bool { return s.Attempts > 0 && s.Blocked == s.Attempts }

func (s Sandbox) hash() word {
	layers := make([]word, len(s.Layers))
	for i, l := range s.Layers {
		layers[i] = str(l)
	}
	return word(structHash(sandboxType, word(arrayHash(layers)), u64(uint64(s.Blocked)), u64(uint64(s.Attempts)), word(s.Report), u64(s.At)))
}

// StructHash is the EIP-712 struct hash.
func (c Capabilities) StructHash() common.Hash {
	return structHash(capabilitiesType, addr(c.Transcoder), str(c.Engine), c.Sandbox.hash())
}

// Validate names the field that cannot be.
func (c Capabilities) Validate() error {
	s := c.Sandbox
	switch {
	case c.Transcoder == common.Address{}:
		return fmt.Errorf("transcoder is the zero address")
	case len(c.Engine) > maxEngine:
		return fmt.Errorf("engine has %d bytes, at most %d", len(c.Engine), maxEngine)
	case len(s.Layers) > maxLayers || slices.ContainsFunc(s.Layers, func(l string) bool { return l == "" || len(l) > maxLayer }):
		return fmt.Errorf("layers are %d, want at most %d of 1 to %d bytes", len(s.Layers), maxLayers, maxLayer)
	case !slices.IsSorted(s.Layers) || len(slices.Compact(slices.Clone(s.Layers))) != len(s.Layers):
		return fmt.Errorf("layers are not sorted, or name one twice")
	case s.Blocked > s.Attempts:
		return fmt.Errorf("blocked is %d of %d attempts", s.Blocked, s.Attempts)
	}
	return nil
}

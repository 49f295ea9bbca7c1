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
	Owner      common.Address `json:"owner"`  // who answers for it, and for whatever else names the same; zero: itself
	Engine     string         `json:"engine"` // the media program and its FFmpeg
	Sandbox    Sandbox        `json:"sandbox"`
	Measured   Measured       `json:"measured"`
}

// Sandbox is how the processes that touch media are locked in, and how that stood up to a hostile one.
type Sandbox struct {
	Layers   []string `json:"layers"`   // those that hold, sorted
	Blocked  uint32   `json:"blocked"`  // escapes that failed
	Attempts uint32   `json:"attempts"` // escapes that were tried; 0: never tested
	Report   Hash     `json:"report"`   // SHA-256 of the test's whole table
	At       uint64   `json:"at"`       // Unix time of the test
}

// Measured is what a machine was found to do by doing it.
type Measured struct {
	Encode CodecRates `json:"encode"` // all of the machine in one codec, live, pixels a second
	Decode []string   `json:"decode"` // FFmpeg's names of what it decodes, sorted
	Method string     `json:"method"` // how: "estimate", "calibration" or "search" of live streams; empty: nothing was measured
	At     uint64     `json:"at"`     // Unix time
}

const (
	measuredTypeString     = "Measured(CodecRate[] encode,string[] decode,string method,uint64 at)"
	sandboxTypeString      = "Sandbox(string[] layers,uint32 blocked,uint32 attempts,bytes32 report,uint64 at)"
	capabilitiesTypeString = "Capabilities(address transcoder,address owner,string engine,Sandbox sandbox,Measured measured)" + codecRateTypeString + measuredTypeString + sandboxTypeString

	maxEngine = 128
	maxLayers = 32
	maxLayer  = 32
	maxDecode = 32 // codecs, and bytes of each name
)

var (
	measuredType     = crypto.Keccak256Hash([]byte(measuredTypeString + codecRateTypeString))
	sandboxType      = crypto.Keccak256Hash([]byte(sandboxTypeString))
	capabilitiesType = crypto.Keccak256Hash([]byte(capabilitiesTypeString))
)

// Tight reports whether a test found nothing that escapes.
func (s Sandbox) Tight() bool { return s.Attempts > 0 && s.Blocked == s.Attempts }

func strs(all []string) word {
	words := make([]word, len(all))
	for i, s := range all {
		words[i] = str(s)
	}
	return word(arrayHash(words))
}

func (m Measured) hash() word {
	return word(structHash(measuredType, m.Encode.hash(), strs(m.Decode), str(m.Method), u64(m.At)))
}

func (s Sandbox) hash() word {
	return word(structHash(sandboxType, strs(s.Layers), u64(uint64(s.Blocked)), u64(uint64(s.Attempts)), word(s.Report), u64(s.At)))
}

// StructHash is the EIP-712 struct hash.
func (c Capabilities) StructHash() common.Hash {
	return structHash(capabilitiesType, addr(c.Transcoder), addr(c.Owner), str(c.Engine), c.Sandbox.hash(), c.Measured.hash())
}

// Validate names the field that cannot be.
func (c Capabilities) Validate() error {
	s, m := c.Sandbox, c.Measured
	if err := m.Encode.Validate(); err != nil {
		return fmt.Errorf("measured encode: %w", err)
	}
	switch {
	case c.Transcoder == common.Address{}:
		return fmt.Errorf("transcoder is the zero address")
	case len(c.Engine) > maxEngine:
		return fmt.Errorf("engine has %d bytes, at most %d", len(c.Engine), maxEngine)
	case len(s.Layers) > maxLayers || slices.ContainsFunc(s.Layers, func(l string) bool { return l == "" || len(l) > maxLayer }):
		return fmt.Errorf("layers are %d, want at most %d of 1 to %d bytes", len(s.Layers), maxLayers, maxLayer)
	case !slices.IsSorted(s.Layers) || len(slices.Compact(slices.Clone(s.Layers))) != len(s.Layers):
		return fmt.Errorf("layers are not sorted, or name one twice")
	case len(m.Decode) > maxDecode || slices.ContainsFunc(m.Decode, func(d string) bool { return d == "" || len(d) > maxDecode }) || !slices.IsSorted(m.Decode):
		return fmt.Errorf("measured decode has %d names, want at most %d of 1 to %d bytes, sorted", len(m.Decode), maxDecode, maxDecode)
	case len(m.Method) > maxLayer:
		return fmt.Errorf("measured method has %d bytes, at most %d", len(m.Method), maxLayer)
	case s.Blocked > s.Attempts:
		return fmt.Errorf("blocked is %d of %d attempts", s.Blocked, s.Attempts)
	}
	return nil
}

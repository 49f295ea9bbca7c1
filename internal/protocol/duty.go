package protocol

import (
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// DutyState is where a transcoder stands between full duty and its end. Frozen.
type DutyState string

// The states, in the order in which they follow.
const (
	DutyReady       DutyState = "ready"
	DutyCordoned    DutyState = "cordoned"     // takes no new leases
	DutyDraining    DutyState = "draining"     // serves those it holds, which may end by themselves
	DutyHandingOver DutyState = "handing-over" // those still held are to be moved, each at a segment's boundary
	DutyDrained     DutyState = "drained"      // holds none
	DutyStopped     DutyState = "stopped"
)

// Taking reports whether new leases are taken.
func (s DutyState) Taking() bool { return s == "" || s == DutyReady }

// Leaving reports that what is still held is to be moved elsewhere.
func (s DutyState) Leaving() bool {
	return s == DutyHandingOver || s == DutyDrained || s == DutyStopped
}

// DutyReason is why a transcoder leaves. Frozen.
type DutyReason string

// The reasons.
const (
	ForUpgrade     DutyReason = "upgrade"
	ForMaintenance DutyReason = "maintenance"
	ForHeat        DutyReason = "heat"
	ForUser        DutyReason = "user"
	ForPrice       DutyReason = "price"
	ForFault       DutyReason = "fault"
)

// DutyReasons are all of them.
var DutyReasons = []DutyReason{ForUpgrade, ForMaintenance, ForHeat, ForUser, ForPrice, ForFault}

// Known reports a reason that there is.
func (r DutyReason) Known() bool { return slices.Contains(DutyReasons, r) }

// Times of a Duty.
const (
	DutyFor     = 5 * time.Second     // a state that is not said again counts no longer
	MaxWindowIn = 90 * 24 * time.Hour // maintenance is announced at most so far ahead
	MaxWindow   = 7 * 24 * time.Hour  // and lasts at most so long
)

// Duty is a transcoder's word on whether it takes work, said again with every bid while it does not or has maintenance
// ahead: so orchestrators move its leases before it goes, and nothing counts against it.
type Duty struct {
	Transcoder     common.Address `json:"transcoder"`
	State          DutyState      `json:"state"`
	Reason         DutyReason     `json:"reason,omitempty"`      // why it is not ready
	Leases         uint32         `json:"leases"`                // still held
	DeadlineMillis uint64         `json:"deadline_ms,omitempty"` // until those are cut off
	// The next window of announced maintenance: how far ahead it begins (0: it has), how much of it is left (0: there is none).
	WindowInMillis uint64     `json:"window_in_ms,omitempty"`
	WindowMillis   uint64     `json:"window_ms,omitempty"`
	WindowReason   DutyReason `json:"window_reason,omitempty"`
	Sequence       uint64     `json:"sequence"` // as a Bid's
}

var dutyType = crypto.Keccak256Hash([]byte("Duty(address transcoder,string state,string reason,uint32 leases,uint64 deadlineMillis," +
	"uint64 windowInMillis,uint64 windowMillis,string windowReason,uint64 sequence)"))

// StructHash is the EIP-712 struct hash.
func (d Duty) StructHash() common.Hash {
	return structHash(dutyType, addr(d.Transcoder), str(string(d.State)), str(string(d.Reason)), u64(uint64(d.Leases)), u64(d.DeadlineMillis),
		u64(d.WindowInMillis), u64(d.WindowMillis), str(string(d.WindowReason)), u64(d.Sequence))
}

// SignedBy is the transcoder.
func (d Duty) SignedBy() common.Address { return d.Transcoder }

// Validate names the field that cannot be.
func (d Duty) Validate() error {
	switch {
	case d.Transcoder == common.Address{}:
		return fmt.Errorf("transcoder is the zero address")
	case !slices.Contains([]DutyState{DutyReady, DutyCordoned, DutyDraining, DutyHandingOver, DutyDrained, DutyStopped}, d.State):
		return fmt.Errorf("state %.20q is unknown", d.State)
	case (d.State == DutyReady) != (d.Reason == ""), d.Reason != "" && !d.Reason.Known():
		return fmt.Errorf("reason %.20q does not go with state %s", d.Reason, d.State)
	case (d.WindowMillis == 0) != (d.WindowReason == ""), d.WindowReason != "" && !d.WindowReason.Known():
		return fmt.Errorf("window_reason %.20q does not go with a window of %d ms", d.WindowReason, d.WindowMillis)
	case d.WindowMillis > uint64(MaxWindow.Milliseconds()) || d.WindowInMillis > uint64(MaxWindowIn.Milliseconds()):
		return fmt.Errorf("a window of %d ms in %d ms, at most %s and %s", d.WindowMillis, d.WindowInMillis, MaxWindow, MaxWindowIn)
	case d.DeadlineMillis > uint64(MaxWindowIn.Milliseconds()):
		return fmt.Errorf("deadline_ms is %d, at most %d", d.DeadlineMillis, MaxWindowIn.Milliseconds())
	case d.Sequence == 0:
		return fmt.Errorf("sequence is 0")
	}
	return nil
}

// DutySubjects are where transcoders say that they leave, or will.
const DutySubjects = "kinora.v1.duty.*"

// DutySubject is where t publishes its Duty.
func DutySubject(t common.Address) string { return "kinora.v1.duty." + t.Hex() }

// A transcoder's own: its Duty changed; Detail is the state, and why. An orchestrator's: a lease has gone to another holder,
// the Counterparty being the old one; the operator took a transcoder out, or let it in again.
const (
	DutyChanged           EventKind = "duty_changed"
	LeaseHandedOver       EventKind = "lease_handed_over"
	TranscoderQuarantined EventKind = "transcoder_quarantined"
	TranscoderReleased    EventKind = "transcoder_released"
)

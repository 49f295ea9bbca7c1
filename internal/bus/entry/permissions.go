package entry

import (
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Permissions are the subjects on which a participant may speak and listen; everything else is denied.
type Permissions struct {
	Publish   []string
	Subscribe []string
}

// Each request that a participant received may be answered once, within this time.
const (
	Answers    = 1
	AnswerTime = time.Minute
)

// MaxSubscriptions bounds those of one connection: a server remembers them all.
const MaxSubscriptions = 4096

// PermissionsOf is the one place that says what a role may do on the bus. Bids are sealed by it: a transcoder hears nothing that
// another one says, and replies go to inboxes that their owners alone can read.
func PermissionsOf(role protocol.Role, self common.Address) Permissions {
	switch role {
	case protocol.RoleTranscoder:
		return Permissions{
			Publish: []string{protocol.BidSubject(self), protocol.DutySubject(self), protocol.EventSubject(self), everybody(protocol.RelaySubject)},
			Subscribe: []string{protocol.AwardSubject(self), protocol.LeaseSubject(self), protocol.ParamsSubject(self), protocol.TicketsSubject(self),
				protocol.CommitmentSubjects, protocol.RequestSubjects, InboxPrefix(self) + ".>"},
		}
	case protocol.RoleOrchestrator:
		return Permissions{
			Publish: []string{everybody(protocol.AwardSubject), everybody(protocol.LeaseSubject), everybody(protocol.ParamsSubject), everybody(protocol.TicketsSubject),
				protocol.EventSubject(self), protocol.CommitmentSubject(self), protocol.RequestSubject(self)},
			Subscribe: []string{protocol.BidSubjects, protocol.DutySubjects, protocol.EventSubjects, protocol.CommitmentSubjects, protocol.RelaySubject(self), InboxPrefix(self) + ".>"},
		}
	}
	return Permissions{Publish: []string{nowhere}, Subscribe: []string{nowhere}} // to NATS an empty list is no bound
}

// permissionsOfOwed are those of a transcoder that is paid for what it did, and does no more.
func permissionsOfOwed(self common.Address) Permissions {
	return Permissions{Publish: []string{everybody(protocol.RelaySubject)}, Subscribe: []string{protocol.TicketsSubject(self), InboxPrefix(self) + ".>"}}
}

const nowhere = "kinora.v1.nowhere"

// InboxPrefix is where the answers to a participant's requests go.
func InboxPrefix(self common.Address) string { return "_INBOX." + self.Hex() }

// everybody is a subject with a wildcard in the place of its participant.
func everybody(subject func(common.Address) string) string {
	s := subject(common.Address{})
	return s[:len(s)-len(common.Address{}.Hex())] + "*"
}

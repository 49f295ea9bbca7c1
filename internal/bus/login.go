package bus

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/protocol"
)

// Identity is who a connection is.
type Identity struct {
	Signer    protocol.Signer
	Domain    protocol.Domain
	Role      protocol.Role
	JoinToken string // for a market that does not know it yet; empty: none

	unasked bool // the server does not want to know
}

// NKey is a user of the NATS server's own configuration.
type NKey struct {
	Public string
	Sign   func(nonce []byte) ([]byte, error)
	Inbox  string // prefix of its inboxes
}

// options let a connection log in each time it connects, and listen for answers where nobody else may. market is whose NATS it means
// to enter; zero: it was not told.
func (id Identity) options(market common.Address) []nats.Option {
	login := protocol.Login{Participant: id.Signer.Address(), Role: id.Role, Market: market}
	meant := ""
	if market != (common.Address{}) {
		meant = market.Hex()
	}
	sign := func(nonce []byte) ([]byte, error) {
		signed := login
		signed.Nonce = string(nonce)
		sealed, err := protocol.Seal(id.Domain, id.Signer, signed)
		return sealed.Signature[:], err
	}
	options := []nats.Option{nats.CustomInboxPrefix(entry.InboxPrefix(login.Participant))}
	if id.unasked {
		return options
	}
	// The fields of NATS for a key, a user and a password carry the login; the one for a key brings a signature of the nonce with it.
	options = append(options, nats.Nkey(login.Participant.Hex(), sign), nats.UserInfo(string(login.Role), meant))
	if id.JoinToken != "" {
		options = append(options, nats.TokenHandler(func() string { return id.JoinToken })) // a field that servers keep out of their logs
	}
	return options
}

// How long one that was refused waits before it tries again, at first and at the longest: who was let go must not hammer at the door,
// and who is taken back need not be started anew.
const (
	refusedWait    = 3 * time.Second
	refusedLongest = 30 * time.Second
)

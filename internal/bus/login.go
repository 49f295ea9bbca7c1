package bus

import (
	"errors"
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

// options let a connection log in each time it connects, and listen for answers where nobody else may.
func (id Identity) options(market common.Address) []nats.Option {
	options := []nats.Option{nats.CustomInboxPrefix(entry.InboxPrefix(id.Signer.Address()))}
	if id.unasked {
		return options
	}
	return append(options, id.login(market))
}

// login sets the fields of a login. market is whose NATS it means to enter; zero: it was not told.
func (id Identity) login(market common.Address) nats.Option {
	login := protocol.Login{Participant: id.Signer.Address(), Role: id.Role, Market: market}
	// The fields of NATS for a key, a user and a password carry the login; the one for a key brings a signature of the nonce with it.
	return func(o *nats.Options) error {
		o.Nkey, o.User, o.Password = login.Participant.Hex(), string(login.Role), ""
		if market != (common.Address{}) {
			o.Password = market.Hex()
		}
		o.SignatureCB = func(nonce []byte) ([]byte, error) {
			signed := login
			signed.Nonce = string(nonce)
			sealed, err := protocol.Seal(id.Domain, id.Signer, signed)
			return sealed.Signature[:], err
		}
		if id.JoinToken != "" {
			o.TokenHandler = func() string { return id.JoinToken } // a field that servers keep out of their logs
		}
		return nil
	}
}

// noLogin takes them back.
func noLogin(o *nats.Options) {
	o.Nkey, o.User, o.Password, o.SignatureCB, o.TokenHandler = "", "", "", nil, nil
}

// reconsider changes whether a connection logs in, if the server that it connects to again asks otherwise than the one before. The
// goroutine that asks how long to wait is the one that connects, and it alone reads these options.
func (b *Bus) reconsider(conn *nats.Conn, opts Options, market common.Address, err error) bool {
	switch {
	case opts.Identity == nil || opts.Credentials != "" || opts.NKey != nil:
		return false
	case errors.Is(err, nats.ErrNkeysNotSupported):
		b.unasked(redact(conn.Opts.Url))
		noLogin(&conn.Opts)
		return true
	case Refused(err) && conn.Opts.Nkey == "":
		b.log.Info("NATS now asks who its clients are: logging in", "server", redact(conn.Opts.Url))
		_ = opts.Identity.login(market)(&conn.Opts) // which never fails
		return true
	}
	return false
}

func (b *Bus) unasked(server string) {
	b.log.Warn("NATS does not ask who its clients are: unless it knows them otherwise, anybody there may read the bids", "server", server)
}

// How long one that was refused waits before it tries again, at first and at the longest: who was let go must not hammer at the door,
// and who is taken back need not be started anew.
const (
	refusedWait    = 3 * time.Second
	refusedLongest = 30 * time.Second
)

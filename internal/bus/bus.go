// Package bus is the door to NATS: it carries the market's messages between orchestrators and transcoders, and every
// role's events. It validates and bounds what arrives; signatures are checked by whoever acts on a message.
package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// Limits of one connection.
const (
	// RequestTimeout bounds a request whose context has no deadline.
	RequestTimeout = 2 * time.Second
	// MaxTickets bounds one delivery of tickets and its answer, in bytes.
	MaxTickets = 512 << 10

	maxHandlers     = 64       // requests in progress per served subject; more are refused as unavailable
	maxPending      = 65_536   // messages waiting per subscription; more are dropped and counted
	maxPendingBytes = 64 << 20 // their bytes
	drainTimeout    = 5 * time.Second
	reconnectWait   = 250 * time.Millisecond
	connectTimeout  = 5 * time.Second // a login may wait for the orchestrator's database
	pingInterval    = 5 * time.Second // a peer that vanished without a word is noticed after two of them
)

// Options say how to connect.
type Options struct {
	Name        string          // shown by the server beside the connection
	Identity    *Identity       // who this is; nil: nobody in particular, where the server asks nobody
	NKey        *NKey           // takes the place of the identity, for the callout
	Trust       *passport.Trust // of servers that are known by their identity; nil: a new one, of the identity's market
	Cleartext   bool            // may pass between machines
	Credentials string          // path of a NATS .creds file, which then takes the place of the identity; empty: none, or those in the URL
	Log         *slog.Logger
}

// Bus is one connection to NATS. Its methods may be called from several goroutines at once.
type Bus struct {
	conn   *nats.Conn
	log    *slog.Logger
	ctx    context.Context // of handlers; ends with Close
	cancel context.CancelFunc
	closed chan struct{} // closed when the connection is closed for good

	dropped atomic.Uint64
	trouble entry.Sparing  // one that is let in only to be paid is told so with each bid
	serving sync.WaitGroup // handlers in progress
}

// Dial connects to the server at rawURL (nats://host:port or tls://host:port; several separated by commas; with the ADDRESS@ of its
// identity before it, nobody else is taken for it) and returns once it is connected. It goes on trying until ctx ends, then fails
// with Unreachable, or Unauthorized if one side was not what the other takes. A connection that is lost later is sought for ever;
// meanwhile requests and publications fail with Unreachable: what is late on a market is worth nothing.
func Dial(ctx context.Context, rawURL string, opts Options) (*Bus, error) {
	b := &Bus{log: opts.Log, closed: make(chan struct{})}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	at, err := passport.ParseEndpoint(rawURL)
	if err != nil {
		return nil, protocol.Errorf(protocol.BadRequest, "NATS at %s: %w", redact(rawURL), err)
	}
	if !opts.Cleartext {
		if err := passport.CheckClear(at.URL); err != nil {
			return nil, protocol.Errorf(protocol.BadRequest, "NATS: %w", err)
		}
	}
	server := redact(at.URL)
	if opts.Identity != nil && opts.Identity.JoinToken != "" && passport.CheckClear(at.URL) != nil {
		return nil, protocol.Errorf(protocol.BadRequest, "a join token would go to NATS at %s in the clear: use tls://", server)
	}
	b.ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	shake := newHandshake(at, opts)
	shut := false // it was said that this one is not let in
	for first := true; ; first = false {
		patience := connectTimeout
		if end, ok := ctx.Deadline(); ok {
			patience = max(time.Millisecond, min(patience, time.Until(end)))
		}
		conn, err := nats.Connect(at.URL, append(b.options(opts, at, shake), nats.Timeout(patience))...)
		if err == nil {
			b.conn = conn
			return b, nil
		}
		if errors.Is(err, nats.ErrNkeysNotSupported) && opts.Identity != nil && !opts.Identity.unasked {
			b.unasked(server)
			unasked := *opts.Identity
			unasked.unasked = true
			opts.Identity = &unasked
			continue
		}
		lesson, err := shake.learn(err)
		if lesson != passport.Refuse && ctx.Err() == nil {
			shake.authorities = lesson == passport.AskAuthorities
			continue
		}
		if wrongServer(err) {
			b.cancel()
			return nil, protocol.Errorf(protocol.Unauthorized, "NATS at %s: %w", server, err)
		}
		wait := reconnectWait
		if Refused(err) {
			wait = refusedWait
		}
		if first || Refused(err) && !shut {
			shut = Refused(err)
			b.log.Info("no connection to NATS yet; trying again", "server", server, "err", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			b.cancel()
			if Refused(err) {
				return nil, protocol.Errorf(protocol.Unauthorized, "NATS at %s does not let %s in: %w", server, opts.who(), err)
			}
			return nil, protocol.Errorf(protocol.Unreachable, "connect to NATS at %s (start a server there, or give another --nats): %w", server, err)
		}
	}
}

// options are those of every connection that b makes.
func (b *Bus) options(opts Options, at passport.Endpoint, shake *handshake) []nats.Option {
	var connected atomic.Pointer[nats.Conn] // whose last error says how long to wait
	server := redact(at.URL)
	options := []nats.Option{
		shake.option,
		nats.Name(opts.Name),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // who is refused today, be it for want of a database, may be let in tomorrow
		nats.CustomReconnectDelay(func(attempts int) time.Duration {
			wait := reconnectWait
			if conn := connected.Load(); conn != nil {
				lesson, err := shake.learn(conn.LastError())
				switch {
				case lesson == passport.Again:
					return 0
				case b.reconsider(conn, opts, at.Identity, err):
					return wait
				case Refused(err):
					wait = refusedAgain(attempts)
				}
			}
			return wait + rand.N(wait/2)
		}),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(pingInterval),
		nats.DrainTimeout(drainTimeout),
		nats.ConnectHandler(func(conn *nats.Conn) { connected.Store(conn) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("connection to NATS lost; trying again", "server", server, "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { b.log.Info("connected to NATS again", "server", server) }),
		nats.ClosedHandler(func(*nats.Conn) { close(b.closed) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			if errors.Is(err, nats.ErrSlowConsumer) {
				b.dropped.Add(1)
			}
			b.trouble.Log(b.log, slog.LevelWarn, "NATS", "err", err, "subject", subject)
		}),
	}
	if !shake.wanted && (!opts.Cleartext || opts.Identity != nil && opts.Identity.JoinToken != "") {
		options = append(options, nats.IgnoreDiscoveredServers()) // of its cluster, that it names itself: they may be other machines, and would be talked to in the clear
	}
	switch {
	case opts.Credentials != "":
		options = append(options, nats.UserCredentials(opts.Credentials))
	case opts.NKey != nil:
		options = append(options, nats.Nkey(opts.NKey.Public, opts.NKey.Sign), nats.CustomInboxPrefix(opts.NKey.Inbox))
	case opts.Identity != nil:
		options = append(options, opts.Identity.options(at.Identity)...)
	}
	return options
}

// who is what a connection says it is, for errors.
func (o Options) who() string {
	switch {
	case o.Credentials != "":
		return "the owner of " + o.Credentials
	case o.NKey != nil:
		return "NATS user " + o.NKey.Public
	case o.Identity != nil:
		return fmt.Sprintf("%s %s", o.Identity.Role, o.Identity.Signer.Address())
	}
	return "one without an identity"
}

// wrongServer reports that whoever answered is not who was meant; trying again would not change that.
func wrongServer(err error) bool {
	var unverified *tls.CertificateVerificationError
	return errors.As(err, &unverified) || errors.Is(err, nats.ErrSecureConnWanted) || protocol.CodeOf(err) == protocol.Unauthorized
}

// refusedAgain is how long one waits that is refused time and again.
func refusedAgain(attempts int) time.Duration {
	return min(refusedWait<<min(max(attempts-1, 0), 8), refusedLongest)
}

// Refused reports that the server answered, and said no.
func Refused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked)
}

// redact keeps credentials out of logs and errors.
func redact(rawURL string) string {
	var shown []string
	for _, s := range strings.Split(rawURL, ",") {
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil {
			return "the given URL"
		}
		u.User = nil
		shown = append(shown, u.String())
	}
	return strings.Join(shown, ",")
}

// Conn is the connection itself, for the packages below this one.
func (b *Bus) Conn() *nats.Conn { return b.conn }

// Connected reports whether the server can be reached now.
func (b *Bus) Connected() bool { return b.conn.IsConnected() }

// Dropped counts messages that arrived but could not be what their subject promises, or came faster than they were taken.
func (b *Bus) Dropped() uint64 { return b.dropped.Load() }

// Flush returns once the server has processed everything published and subscribed so far.
func (b *Bus) Flush(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return unreachable("flush", err)
	}
	return nil
}

// Close takes no new messages, lets handlers in progress answer (bounded by some seconds), then disconnects.
func (b *Bus) Close() error {
	err := b.conn.Drain()
	if err != nil { // not connected: nobody can be answered
		b.conn.Close()
	}
	served := make(chan struct{})
	go func() {
		<-b.closed
		b.cancel()
		b.serving.Wait()
		close(served)
	}()
	select {
	case <-served:
	case <-time.After(2 * drainTimeout):
		b.conn.Close()
		return fmt.Errorf("close the bus: handlers still run after %s", 2*drainTimeout)
	}
	return nil
}

// subscribe delivers messages of subject in order until ctx or the Bus ends.
func (b *Bus) subscribe(ctx context.Context, subject string, take func(*nats.Msg)) error {
	return b.subscribeAmong(ctx, subject, "", take)
}

// subscribeAmong is subscribe; of those of one queue, if it has a name, one gets each message.
func (b *Bus) subscribeAmong(ctx context.Context, subject, queue string, take func(*nats.Msg)) error {
	sub, err := b.conn.QueueSubscribe(subject, queue, take)
	if err != nil {
		return unreachable("subscribe to "+subject, err)
	}
	if err := sub.SetPendingLimits(maxPending, maxPendingBytes); err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() }) // fails only when it has ended
	return b.Flush(ctx)
}

func (b *Bus) drop(m *nats.Msg, err error) {
	b.dropped.Add(1)
	b.log.Debug("bus message dropped", "subject", m.Subject, "bytes", len(m.Data), "err", err)
}

func (b *Bus) publish(subject string, data []byte) error {
	if err := b.conn.Publish(subject, data); err != nil {
		return unreachable("publish on "+subject, err)
	}
	return nil
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, RequestTimeout)
}

func unreachable(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return protocol.Errorf(protocol.Cancelled, "%s: %w", what, err)
	}
	return protocol.Errorf(protocol.Unreachable, "%s: %w", what, err)
}

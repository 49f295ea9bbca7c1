package orchestrator

import (
	"context"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// Exchange is an orchestrator's NATS, at work until its end.
type Exchange struct {
	Bus *bus.Bus
	At  string
	End func() error
}

// OpenExchange opens an orchestrator's NATS as Run does.
func OpenExchange(ctx context.Context, c Config, signer protocol.Signer, domain protocol.Domain, log *slog.Logger) (*Exchange, error) {
	var open closers
	db, err := store.Open(ctx, c.DatabaseURL)
	if err != nil {
		return nil, err
	}
	open.add(func() error { db.Close(); return nil })
	secure, err := passport.NewIssuer(domain, signer, log)
	if err != nil {
		return nil, err
	}
	x, err := openExchange(ctx, exchangeConfig{c, signer, domain, db, secure, log}, &open)
	if err != nil {
		_ = open.close()
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	if x.expel != nil {
		go func() { done <- x.watch(life) }()
		open.add(func() error { stop(); return <-done })
	} else {
		open.add(func() error { stop(); return nil })
	}
	return &Exchange{x.Bus, x.at, open.close}, nil
}

// WatchRevoked cuts whoever is revoked by expel, until ctx ends.
func WatchRevoked(ctx context.Context, databaseURL string, expel func(context.Context, common.Address) error) error {
	db, err := store.Open(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	return (&exchange{store: db, expel: expel, log: slog.New(slog.DiscardHandler)}).watch(ctx)
}

// MaxAdmitting bounds Guests.
const MaxAdmitting = maxAdmitting

// Guests admits to an open market those that admit does.
func Guests(admit func(common.Address) error) entry.Guests {
	return newGuests(admitFunc(admit), nil, true)
}

type admitFunc func(common.Address) error

func (f admitFunc) Admit(_ context.Context, who common.Address, _ *[32]byte, _ bool) error {
	return f(who)
}

// Revoked is how the database refuses one that was revoked so long ago.
func Revoked(who common.Address, ago time.Duration) error {
	return protocol.Errorf(protocol.Unauthorized, "%w", &store.RevokedError{Transcoder: who, Ago: ago})
}

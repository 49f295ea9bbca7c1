package transcoder

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/transcoder/internal/store"
)

// Tickets are what a transcoder keeps of its tickets in a data folder.
type Tickets struct {
	payment.Store
	open closers
}

// Close ends the use of the folder.
func (t *Tickets) Close() error { return t.open.close() }

// LookAtTickets opens those of a folder to be read only. A transcoder may be using it.
func LookAtTickets(dir string) (*Tickets, error) {
	disk, err := store.Look(dir)
	if err != nil {
		return nil, err
	}
	t := &Tickets{Store: litestore.New(disk.DB())}
	t.open.add(disk.Close)
	return t, nil
}

// TakeTickets opens those of a folder that no transcoder uses, and keeps transcoders off it until Close.
func TakeTickets(ctx context.Context, dir string) (_ *Tickets, err error) {
	if _, err := os.Stat(dir); err != nil { // a mistyped name is not made a folder
		return nil, fmt.Errorf("--data: %w", err)
	}
	t := &Tickets{}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	t.open.add(unlock)
	disk, err := store.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	t.open.add(disk.Close)
	t.Store = litestore.New(disk.DB())
	return t, nil
}

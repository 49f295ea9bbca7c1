package pgstore

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/kinora/kinora/internal/protocol"
)

// Explain gives an error that says that the database is away, or going, the code Unavailable: the same may work in a moment,
// whether or not this time it did. What has a code keeps it, and every other error is as it was. The answer to a stranger
// does not name the database.
func Explain(err error) error {
	var typed *protocol.Error
	if err == nil || errors.As(err, &typed) || !away(err) {
		return err
	}
	return &protocol.Error{Code: protocol.Unavailable, Detail: "the database does not answer; try again in a moment", Err: err}
}

// away tells by the kind of error; what Postgres says itself, by its SQLSTATE.
func away(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "57P01", "57P02", "57P03", "53300", "25006": // shuts down, crashed, starts, is full, is a standby
			return true
		}
		return strings.HasPrefix(said.Code, "08") // connection exceptions
	}
	var unconnected *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &unconnected) || errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err) {
		return true
	}
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return false
}

// Patiently does what asks the database until it answers, or ctx ends, which also gives the last error. What is done must
// bear being done again: a commit may have been made though its answer was lost.
func Patiently(ctx context.Context, do func() error) error {
	for pause := 25 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		err := Explain(do())
		if protocol.CodeOf(err) != protocol.Unavailable || err == nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

package ingest

import (
	"context"
	"io"
)

// remuxed is a body carried into an MPEG-TS while it arrives: from there on every segment is one.
type remuxed struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
}

func (h *Handler) remuxed(ctx context.Context, body io.Reader) *remuxed {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	m := &remuxed{PipeReader: r, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		err := h.remux(ctx, body, func(p []byte) error {
			_, err := w.Write(p)
			return err
		})
		w.CloseWithError(err) // io.EOF where there is none
	}()
	return m
}

// close ends it and waits until nothing reads the body any more.
func (m *remuxed) close() {
	m.cancel()
	_ = m.PipeReader.Close()
	<-m.done
}

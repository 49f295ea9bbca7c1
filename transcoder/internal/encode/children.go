package encode

import (
	"context"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Children is the Encoder that gives each lease kinora-media children of its own, warm spares where there are some.
type Children struct {
	Pool *media.Pool
	// Hardware chooses the device for a ladder, nil for none; release gives back what that takes. A nil Hardware chooses none.
	Hardware func(ladder protocol.Ladder) (on *media.Hardware, release func())
}

// Open takes a child.
func (c Children) Open(ctx context.Context, ladder protocol.Ladder) (Session, error) {
	s := &childSession{release: func() {}}
	var on *media.Hardware
	if c.Hardware != nil {
		on, s.release = c.Hardware(ladder)
	}
	session, err := c.Pool.NewSessionOn(ctx, on)
	if err != nil {
		s.release()
		return nil, err
	}
	s.Session, s.hardware = session, on != nil
	return s, nil
}

type childSession struct {
	*media.Session
	release  func()
	hardware bool
}

func (s *childSession) Encode(ctx context.Context, job media.Job) (*media.Result, error) {
	result, err := s.Transcode(ctx, job)
	if err == nil && s.hardware {
		result.CPU = 0 // it says nothing of how busy a device is
	}
	return result, err
}

func (s *childSession) Close() error {
	defer s.release()
	return s.Session.Close()
}

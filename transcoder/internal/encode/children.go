package encode

import (
	"context"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Children is the Encoder that gives each lease kinora-media children of its own, warm spares where there are some.
type Children struct{ Pool *media.Pool }

// Open takes a child.
func (c Children) Open(ctx context.Context, _ protocol.Ladder) (Session, error) {
	session, err := c.Pool.NewSession(ctx)
	if err != nil {
		return nil, err
	}
	return childSession{session}, nil
}

type childSession struct{ *media.Session }

func (s childSession) Encode(ctx context.Context, job media.Job) (*media.Result, error) {
	return s.Transcode(ctx, job)
}

package encode

import (
	"context"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Children is the Encoder that gives each lease a kinora-media child of its own, a warm spare where there is one.
type Children struct{ Pool *media.Pool }

// Open takes a child.
func (c Children) Open(ctx context.Context, _ protocol.Ladder) (Session, error) {
	child, err := c.Pool.Get(ctx)
	if err != nil {
		return nil, err
	}
	return childSession{child}, nil
}

type childSession struct{ *media.Child }

func (s childSession) Encode(ctx context.Context, job media.Job) (*media.Result, error) {
	return s.Transcode(ctx, job)
}

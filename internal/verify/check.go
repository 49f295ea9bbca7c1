package verify

import (
	"context"

	"github.com/kinora/kinora/internal/protocol"
)

// Check judges one attempt: the renditions one transcoder returned. Write, Finish and Cancel are for one goroutine at a time.
type Check struct {
	ctx  context.Context
	src  *Source
	spec Spec
}

// Begin starts the check of one attempt. ctx bounds all of it.
func Begin(ctx context.Context, src *Source, spec Spec) *Check {
	return &Check{ctx: ctx, src: src, spec: spec}
}

// Write takes the next bytes of one rendition, by its index in the ladder. It fails with VerificationFailed as soon as
// nothing can make the output pass any more; Finish then says the same.
func (c *Check) Write(rendition int, p []byte) error { return nil }

// Finish waits for the source's end and returns the verdict on what was written and what the receipt says of it.
// assignment must be the one this side signed or whose signature it checked.
func (c *Check) Finish(ctx context.Context, assignment protocol.Assignment, receipt protocol.Signed[protocol.Receipt], d protocol.Domain) Verdict {
	return Verdict{Inconclusive: true, Layers: L0, Code: protocol.Internal, Detail: "not built yet"}
}

// Cancel ends a check whose verdict nobody needs. After Finish it does nothing.
func (c *Check) Cancel() {}

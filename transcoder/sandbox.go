package transcoder

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// SandboxTest lets hostile programs try to break out of the jail that kinora-media runs in. Of c it needs MediaChild where that is
// not the default, and Keystore, a key file or the folder of some, where there is one to protect.
func SandboxTest(ctx context.Context, c Config) (media.Sandbox, error) {
	keys := c.Keystore
	if st, err := os.Stat(keys); err == nil && !st.IsDir() {
		keys = filepath.Dir(keys)
	}
	return media.SandboxTest(ctx, media.Options{Path: c.MediaChild, Log: slog.New(slog.DiscardHandler)}, keys)
}

// lockedIn tries the jail out and tells what came of it. One that lets something out is for the owner to see first.
func lockedIn(ctx context.Context, c Config, said *record, log *slog.Logger) error {
	s, err := SandboxTest(ctx, c)
	if err != nil {
		if ctx.Err() == nil {
			log.Warn("the jail around media could not be tested; this transcoder does not say that it holds", "err", err)
		}
		return nil
	}
	for _, e := range s.Passed() {
		log.Error("a hostile media child can get out of its jail", "attempt", e.Name, "what", e.What, "detail", e.Detail)
	}
	log.Info("the jail around media was tested", "blocked", len(s.Escapes)-len(s.Passed()), "attempts", len(s.Escapes), "layers", s.Layers)
	said.change(func(c *protocol.Capabilities) {
		c.Engine, c.Sandbox = s.Engine, protocol.Sandbox{Layers: s.Layers, Blocked: uint32(len(s.Escapes) - len(s.Passed())), Attempts: uint32(len(s.Escapes)),
			Report: s.Hash(), At: uint64(s.At.Unix())}
	})
	return nil
}

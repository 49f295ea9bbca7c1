package transcoder

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"

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

// capabilities is what self says of its machine after that test.
func capabilities(self common.Address, s media.Sandbox) protocol.Capabilities {
	return protocol.Capabilities{Transcoder: self, Engine: s.Engine, Sandbox: protocol.Sandbox{Layers: s.Layers,
		Blocked: uint32(len(s.Escapes) - len(s.Passed())), Attempts: uint32(len(s.Escapes)), Report: s.Hash(), At: uint64(s.At.Unix())}}
}

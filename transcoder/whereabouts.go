package transcoder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// addressFile is where a running transcoder notes where its status is served, for the commands that speak to it.
const addressFile = "status-address"

// remember notes addr in the data folder; forget takes the note away again.
func remember(dir, addr string) (forget func() error, err error) {
	path := filepath.Join(dir, addressFile)
	if err := os.WriteFile(path, []byte(addr+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	return func() error {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}, nil
}

// Whereabouts is where the transcoder that uses the data folder dir serves its status, as host:port.
func Whereabouts(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, addressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no transcoder runs on %s (another --data, or --at with the address of its --http)", dir)
	}
	if err != nil {
		return "", fmt.Errorf("find the transcoder: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

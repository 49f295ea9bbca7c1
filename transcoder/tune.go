package transcoder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/transcoder/internal/devices"
	"github.com/kinora/kinora/transcoder/internal/encode"
)

// Tuning is what a machine can do.
type Tuning struct {
	Calibration devices.Calibration `json:"calibration"`
	Devices     []devices.Device    `json:"devices"`
}

// Tune measures this machine anew, keeps the result in c.Data for the next Run, and returns it. Of c it needs Data, and
// MediaChild or Encoder where they are not the default.
func Tune(ctx context.Context, c Config) (Tuning, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return Tuning{}, fmt.Errorf("data: %w", err)
	}
	engine, err := openEngine(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return Tuning{}, err
	}
	defer engine.close()
	calibration, err := engine.calibrate(ctx, c.Data)
	if err != nil {
		return Tuning{}, err
	}
	return Tuning{Calibration: calibration, Devices: devices.Probe("/").Devices}, nil
}

// Check is one finding of a SelfTest.
type Check struct {
	Name string `json:"name"`
	Note string `json:"note,omitempty"` // what was found
	Err  string `json:"error,omitempty"`
}

// SelfTest tries what a Run needs of this machine, without the market: the data folder, the account, the encoder, which
// encodes a sample. The error is nil when every Check passed.
func SelfTest(ctx context.Context, c Config) ([]Check, error) {
	var checks []Check
	var failed error
	check := func(name string, try func() (note string, err error)) {
		note, err := try()
		result := Check{Name: name, Note: note}
		if err != nil {
			result.Err = err.Error()
			failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
		}
		checks = append(checks, result)
	}
	check("data", func() (string, error) { return c.Data, writable(c.Data) })
	if c.Keystore != "" {
		check("account", func() (string, error) {
			signer, err := identity.Load(c.Keystore, c.PasswordFile)
			if err != nil {
				return "", err
			}
			return signer.Address().Hex(), nil
		})
	}
	check("encoder", func() (string, error) {
		engine, err := openEngine(c, slog.New(slog.DiscardHandler))
		if err != nil {
			return "", err
		}
		defer engine.close()
		return engine.path, engine.with(ctx, func(session encode.Session) error { return devices.Check(ctx, session.Encode) })
	})
	check("devices", func() (string, error) {
		return fmt.Sprintf("%d GPUs found; encoding with x264 on the CPU", len(devices.Probe("/").Devices)), nil
	})
	return checks, failed
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "write-test-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// engine is the encoder with what it runs.
type engine struct {
	encode.Encoder
	path string      // of the program; empty for an Encoder of one's own
	pool *media.Pool // nil for an Encoder of one's own
}

func openEngine(c Config, log *slog.Logger) (*engine, error) {
	if c.Encoder != nil {
		return &engine{Encoder: c.Encoder}, nil
	}
	path := c.MediaChild
	if path == "" {
		var err error
		if path, err = media.Find(); err != nil {
			return nil, err
		}
	}
	pool := media.NewPool(media.Options{Path: path, Log: log}, 1)
	return &engine{Encoder: encode.Children{Pool: pool}, path: path, pool: pool}, nil
}

func (e *engine) close() error {
	if e.pool == nil {
		return nil
	}
	return e.pool.Close()
}

// with lends a session.
func (e *engine) with(ctx context.Context, use func(encode.Session) error) error {
	session, err := e.Open(ctx, devices.Ladder())
	if err != nil {
		return err
	}
	return errors.Join(use(session), session.Close())
}

func (e *engine) calibrate(ctx context.Context, dir string) (devices.Calibration, error) {
	var result devices.Calibration
	err := e.with(ctx, func(session encode.Session) error {
		var err error
		result, err = devices.Calibrate(ctx, session.Encode, dir, e.path)
		return err
	})
	return result, err
}

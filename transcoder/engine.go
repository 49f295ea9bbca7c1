package transcoder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
	"github.com/kinora/kinora/transcoder/internal/encode"
)

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

// cpus is how many cores CPU time is to be read by; 0 for an Encoder of one's own, which may work anywhere.
func (e *engine) cpus() int {
	if e.pool == nil {
		return 0
	}
	return runtime.NumCPU()
}

// session lends a session for one codec's ladder of the sample.
func (e *engine) session(ctx context.Context, codec protocol.Codec) (encode.Session, error) {
	return e.Open(ctx, devices.Ladder(codec))
}

// with uses a session once.
func (e *engine) with(ctx context.Context, codec protocol.Codec, use func(encode.Session) error) error {
	session, err := e.session(ctx, codec)
	if err != nil {
		return err
	}
	return errors.Join(use(session), session.Close())
}

// child uses a child once.
func (e *engine) child(ctx context.Context, use func(*media.Child) error) error {
	if e.pool == nil {
		return errors.New("an encoder of one's own has no child to try")
	}
	child, err := e.pool.Get(ctx)
	if err != nil {
		return err
	}
	return errors.Join(use(child), child.Close())
}

// tuning is what is known of this machine when it starts: as configured, as measured before, or as guessed now.
func (e *engine) tuning(ctx context.Context, c Config, probe devices.Report, log *slog.Logger) (t devices.Tuning, err error) {
	if len(c.Capacity) > 0 {
		return devices.Tuning{Rates: capacity.Rates{Encode: protocol.CodecRates(c.Capacity)}, Method: "--capacity"}, nil
	}
	err = e.child(ctx, func(child *media.Child) error {
		machine := devices.Describe("/", e.path, child.FFmpeg(), probe)
		kept, ok := devices.Kept(c.Data)
		if ok && kept.Machine.Same(machine) {
			t = kept
			return nil
		}
		if ok {
			log.Info("the kept measurement is of another machine, program or set of devices", "was", kept.Machine, "is", machine)
		}
		rate, err := devices.Estimate(ctx, child, runtime.NumCPU())
		if err != nil {
			return err
		}
		log.Info("selling by a cautious guess; this machine is measured when it is idle, or by `kinora transcoder tune`", "h264_pixel_rate", rate)
		t = devices.Tuning{Machine: machine, Method: devices.ByEstimate, At: time.Now().UTC(),
			Rates: capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: rate}}}}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("%w (--capacity skips this)", err)
	}
	return t, err
}

// quiet is how long nothing may have happened before a machine is measured, and how often that is looked at.
const (
	quiet      = 5
	quietEvery = time.Second
)

// refine measures the machine once it does nothing else, keeps the result and tells found. Work that comes
// meanwhile ends the measurement; it is begun again in the next quiet moment.
func (e *engine) refine(ctx context.Context, c Config, known devices.Tuning, busy func() bool, found func(devices.Tuning), log *slog.Logger) error {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	var machine devices.Idle
	for calm := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if calm++; !machine.Now() || busy() {
			calm = 0
		}
		if calm < quiet {
			continue
		}
		calm = 0
		trial, cancel := context.WithCancel(ctx)
		var watch sync.WaitGroup
		watch.Go(func() {
			look := time.NewTicker(quietEvery / 10)
			defer look.Stop()
			for {
				select {
				case <-trial.Done():
					return
				case <-look.C:
					if busy() {
						cancel()
					}
				}
			}
		})
		rates, err := e.calibrate(trial)
		interrupted := trial.Err() != nil
		cancel()
		watch.Wait()
		switch {
		case interrupted:
		case err != nil:
			log.Warn("cannot measure this machine; it goes on selling by a guess", "err", err)
			return nil
		default:
			known.Rates, known.Method, known.At = rates, devices.ByCalibration, time.Now().UTC()
			found(known)
			log.Info("measured", "rates", PixelRates(rates.Encode))
			if err := devices.Keep(c.Data, known); err != nil {
				log.Warn("the measurement is not kept", "err", err)
			}
			return nil
		}
	}
}

// codecs are those that a child makes ladders of, tried by one segment each.
func (e *engine) codecs(ctx context.Context) ([]protocol.Codec, error) {
	var made []protocol.Codec
	for _, codec := range []protocol.Codec{protocol.H264, protocol.HEVC, protocol.AV1} {
		err := e.with(ctx, codec, func(s encode.Session) error { return devices.Check(ctx, s.Encode, codec) })
		switch {
		case err == nil:
			made = append(made, codec)
		case codec == protocol.H264 || ctx.Err() != nil: // one that does not work is not sold; the survey says why
			return nil, fmt.Errorf("encode a sample to %s: %w", codec, err)
		}
	}
	return made, nil
}

// calibrate measures, in some seconds, one stream of each codec, and what decoding costs.
func (e *engine) calibrate(ctx context.Context) (capacity.Rates, error) {
	made, err := e.codecs(ctx)
	if err != nil {
		return capacity.Rates{}, err
	}
	found, err := e.survey(ctx, nil, devices.Decode)
	if err != nil {
		return capacity.Rates{}, err
	}
	rates := capacity.Rates{Decode: devices.DecodeRates(found, runtime.NumCPU())}
	for _, codec := range made {
		var rate uint64
		if err := e.with(ctx, codec, func(s encode.Session) (err error) {
			rate, err = devices.Calibrate(ctx, s.Encode, codec)
			return err
		}); err != nil {
			return capacity.Rates{}, err
		}
		rates.Encode = append(rates.Encode, protocol.CodecRate{Codec: codec, PixelRate: devices.WithoutDecoding(rate, rates.Decode)})
	}
	return rates, nil
}

// survey tries codecs in children of its own.
func (e *engine) survey(ctx context.Context, on []devices.Device, directions ...string) ([]devices.Codec, error) {
	var child *media.Child
	defer func() {
		if child != nil {
			_ = child.Close()
		}
	}()
	return devices.Survey(ctx, func(ctx context.Context) (devices.Prober, error) {
		if child != nil {
			select {
			case <-child.Done():
			default:
				return child, nil
			}
		}
		var err error
		child, err = e.pool.Get(ctx)
		return child, err
	}, on, directions...)
}

package transcoder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
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
	path  string      // of the program; empty for an Encoder of one's own
	pool  *media.Pool // nil for an Encoder of one's own
	log   *slog.Logger
	cards *devices.Cards

	mu      sync.Mutex
	pools   map[string]*media.Pool          // by device
	dropped func(d devices.Device, e error) // told once when a device fails under a lease; may be nil
}

func openEngine(c Config, log *slog.Logger) (*engine, error) {
	e := &engine{Encoder: c.Encoder, log: log, cards: devices.NewCards(), pools: make(map[string]*media.Pool)}
	if c.Encoder != nil {
		return e, nil
	}
	path := c.MediaChild
	if path == "" {
		var err error
		if path, err = media.Find(); err != nil {
			return nil, err
		}
	}
	e.path, e.pool = path, media.NewPool(media.Options{Path: path, Log: log}, 1)
	e.Encoder = encode.Children{Pool: e.pool, Hardware: e.hardware}
	return e, nil
}

func (e *engine) close() error {
	if e.pool == nil {
		return nil
	}
	err := e.pool.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, pool := range e.pools {
		err = errors.Join(err, pool.Close())
	}
	return err
}

// granted are the options of a child that may use d and nothing else; a zero Device is the CPU.
func (e *engine) granted(d devices.Device) media.Options {
	return media.Options{Path: e.path, Log: e.log, Limits: media.Limits{Devices: d.Nodes(), Card: d.Card()}}
}

// poolOn keeps children of one device, from its first lease on.
func (e *engine) poolOn(d devices.Device) *media.Pool {
	e.mu.Lock()
	defer e.mu.Unlock()
	pool := e.pools[d.Key()]
	if pool == nil {
		pool = media.NewPool(e.granted(d), 1)
		e.pools[d.Key()] = pool
	}
	return pool
}

// hardware chooses the device on which a ladder's segments are made, if any is to be had.
func (e *engine) hardware(ladder protocol.Ladder) (*media.Hardware, func()) {
	choice, release := e.cards.Take(ladder)
	if choice.Sessions == 0 {
		return nil, release
	}
	return &media.Hardware{Pool: e.poolOn(choice.Device), Device: choice.Device.Engine(), Encoders: choice.Encoders, Failed: func(err error) {
		release()
		if protocol.CodeOf(err) != protocol.BadMedia { // that is a source which software reads and the device does not
			e.fail(choice.Device, err)
		}
	}}, release
}

// fail lends a device no more.
func (e *engine) fail(d devices.Device, err error) {
	if !e.cards.Fail(d, time.Now()) {
		return
	}
	e.log.Warn("a device fails; its work goes to the CPU until it passes a trial", "device", strings.TrimSpace(d.Path+" "+d.ID), "err", err)
	e.mu.Lock()
	dropped := e.dropped
	e.mu.Unlock()
	if dropped != nil {
		dropped(d, err)
	}
}

// onDrop has f told of devices that fail.
func (e *engine) onDrop(f func(devices.Device, error)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dropped = f
}

// use has leases made on the devices on that were found to encode, unless the owner wants them left alone.
func (e *engine) use(c Config, found []devices.Codec, on []devices.Device) {
	if c.Encoders == EncodersCPU {
		return
	}
	e.cards.Use(found, on)
}

// mend tries devices that failed again, until ctx ends.
func (e *engine) mend(ctx context.Context, back func(devices.Device)) error {
	return e.cards.Mend(ctx, func(ctx context.Context, d devices.Device) error {
		found, err := e.survey(ctx, []devices.Device{d}, devices.Encode)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(found, func(c devices.Codec) bool { return c.OK }) {
			return errors.New("not one of its encoders works")
		}
		return nil
	}, func(d devices.Device) {
		e.log.Info("a device works again", "device", strings.TrimSpace(d.Path+" "+d.ID))
		back(d)
	})
}

// everywhere are the CPU and the devices.
func everywhere(on []devices.Device) []devices.Device { return append([]devices.Device{{}}, on...) }

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
		t = devices.Tuning{Rates: capacity.Rates{Encode: protocol.CodecRates(c.Capacity)}, Method: "--capacity"}
		if e.pool == nil || len(probe.Devices) == 0 || c.Encoders == EncodersCPU {
			return t, nil
		}
		found, err := e.survey(ctx, everywhere(probe.Devices), devices.Encode)
		if err != nil {
			return t, err
		}
		e.use(c, found, probe.Devices)
		return t, nil
	}
	err = e.child(ctx, func(child *media.Child) error {
		machine := devices.Describe("/", e.path, child.FFmpeg(), probe)
		kept, ok := devices.Kept(c.Data)
		if ok && kept.Machine.Same(machine) {
			t = kept
			e.use(c, kept.Codecs, probe.Devices)
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
func (e *engine) refine(ctx context.Context, c Config, known devices.Tuning, on []devices.Device, busy func() bool, found func(devices.Tuning), log *slog.Logger) error {
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
		rates, codecs, err := e.calibrate(trial, c, on)
		interrupted := trial.Err() != nil
		cancel()
		watch.Wait()
		switch {
		case interrupted:
		case err != nil:
			log.Warn("cannot measure this machine; it goes on selling by a guess", "err", err)
			return nil
		default:
			known.Rates, known.Codecs, known.Method, known.At = rates, codecs, devices.ByCalibration, time.Now().UTC()
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

// calibrate measures, in some seconds, one stream of each codec, by the encoders that leases are made with, and what decoding
// costs. codecs are what was found of each encoder and decoder on the way.
func (e *engine) calibrate(ctx context.Context, c Config, on []devices.Device) (rates capacity.Rates, codecs []devices.Codec, err error) {
	directions := []string{devices.Decode}
	if len(on) > 0 {
		directions = append(directions, devices.Encode)
	}
	if codecs, err = e.survey(ctx, everywhere(on), directions...); err != nil {
		return rates, nil, err
	}
	e.use(c, codecs, on)
	made, err := e.codecs(ctx)
	if err != nil {
		return rates, nil, err
	}
	rates.Decode = devices.DecodeRates(codecs, runtime.NumCPU(), e.cards.Devices())
	for _, codec := range made {
		var rate uint64
		if err := e.with(ctx, codec, func(s encode.Session) (err error) {
			rate, err = devices.Calibrate(ctx, s.Encode, codec)
			return err
		}); err != nil {
			return rates, nil, err
		}
		rates.Encode = append(rates.Encode, protocol.CodecRate{Codec: codec, PixelRate: devices.WithoutDecoding(rate, rates.Decode)})
	}
	return rates, codecs, nil
}

// survey tries codecs in children of its own, each of which may use one device.
func (e *engine) survey(ctx context.Context, on []devices.Device, directions ...string) ([]devices.Codec, error) {
	tried := make(map[string]*media.Child)
	defer func() {
		for _, child := range tried {
			_ = child.Close()
		}
	}()
	return devices.Survey(ctx, func(ctx context.Context, d devices.Device) (devices.Prober, error) {
		if child := tried[d.Key()]; child != nil {
			select {
			case <-child.Done():
				_ = child.Close()
			default:
				return child, nil
			}
		}
		child, err := media.Start(ctx, e.granted(d))
		if err != nil {
			return nil, err
		}
		tried[d.Key()] = child
		return child, nil
	}, on, directions...)
}

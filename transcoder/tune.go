package transcoder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/devices"
	"github.com/kinora/kinora/transcoder/internal/encode"
)

// What a machine was found to be; see package devices.
type (
	Tuning = devices.Tuning
	Codec  = devices.Codec
	Gap    = devices.Gap
	Drift  = devices.Drift
	Device = devices.Device
)

// TuneOptions say how a machine is measured. Zero fields take the values in parentheses.
type TuneOptions struct {
	Soak     time.Duration     // how long each number of streams must hold (3 s)
	Streams  int               // most that are tried at once (64 for each core)
	Progress func(what string) // told what is being done; may be nil
}

// Measure tries every codec of this machine and finds how many live streams it holds. Of c it needs MediaChild, where that is
// not the default. It keeps nothing.
func Measure(ctx context.Context, c Config, o TuneOptions) (Tuning, error) {
	if o.Soak <= 0 {
		o.Soak = 3 * time.Second
	}
	if o.Streams <= 0 {
		o.Streams = 64 * runtime.NumCPU()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	engine, err := openEngine(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return Tuning{}, err
	}
	defer engine.close()
	probe := devices.Probe("/")
	t := Tuning{Devices: probe.Devices, Gaps: probe.Gaps, Method: devices.BySearch, Memory: devices.MemoryOf("/")}
	var guess uint64
	err = engine.child(ctx, func(child *media.Child) (err error) {
		t.Machine = devices.Describe("/", engine.path, child.FFmpeg(), probe)
		guess, err = devices.Estimate(ctx, child, runtime.NumCPU())
		return err
	})
	if err != nil {
		return t, err
	}
	o.Progress("trying every codec")
	if t.Codecs, err = engine.survey(ctx, everywhere(probe.Devices), devices.Encode, devices.Decode); err != nil {
		return t, err
	}
	engine.use(c, t.Codecs, probe.Devices)
	t.Rates.Decode = devices.DecodeRates(t.Codecs, runtime.NumCPU(), engine.cards.Devices())
	t.Memory.Bandwidth = devices.Bandwidth()
	made, err := engine.codecs(ctx)
	if err != nil {
		return t, err
	}
	for _, codec := range made {
		held, err := engine.search(ctx, codec, guess, o, &t.Memory)
		if err != nil {
			return t, fmt.Errorf("find how many streams of %s it holds: %w", codec, err)
		}
		rate := devices.SampleRate(held.Streams)
		if held.Streams > 0 && held.Limit == devices.LimitPace { // else it was not full
			t.Rates.MilliCPU = max(t.Rates.MilliCPU, held.MilliCPU)
		}
		t.Ladders = append(t.Ladders, devices.Ladders{Codec: codec, PixelRate: rate, Held: held})
		if rate > 0 {
			t.Rates.Encode = append(t.Rates.Encode, protocol.CodecRate{Codec: codec, PixelRate: devices.WithoutDecoding(rate, t.Rates.Decode)})
		}
	}
	if len(t.Rates.Encode) == 0 {
		return t, errors.New("not one live stream holds real time on this machine, in any codec: it is too slow, or busy with something else")
	}
	if t.Memory.Stream > 0 && t.Memory.Available > 0 {
		t.Rates.Sessions = max(1, int(t.Memory.Available/t.Memory.Stream))
	}
	t.At = time.Now().UTC()
	return t, nil
}

// search raises the number of live streams of one codec, made as those of leases are, until they do not hold.
func (e *engine) search(ctx context.Context, codec protocol.Codec, guess uint64, o TuneOptions, memory *devices.Memory) (devices.Held, error) {
	one := devices.SampleRate(1)
	return devices.Search{Ladder: devices.Ladder(codec), Soak: o.Soak, Most: o.Streams, Guess: int(guess / one),
		Open: func(ctx context.Context) (devices.EncodeFunc, func(), error) {
			session, err := e.session(ctx, codec)
			if err != nil {
				return nil, nil, err
			}
			return session.Encode, func() {
				if child, ok := session.(interface{ Pid() int }); ok {
					memory.Stream = max(memory.Stream, devices.PeakMemory(child.Pid()))
				}
				_ = session.Close()
			}, nil
		},
		Tried: func(streams int, held bool) {
			verdict := "hold"
			if !held {
				verdict = "do not hold"
			}
			o.Progress(fmt.Sprintf("%s: %d streams at once %s", codec, streams, verdict))
		}}.Run(ctx)
}

// Tune measures as Measure does, notes how that differs from the tuning kept in c.Data, and keeps it there for the next Run.
func Tune(ctx context.Context, c Config, o TuneOptions) (Tuning, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return Tuning{}, fmt.Errorf("--data: %w", err)
	}
	t, err := Measure(ctx, c, o)
	if err != nil {
		return t, err
	}
	if was, ok := devices.Kept(c.Data); ok {
		if t.Drift = t.Against(was); len(t.Drift) > 0 {
			t.Replaced = &was.At
		}
	}
	return t, devices.Keep(c.Data, t)
}

// Sold is what a transcoder sells of what was measured: a part of it, by codec, the decoding of as many pixels included.
func Sold(t Tuning) PixelRates {
	return PixelRates(capacity.New(capacity.Config{Rates: t.Rates}).State(t.At).Capacity)
}

// Check is one finding of a SelfTest.
type Check struct {
	Name string `json:"name"`
	Note string `json:"note,omitempty"` // what was found
	Err  string `json:"error,omitempty"`
	Fix  string `json:"fix,omitempty"`
}

// SelfTest tries what a Run needs of this machine, without the market: the data folder, the account, the encoder, which
// encodes a sample, and every codec in both directions, on the CPU and on the device that is named by its kind, path or ID
// ("all": on every one). The error is nil when everything that was asked for works; what a machine simply does not have is
// no failure unless it was named.
func SelfTest(ctx context.Context, c Config, device string) ([]Check, []Codec, error) {
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
	probe := devices.Probe("/")
	var on []devices.Device
	check("devices", func() (string, error) {
		if on = slices.DeleteFunc(slices.Clone(probe.Devices), func(d devices.Device) bool { return !named(d, device) }); device != "" && len(on) == 0 {
			return "", fmt.Errorf("there is no device %q: %s", device, listed(probe.Devices))
		}
		return listed(probe.Devices), nil
	})
	for _, g := range probe.Gaps {
		checks = append(checks, Check{Name: "gap", Note: g.What, Fix: g.Fix})
	}
	engine, err := openEngine(c, slog.New(slog.DiscardHandler))
	check("encoder", func() (string, error) {
		if err != nil {
			return "", err
		}
		return engine.path, engine.with(ctx, protocol.H264, func(s encode.Session) error { return devices.Check(ctx, s.Encode, protocol.H264) })
	})
	if err != nil {
		return checks, nil, failed
	}
	defer engine.close()
	if engine.pool == nil || device != "" && len(on) == 0 {
		return checks, nil, failed
	}
	codecs, err := engine.survey(ctx, everywhere(on), devices.Encode, devices.Decode)
	if err != nil {
		return checks, codecs, errors.Join(failed, err)
	}
	for _, c := range codecs {
		if needed := c.Device != devices.CPU || c.Codec == "h264" || c.Codec == "aac"; !c.OK && needed {
			failed = errors.Join(failed, fmt.Errorf("%s %s by %s on %s: %s", c.Direction, c.Codec, c.Name, c.Device, c.Error))
		}
	}
	return checks, codecs, failed
}

// named tells whether device, as an owner writes it, means d.
func named(d devices.Device, device string) bool {
	return device != "" && (device == "all" || device == d.Kind || device == d.Path || device == d.ID)
}

func listed(all []devices.Device) string {
	if len(all) == 0 {
		return "no GPU; encoding on the CPU"
	}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = strings.TrimSpace(d.Kind + " " + d.Path + " " + d.ID)
	}
	return strings.Join(names, ", ")
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

package devices

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
)

// How Rates were found.
const (
	ByEstimate    = "estimate"    // a few pictures, at the first start
	ByCalibration = "calibration" // one stream, segment after segment, when the machine was idle
	BySearch      = "search"      // as many live streams as it holds: kinora transcoder tune
)

// Tuning is what was measured of a machine.
type Tuning struct {
	Machine  Machine        `json:"machine"`
	Rates    capacity.Rates `json:"rates"`
	Method   string         `json:"method"`
	At       time.Time      `json:"at"`
	Codecs   []Codec        `json:"codecs,omitempty"`
	Ladders  []Ladders      `json:"ladders,omitempty"`
	Memory   Memory         `json:"memory,omitzero"`
	Gaps     []Gap          `json:"gaps,omitempty"`
	Devices  []Device       `json:"devices,omitempty"`
	Drift    []Drift        `json:"drift,omitempty"`    // against the tuning before
	Replaced *time.Time     `json:"replaced,omitempty"` // when that was made
}

// Ladders is how many live streams of the sample's ladder a machine held in one codec.
type Ladders struct {
	Codec     protocol.Codec `json:"codec"`
	PixelRate uint64         `json:"pixel_rate"` // encoded, of all of them, their decoding weighed in
	Held
}

// Memory is how much and how fast.
type Memory struct {
	Total     uint64 `json:"total_bytes"`
	Available uint64 `json:"available_bytes"`
	Stream    uint64 `json:"stream_bytes"`           // of one stream's child
	Bandwidth uint64 `json:"bandwidth_bytes_second"` // copying with every core
}

const tuningFile = "tuning.json"

// Kept returns the tuning kept in dir, whichever machine it is of.
func Kept(dir string) (Tuning, bool) {
	var t Tuning
	b, err := os.ReadFile(filepath.Join(dir, tuningFile))
	if err != nil || json.Unmarshal(b, &t) != nil || len(t.Rates.Encode) == 0 || t.Rates.Encode.Validate() != nil {
		return Tuning{}, false
	}
	for _, r := range t.Rates.Encode {
		if r.PixelRate == 0 {
			return Tuning{}, false
		}
	}
	return t, true
}

// Keep keeps t in dir for the next start.
func Keep(dir string, t Tuning) error {
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the tuning: %w", err)
	}
	if err := replace(filepath.Join(dir, tuningFile), append(b, '\n')); err != nil {
		return fmt.Errorf("keep the tuning: %w", err)
	}
	return nil
}

// Drift is what a codec's capacity changed by since the tuning before.
type Drift struct {
	Codec   protocol.Codec `json:"codec"`
	Was     uint64         `json:"was_pixel_rate"`
	Is      uint64         `json:"is_pixel_rate"`
	Percent float64        `json:"percent"` // below zero: it fell
	Alarm   bool           `json:"alarm"`   // it fell by more than an owner should overlook
}

// driftAlarm is how much capacity may fall before it is said so, in percent.
const driftAlarm = 15

// Against compares the rates of t with those of an earlier tuning that was made in the same way on the same machine, and
// notes codecs that are gone.
func (t Tuning) Against(was Tuning) []Drift {
	if !t.Machine.Same(was.Machine) || t.Method != was.Method {
		return nil
	}
	var out []Drift
	for _, r := range was.Rates.Encode {
		is, _ := t.Rates.Encode.Of(r.Codec)
		d := Drift{Codec: r.Codec, Was: r.PixelRate, Is: is, Percent: (float64(is)/float64(r.PixelRate) - 1) * 100}
		d.Alarm = d.Percent < -driftAlarm
		out = append(out, d)
	}
	return out
}

// replace writes a file whole or not at all.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kinora/kinora/cmd/kinora/internal/settings"
	"github.com/kinora/kinora/transcoder"
)

// measuring is how a machine is measured, as flags.
type measuring struct {
	Soak       time.Duration `help:"How long each number of live streams must hold real time; make it minutes to see what heat does." default:"3s"`
	Streams    int           `help:"Most live streams that are tried at once; 0: 64 for each core." default:"0"`
	MediaChild string        `help:"The kinora-media program; by default the one beside this program." placeholder:"FILE"`
	JSON       bool          `help:"Print JSON."`
}

// Validate names the flag that cannot be.
func (m measuring) Validate() error {
	switch {
	case m.Soak < time.Second || m.Soak > 24*time.Hour:
		return fmt.Errorf("--soak: %s, want 1s to 24h", m.Soak)
	case m.Streams < 0 || m.Streams > 4096:
		return fmt.Errorf("--streams: %d, want 0 to 4096", m.Streams)
	}
	return nil
}

func (m measuring) options(a *app) transcoder.TuneOptions {
	return transcoder.TuneOptions{Soak: m.Soak, Streams: m.Streams, Progress: func(what string) { fmt.Fprintln(a.stderr, what) }}
}

func (m measuring) print(a *app, t transcoder.Tuning) error {
	if m.JSON {
		return printJSON(a.stdout, t)
	}
	return printTuning(a.stdout, t)
}

type benchCommand struct{ measuring }

// Run measures and prints.
func (c benchCommand) Run(a *app) error {
	t, err := transcoder.Measure(a.ctx, transcoder.Config{MediaChild: c.MediaChild}, c.options(a))
	if err != nil {
		return err
	}
	return c.print(a, t)
}

type transcoderTune struct {
	measuring
	Data  string `help:"Folder of the transcoder, which goes by what is kept there." default:"kinora-transcoder" placeholder:"DIR"`
	Write string `help:"YAML file of settings to write the measured capacity into, under transcoder; made where there is none. Nothing is written without this." placeholder:"FILE"`
}

// Run measures, keeps, prints, and writes where it is told to.
func (c transcoderTune) Run(a *app) error {
	t, err := transcoder.Tune(a.ctx, transcoder.Config{Data: c.Data, MediaChild: c.MediaChild}, c.options(a))
	if err != nil {
		return err
	}
	if err := c.print(a, t); err != nil {
		return err
	}
	for _, d := range t.Drift {
		if d.Alarm {
			a.log.Warn("this machine holds less than when it was measured last: look for heat, other programs and power limits",
				"codec", d.Codec, "was_pixel_rate", d.Was, "is_pixel_rate", d.Is, "measured_last", t.Replaced)
		}
	}
	if c.Write == "" {
		return nil
	}
	values := [][2]string{{"data", c.Data}, {"capacity", transcoder.Sold(t).String()}}
	if c.MediaChild != "" {
		values = append(values, [2]string{"media-child", c.MediaChild})
	}
	if err := settings.Write(c.Write, "transcoder", "Measured "+t.At.Format(time.RFC3339)+"; without capacity, what is kept in data counts.", values...); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "written to %s: start with kinora --config %s transcoder\n", c.Write, c.Write)
	return nil
}

type transcoderSelftest struct {
	Data         string `help:"Folder of the transcoder." default:"kinora-transcoder" placeholder:"DIR"`
	Keystore     string `help:"Keystore file of the transcoder's account; empty: the account is not tried." placeholder:"FILE"`
	PasswordFile string `help:"File with the keystore's password." placeholder:"FILE"`
	MediaChild   string `help:"The kinora-media program; by default the one beside this program." placeholder:"FILE"`
	Device       string `help:"Also try every codec on this device: its ID, its path, nvenc, vaapi, qsv, or all. What does not work there is a failure." placeholder:"DEVICE"`
	JSON         bool   `help:"Print JSON."`
}

// errSelfTest ends a self-test that failed: the table has said what.
var errSelfTest = errors.New("the self-test failed: see what is marked FAILED")

// Run tries everything and prints what came of it.
func (c transcoderSelftest) Run(a *app) error {
	checks, codecs, err := transcoder.SelfTest(a.ctx, transcoder.Config{Data: c.Data, Keystore: c.Keystore, PasswordFile: c.PasswordFile, MediaChild: c.MediaChild}, c.Device)
	if c.JSON {
		failure := ""
		if err != nil {
			failure = err.Error()
		}
		if e := printJSON(a.stdout, map[string]any{"checks": checks, "codecs": codecs, "failure": failure}); e != nil {
			return e
		}
	} else {
		t := newTable(a.stdout)
		for _, check := range checks {
			result := check.Note
			if check.Err != "" {
				result = "FAILED: " + check.Err
			}
			t.row(check.Name, result, check.Fix)
		}
		t.codecs(codecs)
		if e := t.Flush(); e != nil {
			return e
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSelfTest, err)
	}
	return nil
}

// table is the one table that says what there is, what is missing and what mends it.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer) table {
	t := table{tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)}
	t.row("WHAT", "FOUND", "TO MEND")
	return t
}

func (t table) row(what, found, mend string) {
	line := what + "\t" + oneLine(found)
	if mend != "" {
		line += "\t" + oneLine(mend)
	}
	fmt.Fprintln(t.Writer, line)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (t table) codecs(all []transcoder.Codec) {
	for _, c := range all {
		found := "FAILED: " + c.Error
		switch {
		case c.OK && c.PixelRate > 0:
			found = megapixels(c.PixelRate) + " in one session"
			if c.Sessions > 0 {
				found += fmt.Sprintf(", %d sessions at most", c.Sessions)
			}
		case c.OK:
			found = fmt.Sprintf("%.0f × real time", c.Speed)
		}
		t.row(fmt.Sprintf("%s %s, %s on %s", c.Direction, c.Codec, c.Name, c.Device), found, c.Fix)
	}
}

func megapixels(rate uint64) string { return fmt.Sprintf("%.1f million pixels/s", float64(rate)/1e6) }

func printTuning(w io.Writer, t transcoder.Tuning) error {
	out := newTable(w)
	out.row("machine", t.Machine.String(), "")
	m := t.Memory
	memory := fmt.Sprintf("%.1f of %.1f GiB free, copied at %.1f GB/s, %.0f MiB a stream", float64(m.Available)/(1<<30), float64(m.Total)/(1<<30), float64(m.Bandwidth)/1e9, float64(m.Stream)/(1<<20))
	out.row("memory", memory, "")
	for _, d := range t.Devices {
		out.row("device "+d.Kind+" "+d.Path, strings.TrimSpace(d.Name+" "+d.ID), "")
	}
	if len(t.Devices) == 0 {
		out.row("devices", "no GPU that encodes", "")
	}
	for _, g := range t.Gaps {
		out.row("gap", g.What, g.Fix)
	}
	out.codecs(t.Codecs)
	for _, l := range t.Ladders {
		limit := "one more falls behind"
		switch l.Limit {
		case "pace":
		case "most":
			limit = "more were not tried (--streams)"
		default:
			limit = "one more: " + l.Limit
		}
		out.row(fmt.Sprintf("live %s, 640×360 and 426×240", l.Codec), fmt.Sprintf("%d streams for %s, %s, last bytes within %s; %s", l.Streams, l.Soak, megapixels(l.PixelRate),
			l.Worst.Round(time.Millisecond), limit), "")
	}
	for _, c := range transcoder.Sold(t) {
		out.row("to sell: "+string(c.Codec), megapixels(c.PixelRate)+" with their decoding", "")
	}
	if t.Rates.Sessions > 0 {
		out.row("to sell: streams", fmt.Sprintf("%d at once, by memory", t.Rates.Sessions), "")
	}
	for _, d := range t.Drift {
		mend := ""
		if d.Alarm {
			mend = "look for heat, other programs, power limits"
		}
		out.row("drift "+string(d.Codec), fmt.Sprintf("%+.0f %% since %s", d.Percent, t.Replaced.Format(time.RFC3339)), mend)
	}
	return out.Flush()
}

// Command kinora-adversary is the dishonest side of the market, for demonstrations and tests: a transcoder that sells what
// it does not make. It is never installed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder"
)

type cli struct {
	LogLevel  string `help:"Least severe log lines written." enum:"debug,info,warn,error" default:"info"`
	LogFormat string `help:"How log lines are written, to standard error." enum:"text,json" default:"text"`

	Transcoder transcoderCommand `cmd:"" help:"Bid for work, be paid for something else."`
}

type transcoderCommand struct {
	Cheat  string `help:"How to cheat: ${kinds}." enum:"${kinds}" default:"black"`
	FFmpeg string `name:"ffmpeg" env:"KINORA_FFMPEG" help:"The ffmpeg program to cheat with; by default the one beside this program, or in PATH." placeholder:"FILE"`
	transcoder.Config
	ReadyFile string `help:"File to write {\"http\",\"address\"} to once bids stand." hidden:""`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// run is main without the process: 0 is success, 1 a failure, 2 a misuse of the command line.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("kinora-adversary"), kong.DefaultEnvars("KINORA"), kong.Vars{"kinds": strings.Join(kinds(), ",")},
		kong.Description("The dishonest side of a Kinora market, for demonstrations and tests."), kong.UsageOnError())
	if err == nil {
		_, err = parser.Parse(args)
	}
	if err != nil {
		fmt.Fprintln(stderr, "kinora-adversary:", err)
		return 2
	}
	if err := c.Transcoder.run(ctx, logger(c.LogLevel, c.LogFormat, stderr)); err != nil {
		fmt.Fprintln(stderr, "kinora-adversary:", err)
		return 1
	}
	return 0
}

func (t *transcoderCommand) run(ctx context.Context, log *slog.Logger) error {
	program, err := findFFmpeg(t.FFmpeg)
	if err != nil {
		return err
	}
	log = log.With("role", "transcoder", "cheat", t.Cheat)
	t.Encoder = &cheat{kind: t.Cheat, ffmpeg: program, log: log}
	if len(t.Capacity) == 0 {
		t.Capacity = transcoder.PixelRates{{Codec: protocol.H264, PixelRate: 1 << 30}} // there is no limit to what one can promise
	}
	t.OnReady = func(r transcoder.Ready) {
		if err := t.ready(r); err != nil {
			log.Error("cannot say that this role is ready", "err", err)
		}
	}
	return transcoder.Run(ctx, t.Config, log)
}

// ready tells who started this process that it serves now, and where.
func (t *transcoderCommand) ready(r transcoder.Ready) error {
	if t.ReadyFile == "" {
		return nil
	}
	b, err := json.Marshal(map[string]string{"http": r.HTTP, "address": r.Address.Hex()})
	if err != nil {
		return err
	}
	part := t.ReadyFile + ".part"
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return os.Rename(part, t.ReadyFile)
}

func logger(level, format string, w io.Writer) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the enum allows nothing else
	options := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

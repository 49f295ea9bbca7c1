// Command kinora is the one program people run: a whole market on one machine (up), each role alone (broadcaster,
// orchestrator, transcoder), and the tools around them (wallet, contracts, config).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/kinora/kinora/cmd/kinora/internal/settings"
	"github.com/kinora/kinora/cmd/kinora/internal/up"
)

// version is set by the linker; a plain `go build` leaves it to the build information.
var version = ""

type cli struct {
	Config    string `help:"YAML file of settings; see kinora config example." placeholder:"FILE"`
	LogLevel  string `help:"Least severe log lines written." enum:"debug,info,warn,error" default:"info"`
	LogFormat string `help:"How log lines are written, to standard error." enum:"text,json" default:"text"`

	Up           upCommand           `cmd:"" help:"Run a whole market on this machine: chain, database, bus, a broadcaster, an orchestrator, transcoders and a live stream."`
	Broadcaster  broadcasterCommand  `cmd:"" help:"Take live segments in, buy their transcoding, serve the verified ladder."`
	Orchestrator orchestratorCommand `cmd:"" help:"Sell transcoding to broadcasters, auction it to transcoders, answer for the result."`
	Transcoder   transcoderCommand   `cmd:"" help:"Bid for work, transcode it, be paid."`
	Wallet       walletCommand       `cmd:"" help:"Accounts, deposits and allocations."`
	Contracts    contractsCommand    `cmd:"" help:"The escrow that backs tickets."`
	ConfigTool   configCommand       `cmd:"" name:"config" help:"What the settings are and where each comes from."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

// app is what commands run with.
type app struct {
	ctx    context.Context
	log    *slog.Logger
	stdout io.Writer
	stderr io.Writer
	file   *settings.File
	kong   *kong.Kong
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process: 0 is success, 1 a failure that was explained, 2 a misuse of the command line.
func run(args []string, stdout, stderr io.Writer) int {
	var commands cli
	file, err := settings.Load(settings.Path(args))
	if err != nil {
		fmt.Fprintln(stderr, "kinora:", err)
		return 2
	}
	exited := -1
	parser, err := kong.New(&commands, kong.Name("kinora"),
		kong.Description("A marketplace for live-video transcoding: segments in, verified renditions out, paid by lottery tickets."),
		kong.DefaultEnvars("KINORA"), kong.Resolvers(file), kong.UsageOnError(),
		kong.Vars{"cheats": strings.Join(up.Cheats, ",")}, amounts, addresses,
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintln(stderr, "kinora:", err)
		return 2
	}
	if err := settings.CheckEnvironment(parser.Model, os.Environ(), ownVariables...); err != nil {
		fmt.Fprintln(stderr, "kinora:", err)
		return 2
	}
	ctx, err := parser.Parse(args)
	if exited >= 0 { // --help has printed
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "kinora:", err)
		fmt.Fprintln(stderr, "kinora --help lists commands and flags")
		return 2
	}
	a := &app{log: logger(commands.LogLevel, commands.LogFormat, stderr), stdout: stdout, stderr: stderr, file: file, kong: parser}
	var stop func()
	a.ctx, stop = stopSignals()
	defer stop()
	if err := ctx.Run(a); err != nil {
		if !errors.Is(err, errExplained) {
			fmt.Fprintln(stderr, "kinora:", err)
		}
		return 1
	}
	return 0
}

// errExplained ends a command whose failure has been shown already.
var errExplained = errors.New("explained")

// ownVariables are KINORA_ variables that are no flag's.
var ownVariables = []string{"KINORA_CACHE", "KINORA_CHROMIUM", "KINORA_FFMPEG", "KINORA_FFMPEG_FROM", "KINORA_FFPROBE", "KINORA_MEDIA"}

// stopSignals gives a context that ends at the first SIGINT or SIGTERM, which asks for a drain; the second ends the process.
func stopSignals() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel()
		if _, ok := <-signals; ok {
			os.Exit(130)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
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

type versionCommand struct {
	JSON bool `help:"Print JSON."`
}

// Run prints the version.
func (v versionCommand) Run(a *app) error {
	revision, goVersion := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	name := version
	if name == "" {
		name = "devel"
	}
	if v.JSON {
		return printJSON(a.stdout, map[string]string{"version": name, "revision": revision, "go": goVersion})
	}
	_, err := fmt.Fprintf(a.stdout, "kinora %s %s %s\n", name, revision, goVersion)
	return err
}

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
	"strconv"
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

	Up            upCommand            `cmd:"" help:"Run a whole market on this machine: chain, database, bus, a broadcaster, an orchestrator, transcoders and a live stream."`
	Broadcaster   broadcasterCommand   `cmd:"" help:"Take live segments in, buy their transcoding, serve the verified ladder."`
	Orchestrator  orchestratorCommand  `cmd:"" help:"Sell transcoding to broadcasters, auction it to transcoders, answer for the result."`
	Transcoder    transcoderCommand    `cmd:"" help:"Bid for work, transcode it, be paid; measure and check the machine for that."`
	Orchestrators orchestratorsCommand `cmd:"" help:"The orchestrators that a broadcaster knows of."`
	Bench         benchCommand         `cmd:"" help:"Say what this machine can transcode, what is missing for more, and what mends that. Keeps nothing."`
	Wallet        walletCommand        `cmd:"" help:"Keys, deposits, allocations and winning tickets."`
	Contracts     contractsCommand     `cmd:"" help:"The escrow that backs tickets."`
	Sim           simCommand           `cmd:"" help:"Simulate the market's economics."`
	Quote         quoteCommand         `cmd:"" help:"Say what a stream costs at an orchestrator, how long a balance lasts, and how evenly a transcoder earns."`
	Why           whyCommand           `cmd:"" help:"Say why a transcoder lost an auction, or what it won by."`
	Audit         auditCommand         `cmd:"" help:"Do an orchestrator's auctions again, once their bids are open, and name every fault."`
	ConfigTool    configCommand        `cmd:"" name:"config" help:"What the settings are and where each comes from."`
	Version       versionCommand       `cmd:"" help:"Print the version."`
}

// app is what commands run with.
type app struct {
	ctx    context.Context
	log    *slog.Logger
	stdout io.Writer
	stderr io.Writer
	file   *settings.File
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process: 0 is success, 1 a failure that was explained, 2 a misuse of the command line.
func run(args []string, stdout, stderr io.Writer) int {
	// What is shown may quote a URL, and a URL may hold a password.
	say := func(err error) { fmt.Fprintln(stderr, "kinora:", settings.WithoutSecrets(err.Error())) }
	var commands cli
	file, err := settings.Load(settings.Path(args))
	if err != nil {
		say(err)
		return 2
	}
	exited := -1
	parser, err := kong.New(&commands, kong.Name("kinora"),
		kong.Description("A marketplace for live-video transcoding: segments in, verified renditions out, paid by lottery tickets."),
		kong.DefaultEnvars("KINORA"), kong.Resolvers(file), amounts, addresses, kong.Vars{"cheats": strings.Join(up.Cheats, ", ")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}), kong.ValueFormatter(flagHelp),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		say(err)
		return 2
	}
	if err := settings.CheckEnvironment(parser.Model, os.Environ(), ownVariables...); err != nil {
		say(err)
		return 2
	}
	if err := negative(args); err != nil {
		say(err)
		return 2
	}
	ctx, err := parser.Parse(args)
	if exited >= 0 { // --help has printed
		return exited
	}
	if err != nil {
		say(err)
		misused(parser, err, stderr)
		return 2
	}
	a := &app{log: logger(commands.LogLevel, commands.LogFormat, stderr), stdout: stdout, stderr: stderr, file: file}
	var stop func()
	a.ctx, stop = stopSignals()
	defer stop()
	if err := ctx.Run(a); err != nil {
		say(err)
		return 1
	}
	return 0
}

// misused shows the commands when none was chosen, else says where the flags of the chosen one are explained.
func misused(parser *kong.Kong, err error, stderr io.Writer) {
	name := "kinora"
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		selected := wrong.Context.Selected()
		if wrong.Context.Error == nil && (selected == nil || !selected.Leaf()) {
			fmt.Fprintln(stderr)
			parser.Stdout = stderr
			_ = wrong.Context.PrintUsage(false)
			return
		}
		if selected != nil {
			name = selected.FullPath()
		}
	}
	fmt.Fprintf(stderr, "%s --help explains its flags\n", name)
}

// negative refuses what looks like a number below zero: no flag has a digit for a name, and no setting is negative.
func negative(args []string) error {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if len(arg) > 1 && arg[0] == '-' && strings.ContainsRune(".0123456789", rune(arg[1])) {
			what := strconv.Quote(arg)
			if i > 0 && strings.HasPrefix(args[i-1], "--") {
				what = args[i-1] + ": " + what
			}
			return fmt.Errorf("%s: a negative number; no amount, number or duration may be one", what)
		}
	}
	return nil
}

// flagHelp is the help of a flag with its variable, and with the default where a placeholder has taken its place.
func flagHelp(value *kong.Value) string {
	flag := value.Flag
	if flag == nil {
		return value.Help
	}
	text := strings.TrimSuffix(value.Help, ".")
	if flag.PlaceHolder != "" && flag.Default != "" && flag.PlaceHolder != flag.Default {
		text += "; default " + flag.Default
	}
	for _, env := range flag.Envs {
		text += " ($" + env + ")"
	}
	return text + "."
}

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
	options := &slog.HandlerOptions{Level: l, ReplaceAttr: withoutSecrets}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// withoutSecrets keeps the passwords in URLs out of the log.
func withoutSecrets(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(settings.WithoutSecrets(v))
	case error:
		a.Value = slog.StringValue(settings.WithoutSecrets(v.Error()))
	}
	return a
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
	text := "kinora " + name
	if revision != "" {
		text += " " + revision
	}
	_, err := fmt.Fprintln(a.stdout, text, goVersion)
	return err
}

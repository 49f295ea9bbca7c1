package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// grammar is a small program with what the real one has: flags of all commands, a command, a command of a command.
type grammar struct {
	Config   string
	LogLevel string `enum:"info,debug" default:"info"`
	Up       struct {
		HTTP    string            `default:"127.0.0.1:1"`
		Count   int               `default:"3"`
		Names   []string          `name:"name"`
		Parties map[string]string `name:"party"`
	} `cmd:""`
	Wallet struct {
		Deposit struct {
			Amount int `arg:"" optional:""`
			Force  bool
		} `cmd:""`
	} `cmd:""`
}

func (*grammar) Run() error { return nil }

// parse reads args with a file of this text.
func parse(t *testing.T, text string, args ...string) (grammar, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var g grammar
	f, err := Load(path)
	if err != nil {
		return g, err
	}
	parser, err := kong.New(&g, kong.Resolvers(f), kong.Exit(func(int) { t.Error("the parser ended the program") }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return g, err
}

func TestFile_refusesWhatNoCommandHasWithItsLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"up:\n  count: 4\n  coutn: 7":                   `file.yaml:3: unknown setting of up "coutn"; did you mean "count"?`,
		"upp:\n  count: 4":                              `file.yaml:1: unknown section "upp"; did you mean "up"?`,
		"wallet deposite:\n  force: true":               `file.yaml:1: unknown section "wallet deposite"; did you mean "wallet deposit"?`,
		"# a comment\nlog-levl: debug":                  `file.yaml:2: unknown setting "log-levl"; did you mean "log-level"?`,
		"zzzzzzzzz: 1":                                  `file.yaml:1: unknown setting "zzzzzzzzz"`,
		"up:\n  aaaaaaaaa: 1\n  bbbbbbbbb: 1\nccccc: 1": `file.yaml:2: unknown setting of up "aaaaaaaaa"`,
		"wallet:\n  force: true":                        `file.yaml:1: unknown section "wallet"`,
		"wallet deposit:\n  count: 4":                   `file.yaml:2: unknown setting of wallet deposit "count"`,
		"upp:":                                          `file.yaml:1: unknown section "upp"; did you mean "up"?`,
		"config: other.yaml":                            `file.yaml:1: unknown setting "config"`,
		"up:\n  help: true":                             `file.yaml:2: unknown setting of up "help"`,
		"up:\n  http: a\n  http: b":                     `file.yaml:3: "http" is set twice`,
		"up:\n  http: a\nup:":                           `file.yaml:3: "up" is set twice`,
		"- up":                                          `file.yaml:1: want a mapping of settings`,
		"up":                                            `file.yaml:1: want a mapping of settings`,
		"up:\n  party:\n    one: [1]":                   `file.yaml:3: "party": want plain values`,
		"up:\n  name: [[1]]":                            `file.yaml:2: "name": want plain values`,
		"up: [":                                         "file.yaml: yaml: ",
		"up:\n  count: many":                            `--count: expected a valid 64 bit int but got "many" (from `,
		"up:\n  count: [1]":                             `--count: want a plain value (from `,
		"up:\n  name: {a: b}":                           `--name: want a list (from `,
		"log-level: loud":                               `--log-level: must be one of info, debug but got "loud" (from `,
	} {
		if _, err := parse(t, text, "up"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func TestFile_setsWhatIsNotOnTheLine(t *testing.T) {
	t.Parallel()
	const text = "log-level: debug\nup:\n  http: host:2\n  count: 4\n  name: ['a,b', c]\n  party: {one: '1;2', two: 2}\n"
	g, err := parse(t, text, "up", "--count=5")
	if err != nil {
		t.Fatal(err)
	}
	if g.LogLevel != "debug" || g.Up.HTTP != "host:2" || g.Up.Count != 5 || strings.Join(g.Up.Names, "|") != "a,b|c" ||
		len(g.Up.Parties) != 2 || g.Up.Parties["one"] != "1;2" || g.Up.Parties["two"] != "2" {
		t.Errorf("got %+v", g)
	}
}

func TestFile_withNothingInItSetsNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# a comment", "up:", "up:\n  # http: a", "up:\n  http:\n  count: ~\n  name: []\n  party: {}", "log-level:", "---\n"} {
		if g, err := parse(t, text, "up"); err != nil || g.Up.HTTP != "127.0.0.1:1" || g.Up.Count != 3 || g.LogLevel != "info" || g.Up.Names != nil {
			t.Errorf("%q: %+v, %v", text, g, err)
		}
	}
	if g, err := parse(t, "up:\n  http: ''", "up"); err != nil || g.Up.HTTP != "" {
		t.Errorf("an empty text is a value: got %q, %v", g.Up.HTTP, err)
	}
}

func TestPath_isTheFlagThatKongWillSee(t *testing.T) {
	t.Setenv("KINORA_CONFIG", "env.yaml") // not parallel: the environment is the process's
	for args, want := range map[string]string{
		"up":                      "env.yaml",
		"--config a.yaml up":      "a.yaml",
		"up --config=b.yaml":      "b.yaml",
		"up --config= --count=1":  "",
		"up -- --config c.yaml":   "env.yaml",
		"up --config":             "env.yaml",
		"up --configuration=d.ya": "env.yaml",
	} {
		if got := Path(strings.Fields(args)); got != want {
			t.Errorf("Path(%s) = %q, want %q", args, got, want)
		}
	}
}

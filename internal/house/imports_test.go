// Package house holds the rules of the code as tests: who may import what, and how long a file may grow.
package house

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kinora/kinora"

type listed struct {
	ImportPath, Dir           string
	Imports, CgoFiles         []string
	TestImports, XTestImports []string
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Imports,CgoFiles,TestImports,XTestImports", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		l.ImportPath = strings.TrimPrefix(l.ImportPath, module+"/")
		all = append(all, l)
	}
	if len(all) < 20 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

// doors: each dependency may be imported below these folders only, and this is why.
var doors = []struct {
	what    *regexp.Regexp
	allowed *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(`^github.com/asticode/go-astiav`), regexp.MustCompile(`^cmd/kinora-media(/|$)`),
		"libav parses hostile input, so it lives only in the disposable child"},
	{regexp.MustCompile(`^C$`), regexp.MustCompile(`^cmd/kinora-media(/|$)`), "kinora builds without cgo and links no GPL library"},
	{regexp.MustCompile(`^github.com/nats-io/`), regexp.MustCompile(`^internal/bus(/|$)`), "one door to NATS"},
	{regexp.MustCompile(`^github.com/ethereum/go-ethereum/(ethclient|rpc|node|eth|accounts/abi|core/types)(/|$)`),
		regexp.MustCompile(`^(internal/chain|contracts/bindings)(/|$)`), "one door to the chain"},
	{regexp.MustCompile(`^github.com/jackc/pgx`), regexp.MustCompile(`(^|/)(store|pgstore|pgcluster|pgtest|migrations)$`), "SQL lives in the stores"},
	{regexp.MustCompile(`^modernc.org/sqlite`), regexp.MustCompile(`(^|/)(store|litestore|migrations)$`), "SQL lives in the stores"},
	{regexp.MustCompile(`^github.com/go-chi/`), regexp.MustCompile(`(^|/)(api|ingest|ops)$`), "HTTP routing lives in HTTP packages"},
	{regexp.MustCompile(`^github.com/alecthomas/kong`), regexp.MustCompile(`^cmd/`), "flags are read in cmd only"},
}

func TestEveryDependencyHasOneDoor(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		for _, door := range doors {
			for _, imp := range p.Imports {
				if door.what.MatchString(imp) && !door.allowed.MatchString(p.ImportPath) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, door.why)
				}
			}
		}
		if len(p.CgoFiles) > 0 && !strings.HasPrefix(p.ImportPath, "cmd/kinora-media") {
			t.Errorf("%s uses cgo in %v", p.ImportPath, p.CgoFiles)
		}
	}
}

func TestRolesMeetOnlyInMessages(t *testing.T) {
	t.Parallel()
	roles := []string{"broadcaster", "orchestrator", "transcoder"}
	roleOf := func(path string) string {
		first, _, _ := strings.Cut(path, "/")
		if slices.Contains(roles, first) {
			return first
		}
		return ""
	}
	for _, p := range list(t) {
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			own, ok := strings.CutPrefix(imp, module+"/")
			if !ok {
				continue
			}
			other := roleOf(own)
			switch from := roleOf(p.ImportPath); {
			case other == "":
			case from != "" && from != other:
				t.Errorf("%s imports %s: roles meet in internal/protocol and internal/bus", p.ImportPath, own)
			case from == "" && !strings.HasPrefix(p.ImportPath, "cmd/") && !strings.HasPrefix(p.ImportPath, "internal/e2e"):
				t.Errorf("%s imports %s: imports point down", p.ImportPath, own)
			}
		}
		if strings.HasPrefix(p.ImportPath, "internal/protocol") {
			for _, imp := range p.Imports {
				// The levels are tables of the codecs' standards, which import nothing themselves.
				if strings.HasPrefix(imp, module) && imp != module+"/internal/level" {
					t.Errorf("%s imports %s: the vocabulary imports nothing of Kinora", p.ImportPath, imp)
				}
			}
		}
	}
}

// TestFilesStayReadable: no Go file but a generated one passes 800 lines, none hides a missing dependency behind a skip.
func TestFilesStayReadable(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	skip := regexp.MustCompile(`\bt\.Skip`)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "node_modules", "build", "bin", "bindings":
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		lines := 0
		for s := bufio.NewScanner(f); s.Scan(); lines++ {
			if skip.Match(s.Bytes()) && !strings.HasSuffix(path, "imports_test.go") {
				t.Errorf("%s:%d skips a test: a missing dependency must fail, and say how to get it", path, lines+1)
			}
		}
		if lines > 800 {
			t.Errorf("%s has %d lines: split it", path, lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

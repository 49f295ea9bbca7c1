package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// defined are the names of all tests.
func defined(t *testing.T) map[string]bool {
	t.Helper()
	root := filepath.Join("..", "..")
	defined := map[string]bool{}
	definition := regexp.MustCompile(`(?m)^\s*(?:func|function) ((?:Test|test|invariant)[A-Za-z0-9_]*)\(`)
	for _, dir := range []string{"broadcaster", "orchestrator", "transcoder", "internal", "cmd", filepath.Join("contracts", "test")} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".t.sol") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range definition.FindAllStringSubmatch(string(b), -1) {
				defined[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return defined
}

// testsOf holds every row of a page's table to naming tests that exist, and returns how many there are.
func testsOf(t *testing.T, page, heading string, defined map[string]bool) (rows int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, found := strings.Cut(string(b), "\n## "+heading)
	if !found {
		t.Fatalf("docs/%s has no section %q", page, heading)
	}
	tables, _, _ = strings.Cut(tables, "\n## ")
	for line := range strings.Lines(tables) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		last := cells[len(cells)-1]
		if !strings.HasPrefix(line, "|") || strings.Contains(last, "---") || slices.Contains([]string{"test", "tests"}, strings.TrimSpace(last)) {
			continue
		}
		rows++
		names := regexp.MustCompile("`([A-Za-z0-9_]+)`").FindAllStringSubmatch(last, -1)
		if len(names) == 0 {
			t.Errorf("no test in: %s", line)
		}
		for _, n := range names {
			if !defined[n[1]] {
				t.Errorf("there is no test %s", n[1])
			}
		}
	}
	return rows
}

// A weakness is held off by a test, not by its line in a table.
func TestWeaknessTable_namesTestsThatExist(t *testing.T) {
	t.Parallel()
	if rows := testsOf(t, "payments.md", "Known weaknesses", defined(t)); rows < 16+7 {
		t.Errorf("%d rows: the table is not read", rows)
	}
}

func TestSecurityTable_namesTestsThatExist(t *testing.T) {
	t.Parallel()
	if rows := testsOf(t, "security.md", "What is guarded by what", defined(t)); rows < 13 {
		t.Errorf("%d rows: the table is not read", rows)
	}
}

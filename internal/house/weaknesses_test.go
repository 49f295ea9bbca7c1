package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A weakness is held off by a test, not by its line in a table.
func TestWeaknessTable_namesTestsThatExist(t *testing.T) {
	t.Parallel()
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
	page, err := os.ReadFile(filepath.Join(root, "docs", "payments.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, found := strings.Cut(string(page), "\n## Known weaknesses")
	if !found {
		t.Fatal("docs/payments.md has no section of known weaknesses")
	}
	rows := 0
	for line := range strings.Lines(tables) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		last := cells[len(cells)-1]
		if !strings.HasPrefix(line, "|") || strings.Contains(last, "---") || strings.TrimSpace(last) == "tests" {
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
	if rows < 16+7 {
		t.Errorf("%d rows: the table is not read", rows)
	}
}

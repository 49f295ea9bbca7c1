package up

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// TestCheats_areThoseOfTheAdversary reads its source: it is a program of its own, so its list cannot be imported.
func TestCheats_areThoseOfTheAdversary(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../../kinora-adversary/cheat.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"none"}
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, isName := pair.Key.(*ast.Ident)
		value, isText := pair.Value.(*ast.BasicLit)
		if isName && isText && key.Name == "kind" {
			kind, err := strconv.Unquote(value.Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, kind)
		}
		return true
	})
	if !slices.Equal(kinds, Cheats) {
		t.Errorf("the adversary can do\n%q, --cheat takes\n%q", kinds, Cheats)
	}
}

package housetest

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// noNames are names of packages that say nothing of what is inside.
var noNames = []string{
	"base", "common", "consts", "constants", "core", "helper", "helpers", "interfaces", "lib", "misc", "models", "shared",
	"types", "util", "utils",
}

// maxLines is how long a file may be; one that is longer wants to be two.
const maxLines = 600

func names(h house) (list []string) {
	for _, f := range h {
		if slices.Contains(noNames, strings.TrimSuffix(f.pkg, "_test")) {
			list = append(list, fmt.Sprintf("%s: a package's name says what it is, %q does not", f.path, f.pkg))
		}
	}
	return list
}

func lengths(h house) (list []string) {
	for _, f := range h {
		if f.lines > maxLines && !ast.IsGenerated(f.ast) {
			list = append(list, fmt.Sprintf("%s has %d lines, at most %d allowed", f.path, f.lines, maxLines))
		}
	}
	return list
}

// leakless are packages whose tests start programs and no goroutine of ours.
var leakless = []string{"internal/needs", "internal/readme"}

// leaky returns the packages whose tests do not look for goroutines that are left over.
func leaky(h house) (list []string) {
	checked := map[string]bool{}
	for _, f := range h {
		if f.test && slices.Contains(f.imports, "go.uber.org/goleak") && slices.ContainsFunc(f.ast.Decls, isTestMain) {
			checked[f.dir] = true
		}
	}
	for _, f := range h {
		if f.test && !checked[f.dir] && !slices.Contains(leakless, f.dir) {
			list = append(list, fmt.Sprintf("%s has tests and no TestMain with goleak", f.dir))
			checked[f.dir] = true
		}
	}
	return list
}

func isTestMain(d ast.Decl) bool {
	fn, ok := d.(*ast.FuncDecl)
	return ok && fn.Recv == nil && fn.Name.Name == "TestMain"
}

// sleepy returns the tests that sleep in real time: they are slow, and flaky on a busy machine. A function may sleep
// that uses testing/synctest, itself or by a function of its package, and so may a loop that has a condition: it waits
// for something, not for a time.
func sleepy(h house) (list []string) {
	for _, dir := range h.dirs() {
		bubbled := map[string]bool{}
		for grown := true; grown; {
			grown = false
			h.testFuncs(dir, func(_ *file, fn *ast.FuncDecl) {
				if !bubbled[fn.Name.Name] && uses(fn, func(n ast.Node) bool { return isSelector(n, "synctest", "") || isIdent(n, bubbled) }) {
					bubbled[fn.Name.Name], grown = true, true
				}
			})
		}
		h.testFuncs(dir, func(f *file, fn *ast.FuncDecl) {
			if bubbled[fn.Name.Name] {
				return
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if loop, ok := n.(*ast.ForStmt); ok && loop.Cond != nil {
					return false
				}
				if isSelector(n, "time", "Sleep") {
					list = append(list, fmt.Sprintf("%s: %s sleeps in real time", f.set.Position(n.Pos()), fn.Name.Name))
				}
				return true
			})
		})
	}
	return list
}

// testFuncs calls do for each function of a package's test files.
func (h house) testFuncs(dir string, do func(*file, *ast.FuncDecl)) {
	for _, f := range h {
		if f.dir != dir || !f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				do(f, fn)
			}
		}
	}
}

// uses says whether a function's body has a node that is wanted.
func uses(fn *ast.FuncDecl, wanted func(ast.Node) bool) (found bool) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		found = found || n != nil && wanted(n)
		return !found
	})
	return found
}

// isSelector says whether a node is pkg.name; an empty name is any.
func isSelector(n ast.Node, pkg, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg && (name == "" || s.Sel.Name == name)
}

func isIdent(n ast.Node, names map[string]bool) bool {
	id, ok := n.(*ast.Ident)
	return ok && names[id.Name]
}

func TestPackagesHaveNamesThatSayWhatTheyAre(t *testing.T) { report(t, names(theHouse(t))) }

func TestFilesAreShort(t *testing.T) { report(t, lengths(theHouse(t))) }

func TestEveryPackageLooksForLeftGoroutines(t *testing.T) { report(t, leaky(theHouse(t))) }

func TestNoTestSleepsInRealTime(t *testing.T) { report(t, sleepy(theHouse(t))) }

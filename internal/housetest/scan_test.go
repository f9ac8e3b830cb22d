package housetest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// module is the module's path: what the imports of our own packages begin with.
const module = "muster"

// file is one Go file of the module.
type file struct {
	path    string // from the module's root
	dir     string // the package's: "netcode"; "." for the root
	name    string // "step.go"
	pkg     string // the package clause's
	test    bool
	lines   int
	imports []string
	ast     *ast.File
	set     *token.FileSet
}

// house is all Go files of a module.
type house []*file

// skipped are directories without Go of ours.
var skipped = map[string]bool{".git": true, ".ci": true, "node_modules": true, "testdata": true, "dist": true}

// scan reads a module.
func scan(root fs.FS) (house, error) {
	var h house
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (skipped[d.Name()] || another(root, name)):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		f := &file{
			path: name, dir: path.Dir(name), name: path.Base(name), test: strings.HasSuffix(name, "_test.go"),
			lines: bytes.Count(src, []byte("\n")), set: token.NewFileSet(),
		}
		if f.ast, err = parser.ParseFile(f.set, name, src, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return fmt.Errorf("parsing: %w", err)
		}
		f.pkg = f.ast.Name.Name
		for _, spec := range f.ast.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
			}
			f.imports = append(f.imports, imported)
		}
		h = append(h, f)
		return nil
	})
	return h, err
}

// another says whether a directory is a module of its own, which stands beside the house: what it needs is not ours.
func another(root fs.FS, name string) bool {
	_, err := fs.Stat(root, path.Join(name, "go.mod"))
	return name != "." && err == nil
}

// ours returns the directory of a package of ours, "" where the import is another's.
func ours(imported string) string {
	if dir, ok := strings.CutPrefix(imported, module+"/"); ok {
		return dir
	}
	return ""
}

// standard says whether an import is the standard library's.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return ours(imported) == "" && imported != module && !strings.Contains(first, ".")
}

// under says whether a path is one of the names or lies below one.
func under(p string, names ...string) bool {
	for _, n := range names {
		if p == n || strings.HasPrefix(p, n+"/") {
			return true
		}
	}
	return false
}

// reaches returns which packages of ours a package imports, directly or not, tests left out.
func (h house) reaches(dir string) map[string]bool {
	seen := map[string]bool{}
	var visit func(dir string)
	visit = func(dir string) {
		for _, f := range h {
			if f.dir != dir || f.test {
				continue
			}
			for _, imported := range f.imports {
				if to := ours(imported); to != "" && !seen[to] {
					seen[to] = true
					visit(to)
				}
			}
		}
	}
	visit(dir)
	return seen
}

// dirs returns the packages' directories in order.
func (h house) dirs() (list []string) {
	for _, f := range h {
		if !slices.Contains(list, f.dir) {
			list = append(list, f.dir)
		}
	}
	return list
}

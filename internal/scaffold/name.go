package scaffold

import (
	"fmt"
	"go/token"
	"go/types"
	"regexp"
	"slices"
)

var name = regexp.MustCompile(`^[a-z][a-z0-9]{1,29}$`)

// taken are names that a game cannot have: a module of that name would be mistaken for another, or the server's routes
// would be in the way of its page.
var taken = map[string][]string{
	"a package of Go's or of Muster's": {
		"archive", "arena", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug",
		"embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "io", "iter", "log", "maps",
		"math", "mime", "muster", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "simd", "slices", "sort", "strconv",
		"strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique", "unsafe", "weak",
	},
	"a word of the go command": {"all", "cmd", "internal", "main", "std", "test", "testdata", "tool", "vendor", "work"},
	"a path of the server":     {"admin", "assets", "docs", "livez", "metrics", "readyz", "schemas", "v1", "watch"},
}

// CheckName says what is wrong with a game's name. It becomes a Go module, an element of paths and a word in the rules: a
// lower-case letter and 1 to 29 letters or digits, and none that means something else.
func CheckName(game string) error {
	if !name.MatchString(game) {
		return fmt.Errorf("%q is no name of a game: want a lower-case letter, then 1 to 29 of a-z and 0-9", game)
	}
	if token.IsKeyword(game) || types.Universe.Lookup(game) != nil {
		return fmt.Errorf("%q is no name of a game: it is a word of Go", game)
	}
	for what, list := range taken {
		if slices.Contains(list, game) {
			return fmt.Errorf("%q is no name of a game: it is %s", game, what)
		}
	}
	return nil
}

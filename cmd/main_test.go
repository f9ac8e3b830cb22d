package cmd

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"muster/games/arena"
	"muster/match/journal/journaltest"
)

// withArena is a server of one game.
var withArena = []Game{{Game: arena.Game, Bot: arena.Bot}}

func TestMain(m *testing.M) {
	journaltest.Warm()
	testscript.Main(unleaking{m}, map[string]func(){"muster": func() { Main(withArena...) }})
}

// unleaking fails when goroutines are left.
type unleaking struct{ m *testing.M }

func (u unleaking) Run() int {
	code := u.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

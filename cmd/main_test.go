package cmd

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"muster/games/arena"
	"muster/match/journal"
)

// withArena is a server of one game.
var withArena = []Game{{Game: arena.Game, Bot: arena.Bot}}

func TestMain(m *testing.M) {
	// The compressor makes its channels at its first use, and a bubble may not use those of another.
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, journal.Header{Room: "r", Game: "g"})
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		_, err = journal.NewReader(bytes.NewReader(b.Bytes()))
	}
	if err != nil {
		panic(err)
	}
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

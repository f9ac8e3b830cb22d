package lobby

import (
	"fmt"
	"testing"

	"muster/lobby/players"
	"muster/lobby/queue"
)

func TestPlayerWhoBlocksAsManyAsHeMayCanQueue(t *testing.T) {
	rules, err := queue.Rules{Name: "duel", Game: "arena", TeamSize: 2}.Validate()
	if err != nil {
		t.Fatal(err)
	}
	p := queue.Player{ID: "alice"}
	for i := range players.MaxBlocks {
		p.Avoid = append(p.Avoid, fmt.Sprint("b", i))
	}
	if err := rules.Check(&queue.Ticket{ID: "t", Players: []queue.Player{p}}); err != nil {
		t.Error(err)
	}
}

package journal_test

import (
	"context"
	"fmt"
	"os"

	"muster/match/journal"
)

// A room's ticks go to a store; the room that takes over reads what there is and goes on from it.
func ExampleRecorder() {
	dir, _ := os.MkdirTemp("", "journal")
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := journal.OpenFiles(journal.FilesConfig{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()

	rec := journal.NewRecorder(journal.RecorderConfig{Store: store, Header: journal.Header{Room: "room1", Epoch: 1}})
	for tick := uint32(1); tick <= 5; tick++ {
		if rec.NeedsCheckpoint() {
			rec.Checkpoint(tick-1, []byte("the state before this tick"))
		}
		rec.Tick(&journal.Record{Tick: tick})
	}
	fmt.Println(rec.Close(ctx), rec.Durable())

	saved, err := store.Load(ctx, "room1", 2) // the next epoch: the one before is refused from now on
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(saved.Checkpoint.Tick, len(saved.Records))
	header := saved.Header
	header.Epoch = 2
	rec = journal.NewRecorder(journal.RecorderConfig{Store: store, Header: header, Resume: true, After: saved.Last()})
	rec.Tick(&journal.Record{Tick: saved.Last() + 1})
	fmt.Println(rec.Close(ctx), rec.Durable())
	// Output:
	// <nil> 5
	// 0 5
	// <nil> 6
}

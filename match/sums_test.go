package match

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"muster/match/journal"
)

// The sums of a tick are those of its state alone: a record does not grow with the match, and a room that goes on from
// its journal writes the same.
func TestRecordsSumsAreThoseOfItsTickAlsoAfterARestore(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := deskGame(t, desk{}, journalled)
		h, rm, _ := startDesk(t, g, openFiles(t, dir), 9)
		a := newClerk(t, g, rm, 1)
		ticks(30)
		a.do(opDice, 0)
		ticks(7)
		left := copied(t, dir)
		closeHost(t, h)

		store := openFiles(t, left)
		h, rm, _ = startDesk(t, g, store, 10)
		b := a.comesBack(rm)
		ticks(3)
		b.do(opDice, 0)
		ticks(20)
		closeHost(t, h)
		var file bytes.Buffer
		if err := store.Export(t.Context(), "r1", &file); err != nil {
			t.Fatal(err)
		}
		rep, err := VerifyReplay(g, bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if rep.Differs != nil || rep.Checked < 50 {
			t.Errorf("%d ticks agree; then %+v", rep.Checked, rep.Differs)
		}
		rd, err := journal.NewReader(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		columns := 0
		for g.Schema().ColumnName(columns) != "" {
			columns++
		}
		for {
			rec, _, err := rd.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec != nil && len(rec.Sums) != columns {
				t.Fatalf("tick %d has %d sums, the state has %d columns", rec.Tick, len(rec.Sums), columns)
			}
		}
	})
}

package match

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"muster/match/journal"
)

// What a record keeps of the state's columns is of its own tick, however long the match is.
func TestRecordsOfALongMatchHaveOneSumForEachColumn(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(t.TempDir(), "match.muster")
	g := deskGame(t, desk{}, journalled)
	columns := 0
	for g.Schema().ColumnName(columns) != "" {
		columns++
	}
	synctest.Test(t, func(t *testing.T) {
		store := openFiles(t, dir)
		h, rm, _ := startDesk(t, g, store, 9)
		a := newClerk(t, g, rm, 1)
		for range 2000 {
			a.do(opDice, 0)
			ticks(1)
		}
		closeHost(t, h)
		export(t, store, "r1", out)
	})
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rd, err := journal.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		rec, _, err := rd.Next()
		if err != nil {
			break
		}
		if rec == nil {
			continue
		}
		if n++; len(rec.Sums) != columns || rec.Tick != uint32(n) {
			t.Fatalf("record %d is of tick %d and has %d sums, want %d", n, rec.Tick, len(rec.Sums), columns)
		}
	}
	if n < 1990 || rd.Truncated() {
		t.Errorf("%d records, cut short: %v", n, rd.Truncated())
	}
	if rep := verify(t, g, out); rep.Differs != nil || rep.Ticks != n || rep.Checked != n || rep.Gaps != 0 {
		t.Errorf("the replay: %+v", rep)
	}
}

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

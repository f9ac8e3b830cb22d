package matchtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/match"
	"muster/match/journal"
)

// tape is the recording of a room.
type tape struct {
	first   journal.Checkpoint
	records []match.TickRecord
}

// begin notes the state before the first tick.
func (tp *tape) begin(r *Room) {
	r.t.Helper()
	var err error
	if tp.first, err = r.run.Checkpoint(); err != nil {
		r.failed("taking a checkpoint", err)
	}
}

// add notes a tick, with what the state came to.
func (tp *tape) add(r *Room, rec *match.TickRecord) {
	r.run.Seal(rec)
	tp.records = append(tp.records, *rec)
}

// Save writes the match so far as a replay, which Verify and `muster replay` read. Directories are made.
func (r *Room) Save(file string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		r.t.Fatalf("matchtest: saving a replay: %v", err)
	}
	var b bytes.Buffer
	if err := r.write(&b); err != nil {
		r.t.Fatalf("matchtest: saving a replay: %v", err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil { //nolint:gosec // a fixture, for everybody
		r.t.Fatalf("matchtest: saving a replay: %v", err)
	}
}

func (r *Room) write(b *bytes.Buffer) error {
	rules := r.game.Rules()
	w, err := journal.NewWriter(b, journal.Header{
		Room: r.spec.ID, Game: r.game.Name(), Rules: rules.Version, Seed: r.spec.Seed, Epoch: r.spec.Epoch,
		TickRate: uint16(rules.TickRate), Seats: uint16(rules.Seats), Class: rules.Durability.String(), //nolint:gosec // bounded
		Config: r.spec.Config, Layout: r.game.Schema().Binary(), Reason: "test",
	})
	if err != nil {
		return err //nolint:wrapcheck // Save says of what
	}
	if err := w.Checkpoint(r.tape.first); err != nil {
		return err //nolint:wrapcheck // as above
	}
	for i := range r.tape.records {
		if err := w.Append(&r.tape.records[i]); err != nil {
			return err //nolint:wrapcheck // as above
		}
	}
	return w.Close() //nolint:wrapcheck // as above
}

// updateEnv is the environment's variable that makes Fixture record.
const updateEnv = "MUSTER_UPDATE"

// Fixture holds a game to a recorded match: it runs the replay in file again, as Verify does. With MUSTER_UPDATE=1 in the
// environment it plays the script first and writes the file anew.
func Fixture(t testing.TB, game match.Game, s Script, file string) {
	t.Helper()
	if os.Getenv(updateEnv) == "1" {
		Run(t, game, s).Save(file)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("matchtest: there is no recorded match (%v): run the test with %s=1 to record it", err, updateEnv)
	}
	Verify(t, game, file)
}

// Verify runs a replay again, a fixture or one that a server saved, and ends the test with the tick and the column that
// come out otherwise.
func Verify(t testing.TB, game match.Game, file string) {
	t.Helper()
	b, err := os.ReadFile(file) //nolint:gosec // the test's own
	if err != nil {
		t.Fatalf("matchtest: %v", err)
	}
	rep, err := match.VerifyReplay(game, bytes.NewReader(b))
	switch {
	case err != nil:
		t.Fatalf("matchtest: %s: %v", file, err)
	case rep.Panic != nil:
		t.Fatalf("matchtest: %s: %v\n%s", file, rep.Panic, rep.Panic.Stack)
	case rep.Differs != nil:
		d := rep.Differs
		t.Fatalf("matchtest: %s: tick %d comes out otherwise than recorded: %s%s\n"+
			"It was recorded with version %q of the rules, this is %q. If they were meant to change, give them another version and "+
			"record with %s=1.", file, d.Tick, d.Field, indented(d.Rows), rep.Header.Rules, game.Rules().Version, updateEnv)
	case rep.Truncated:
		t.Fatalf("matchtest: %s ends in the middle, after tick %d", file, rep.Last)
	case rep.Checked == 0 && rep.Checkpoints < 2:
		t.Fatalf("matchtest: %s has nothing to compare with", file)
	}
}

// indented are lines below another.
func indented(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "\n\t" + strings.Join(lines, "\n\t")
}

// restored returns a run of a game at a checkpoint.
func restored(t testing.TB, game match.Game, spec match.Spec, tick uint32, data []byte) *match.Replay {
	t.Helper()
	run, err := match.NewReplay(game, spec)
	if err == nil {
		err = run.Restore(journal.Checkpoint{Tick: tick, Data: data})
	}
	if err != nil {
		t.Fatalf("matchtest: going on from the checkpoint of tick %d: %v", tick, err)
	}
	return run
}

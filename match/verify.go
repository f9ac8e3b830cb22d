package match

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"muster/match/journal"
	"muster/proto"
)

// Report is what running a replay again came to.
type Report struct {
	Header      journal.Header
	First, Last uint32 // the ticks that were run: those after First, up to Last
	Ticks       int    // how many of them
	Checked     int    // how many of them had a hash to compare with
	Checkpoints int    // how many checkpoints were read: the first begins the run, the others are compared with it
	Gaps        int    // how many of them only began the run anew, since ticks before them are missing
	Inputs      int
	Events      int
	Truncated   bool        // the file ends in the middle: what came before is what was run
	Damage      error       // nil where it was only cut there; else what is wrong with it
	Differs     *Difference // the first tick at which this run is another; nil when it is the same
	Panic       *PanicError // the rules panicked, and the run ended there
	Ended       bool        // the match came to its end
	Result      []Placement // then
	Players     []Player    // who has a seat at the end
	Skipped     []uint32    // ticks that were run without their inputs, since the rules had panicked; at most maxSkipped

	same uint32 // the newest tick at which both were seen to be the same
}

// Difference is the first tick at which a replay is not what was recorded.
type Difference struct {
	Tick  uint32
	After uint32 // the newest tick before it at which both were the same
	Field string // the first table or column that differs, as "Ships.X"; "" where the file does not tell
	// Columns are those that differ, by their short sums, at a tick that has them.
	Columns []ColumnDifference
	// Rows are the first differing values, as "Ships[0x10001].X: 3.5 against 4": recorded against here; only at a
	// checkpoint.
	Rows []string
	// Here are the first rows that the table of Field has here, as "Ships[0x10001]: X 4, Y 2".
	Here []string
	// Record is what was recorded of the tick; nil at a checkpoint.
	Record *TickRecord
}

// ColumnDifference is a column of which a short sum was recorded and another one is here.
type ColumnDifference struct {
	Name           string // as "Ships.X"
	Recorded, Here uint16
}

const (
	// maxRows is how many differing values, and how many rows, a report names.
	maxRows = 20
	// maxSkipped bounds the skipped ticks that it names: a room has one, a file may say that it has millions.
	maxSkipped = 1000
)

// VerifyReplay runs a replay again, from its first checkpoint to its end or its first difference. Where ticks are missing
// it goes on from the checkpoint after them. The error says that
// the file cannot be read or is of another game; what is wrong with the run is in the report.
func VerifyReplay(g Game, src io.ReadSeeker) (*Report, error) {
	rd, err := journal.NewReader(src)
	if err != nil {
		return nil, fmt.Errorf("reading a replay: %w", err)
	}
	rep := &Report{Header: *rd.Header()}
	if rep.Header.Game != g.name {
		return nil, fmt.Errorf("%w: the replay is of game %q, and this is %q", ErrReplay, rep.Header.Game, g.name)
	}
	run, err := NewReplay(g, SpecOf(&rep.Header))
	if err != nil {
		return nil, err
	}
	for begun := false; ; {
		rec, cp, err := rd.Next()
		switch {
		case errors.Is(err, io.EOF):
			if rep.Truncated = rd.Truncated(); rd.Damaged() {
				rep.Damage = rd.Damage()
			}
			rep.Players = run.Players()
			return rep, nil
		case err != nil:
			return nil, fmt.Errorf("reading a replay: %w", err)
		case cp != nil && !begun:
			if err := run.Restore(*cp); err != nil {
				return nil, err
			}
			begun = true
			rep.First, rep.Last, rep.same = cp.Tick, cp.Tick, cp.Tick
			rep.Checkpoints++
		case cp != nil && cp.Tick > run.tick: // of the ticks between nothing is known
			if run, err = NewReplay(g, SpecOf(&rep.Header)); err != nil {
				return nil, err
			}
			if err := run.Restore(*cp); err != nil {
				return nil, err
			}
			rep.Checkpoints++
			rep.Gaps++
			rep.Last, rep.same = cp.Tick, cp.Tick
		case cp != nil:
			if rep.Differs, err = run.against(*cp); err != nil {
				return nil, err
			}
			rep.Checkpoints++
			rep.agree(cp.Tick)
		case !begun:
			return nil, fmt.Errorf("%w: it does not begin with a checkpoint", ErrReplay)
		default:
			if err := rep.step(run, rec); err != nil {
				return nil, err
			}
		}
		if rep.Differs != nil || rep.Panic != nil {
			rep.Players = run.Players()
			return rep, nil
		}
	}
}

// step runs one recorded tick and compares.
func (rep *Report) step(run *Replay, rec *TickRecord) error {
	if rec.Tick != rep.Last+1 {
		return fmt.Errorf("%w: tick %d follows tick %d", ErrReplay, rec.Tick, rep.Last)
	}
	err := run.Step(rec)
	if errors.As(err, &rep.Panic) {
		return nil
	}
	if err != nil {
		return err
	}
	rep.Last = rec.Tick
	rep.Ticks++
	rep.Inputs += len(rec.Inputs)
	rep.Events += len(run.Emitted())
	if rec.Skipped && len(rep.Skipped) < maxSkipped {
		rep.Skipped = append(rep.Skipped, rec.Tick)
	}
	if result, ended := run.Ended(); ended {
		rep.Ended, rep.Result = true, result
	}
	if rec.Hash == 0 && len(rec.Sums) == 0 {
		return nil
	}
	rep.Checked++
	if run.Hash() != rec.Hash {
		rep.Differs = run.unlike(rec)
	}
	rep.agree(rec.Tick)
	return nil
}

// agree notes that a tick was compared.
func (rep *Report) agree(tick uint32) {
	if rep.Differs != nil {
		rep.Differs.After = rep.same
		return
	}
	rep.same = tick
}

// unlike says what of a tick's state is not as it was recorded.
func (r *Replay) unlike(rec *TickRecord) *Difference {
	d := &Difference{Tick: rec.Tick, Field: r.Differs(rec), Record: rec}
	if len(rec.Sums) != len(r.sums) {
		return d
	}
	for i, sum := range r.sums {
		if here := short(sum); here != rec.Sums[i] {
			d.Columns = append(d.Columns, ColumnDifference{r.game.schema.ColumnName(i), rec.Sums[i], here})
		}
	}
	d.Here = r.rows(d.Field)
	return d
}

// rows are the first rows of a field's table.
func (r *Replay) rows(field string) []string {
	table, _, _ := strings.Cut(field, ".")
	list, err := r.game.schema.Show(r.sim.world(), table, maxRows)
	if err != nil {
		return nil // the field names no table: nothing can be shown
	}
	return list
}

// against compares the run with a recorded checkpoint of its tick.
func (r *Replay) against(cp journal.Checkpoint) (_ *Difference, err error) {
	defer r.caught(cp.Tick, &err)
	if cp.Tick != r.tick {
		return nil, fmt.Errorf("%w: a checkpoint of tick %d after tick %d", ErrReplay, cp.Tick, r.tick)
	}
	recorded := r.game.make(r.game, Spec{})
	if err := new(roomState).parse(proto.NewReader(cp.Data), recorded, r.game, true); err != nil {
		return nil, fmt.Errorf("%w: the checkpoint of tick %d: %w", ErrReplay, cp.Tick, err)
	}
	rows, err := r.game.schema.Differences(recorded.world(), r.sim.world(), maxRows)
	if err != nil || len(rows) == 0 {
		return nil, err //nolint:wrapcheck // the states are of the schema's type
	}
	theirs, ours := recorded.sums(nil), r.sim.sums(nil)
	d := &Difference{Tick: cp.Tick, Rows: rows}
	for i := range ours {
		if theirs[i] != ours[i] {
			d.Field = r.game.schema.ColumnName(i)
			break
		}
	}
	d.Here = r.rows(d.Field)
	return d, nil
}

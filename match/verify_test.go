package match

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"muster/match/journal"
	"muster/netcode"
)

// recorded is a match of desk, so many ticks long, as a replay.
func recorded(t *testing.T, n int) []byte {
	t.Helper()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "match.muster")
	synctest.Test(t, func(t *testing.T) {
		store := openFiles(t, dir)
		h, rm, _ := startDesk(t, deskGame(t, desk{}, journalled), store, 9)
		a := newClerk(t, *rm.game, rm, 1)
		for range n {
			a.do(opDice, 0)
			ticks(1)
		}
		closeHost(t, h)
		export(t, store, "r1", out)
	})
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// edited is a replay with its items changed; f says whether an item stays.
func edited(t *testing.T, replay []byte, f func(*journal.Record, *journal.Checkpoint) bool) *bytes.Reader {
	t.Helper()
	rd, err := journal.NewReader(bytes.NewReader(replay))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, *rd.Header())
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, cp, err := rd.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && f(rec, cp) {
			if cp != nil {
				err = w.Checkpoint(*cp)
			} else {
				err = w.Append(rec)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func TestReplayGoesOnPastTicksThatAreMissing(t *testing.T) {
	whole := recorded(t, 100)
	g := deskGame(t, desk{}, journalled)
	var at uint32 // of the second checkpoint
	edited(t, whole, func(_ *journal.Record, cp *journal.Checkpoint) bool {
		if cp != nil && cp.Tick > 10 && at == 0 {
			at = cp.Tick
		}
		return true
	})
	src := edited(t, whole, func(rec *journal.Record, _ *journal.Checkpoint) bool {
		return rec == nil || rec.Tick < at-10 || rec.Tick > at
	})
	rep, err := VerifyReplay(g, src)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Gaps != 1 || rep.Differs != nil || rep.Ticks != 88 || rep.Checked != rep.Ticks {
		t.Errorf("the replay: %+v", rep)
	}
	src = edited(t, whole, func(rec *journal.Record, _ *journal.Checkpoint) bool { return rec == nil || rec.Tick != at-10 })
	if _, err := VerifyReplay(g, src); !errors.Is(err, ErrReplay) {
		t.Errorf("a tick that is missing without a checkpoint after it: %v", err)
	}
}

func TestReportSaysFromWhereOnAReplayDiffersAndInWhat(t *testing.T) {
	whole := recorded(t, 100)
	g := deskGame(t, desk{}, journalled)
	other := func(keep func(uint32) bool) *Report {
		src := edited(t, whole, func(rec *journal.Record, _ *journal.Checkpoint) bool {
			if rec != nil && rec.Tick == 50 {
				rec.Inputs[0].Body[1] = opAdd // not what was played
			}
			if rec != nil && !keep(rec.Tick) {
				rec.Hash, rec.Sums = 0, nil
			}
			return true
		})
		rep, err := VerifyReplay(g, src)
		if err != nil || rep.Differs == nil {
			t.Fatalf("%+v %v", rep, err)
		}
		return rep
	}
	d := other(func(uint32) bool { return true }).Differs
	if d.Tick != 50 || d.After != 49 || d.Field != "Desk.Sum" || d.Record == nil || d.Record.Tick != 50 ||
		d.Columns[0].Name != "Desk.Sum" || d.Columns[0].Recorded == d.Columns[0].Here ||
		len(d.Here) != 1 || !strings.HasPrefix(d.Here[0], "Desk: Sum ") {
		t.Errorf("with hashes: %+v", d)
	}
	if got := g.ShowInput(d.Record.Inputs[0].Body); got != "{Op:0 N:0}" {
		t.Errorf("the input is %s", got)
	}
	d = other(func(tick uint32) bool { return tick < 40 || tick == 55 }).Differs
	if d.Tick != 55 || d.After < 39 || d.After >= 50 || d.Record == nil {
		t.Errorf("with few: %+v", d)
	}
	d = other(func(uint32) bool { return false }).Differs
	if d.Tick < 50 || d.After >= 50 || d.After == 0 || d.Record != nil || len(d.Rows) == 0 || !strings.HasPrefix(d.Rows[0], "Desk.Sum: ") || len(d.Here) != 1 {
		t.Errorf("with checkpoints alone: %+v", d)
	}
}

func TestReplayRefusesSeatsThatTheRoomHasNot(t *testing.T) {
	whole := recorded(t, 30)
	g := deskGame(t, desk{}, journalled)
	for _, seat := range []uint16{0, 17, 65535} {
		for name, change := range map[string]func(*journal.Record){
			"input": func(rec *journal.Record) { rec.Inputs = append(rec.Inputs, journal.InputRecord{Seat: seat}) },
			"change": func(rec *journal.Record) {
				rec.Seats = append(rec.Seats, SeatChange{Kind: SeatLeft, Player: Player{Seat: netcode.Seat(seat)}})
			},
		} {
			src := edited(t, whole, func(rec *journal.Record, _ *journal.Checkpoint) bool {
				if rec != nil && rec.Tick == 9 {
					change(rec)
				}
				return true
			})
			if rep, err := VerifyReplay(g, src); !errors.Is(err, ErrReplay) {
				t.Errorf("%s of seat %d: %+v %v", name, seat, rep, err)
			}
		}
	}
}

// A checkpoint of a file may say anything: it is refused, or it differs, or its rules panic, and the process goes on.
func FuzzCheckpointsOfReplays(f *testing.F) {
	f.Add(uint8(0), uint32(3), uint8(0xff), uint8(1))
	f.Add(uint8(1), uint32(30), uint8(0x80), uint8(2))
	f.Add(uint8(1), uint32(200), uint8(0xdd), uint8(9))
	var whole []byte
	f.Fuzz(func(t *testing.T, which uint8, at uint32, value, step uint8) {
		if whole == nil {
			whole = recorded(t, 45)
		}
		g := deskGame(t, desk{}, journalled)
		n := uint8(0)
		src := edited(t, whole, func(_ *journal.Record, cp *journal.Checkpoint) bool {
			if cp == nil {
				return true
			}
			if n == which%3 {
				for i := int(at) % len(cp.Data); i < len(cp.Data); i += int(step)*7 + 1 {
					cp.Data[i] ^= value
				}
			}
			n++
			return true
		})
		rep, err := VerifyReplay(g, src)
		if value == 0 && (err != nil || rep.Differs != nil || rep.Panic != nil) {
			t.Errorf("a replay that nobody changed: %+v %v", rep, err)
		}
		if err == nil && rep.Panic != nil && rep.Panic.Tick == 0 {
			t.Errorf("a panic outside of the rules: %v", rep.Panic)
		}
	})
}

package match

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// toiler is a game that begins work in every third tick and counts what comes of it.
type toiler struct{}

func (toiler) Step(s *netcode.Step[dotWorld, dotInput]) {
	for _, p := range s.State.Dots.All() {
		p.X += float32(1 + s.Rand().IntN(2))
	}
}

func (toiler) Join(r *Room[dotWorld], p Player) error {
	r.State().Dots.Add(dot{Owner: p.Seat})
	return nil
}

func (toiler) After(r *Room[dotWorld]) {
	if r.Tick()%3 == 0 {
		_, _ = r.Do("toil", func(context.Context) ([]byte, error) { return nil, nil })
	}
	if r.Tick() == 12 {
		r.End([]Placement{{Seat: 1, Rank: 1}})
	}
}

func (toiler) Done(r *Room[dotWorld], w Work) {
	for _, p := range r.State().Dots.All() {
		p.Ammo += uint8(w.ID)
	}
}

func (toiler) End(r *Room[dotWorld]) { r.Emit(netcode.Everyone(), moved{9}) }

// toil runs ticks from the one after the replay's, with a player and the results that are due.
func toil(t *testing.T, r *Replay, to uint32, each func(rec *TickRecord)) {
	t.Helper()
	var begun []BegunWork
	for r.Tick() < to {
		rec := TickRecord{Tick: r.Tick() + 1}
		if rec.Tick == 1 {
			rec.Seats = []SeatChange{{Kind: SeatJoined, Player: Player{Seat: 2, ID: "b", Name: "Bert"}}}
		}
		for _, w := range begun {
			rec.Results = append(rec.Results, w.Result([]byte(w.Kind), nil))
		}
		if err := r.Step(&rec); err != nil {
			t.Fatal(err)
		}
		begun = slices.Clone(r.Works())
		each(&rec)
	}
}

func newToiler(t *testing.T) (Game, *Replay) {
	t.Helper()
	g := Define[dotWorld, dotInput]("toiler", toiler{}, Rules{Events: []any{moved{}}})
	r, err := NewReplay(g, Spec{Seed: 3})
	if err == nil {
		err = r.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	return g, r
}

func TestAReplaysHashIsThatOfItsState(t *testing.T) {
	g, r := newToiler(t)
	last := uint64(0)
	toil(t, r, 10, func(*TickRecord) {
		want, err := g.Schema().StateHash(r.State())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := r.Hash(); got != want || got == last {
				t.Fatalf("tick %d: the hash is %x, want %x", r.Tick(), got, want)
			}
		}
		last = want
	})
}

func TestAReplayGoesOnFromItsOwnCheckpoint(t *testing.T) {
	_, whole := newToiler(t)
	var hashes []uint64
	toil(t, whole, 11, func(*TickRecord) { hashes = append(hashes, whole.Hash()) })
	g, r := newToiler(t)
	toil(t, r, 5, func(*TickRecord) {})
	cp, err := r.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewReplay(g, Spec{Seed: 99}) // the random source is the checkpoint's
	if err == nil {
		err = again.Restore(cp)
	}
	if err != nil || again.Tick() != 5 || again.Hash() != hashes[4] {
		t.Fatalf("at tick %d with hash %x, want 5 and %x: %v", again.Tick(), again.Hash(), hashes[4], err)
	}
	toil(t, again, 11, func(rec *TickRecord) {
		if again.Hash() != hashes[rec.Tick-1] {
			t.Fatalf("tick %d: another hash", rec.Tick)
		}
	})
	if p := again.Players(); !slices.Equal(p, []Player{{Seat: 2, ID: "b", Name: "Bert"}}) {
		t.Errorf("players %+v", p)
	}
}

func TestASealedReplayIsVerified(t *testing.T) {
	g, r := newToiler(t)
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, journal.Header{Room: "r", Game: "toiler", Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	cp, err := r.Checkpoint()
	if err == nil {
		err = w.Checkpoint(cp)
	}
	toil(t, r, 12, func(rec *TickRecord) {
		r.Seal(rec)
		if d := r.Differs(rec); d != "" {
			t.Errorf("tick %d: %s differs from its own seal", rec.Tick, d)
		}
		if err == nil {
			err = w.Append(rec)
		}
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	rep, err := VerifyReplay(g, bytes.NewReader(b.Bytes()))
	if err != nil || rep.Differs != nil || rep.Checked != 12 || !rep.Ended {
		t.Errorf("the report: %+v, %v", rep, err)
	}
}

func TestAReplayRunsTheEndHook(t *testing.T) {
	_, r := newToiler(t)
	toil(t, r, 12, func(*TickRecord) {})
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	result, ended := r.Ended()
	if e := r.Emitted(); len(e) != 1 || e[0].Event != (moved{9}) || !ended || len(result) != 1 {
		t.Errorf("emitted %+v, ended %v with %+v", e, ended, result)
	}
}

func TestResultsOfWorkAreBounded(t *testing.T) {
	b := BegunWork{ID: 7}
	if r := b.Result(make([]byte, maxWorkData), nil); r.ID != 7 || len(r.Body) != maxWorkData || r.Err != "" {
		t.Errorf("the longest result: %d bytes, error %q", len(r.Body), r.Err)
	}
	if r := b.Result(make([]byte, maxWorkData+1), nil); r.Body != nil || !strings.Contains(r.Err, "65537 bytes") {
		t.Errorf("a longer one: %d bytes, error %q", len(r.Body), r.Err)
	}
	long := &proto.Close{Reason: strings.Repeat("x", 500)}
	if r := b.Result([]byte("x"), long); r.Body != nil || r.Err == "" || len(r.Err) > maxReason {
		t.Errorf("an error: %d bytes, error of %d", len(r.Body), len(r.Err))
	}
}

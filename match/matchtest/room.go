package matchtest

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"muster/match"
	"muster/netcode"
)

// Config is what a room is made with. The zero value serves.
type Config struct {
	Seed uint64 // of the room's random sources
	// Expect is how many players must have joined before the match starts, see Room.Start; 0 starts it with the first one.
	Expect int
	Config any // what the room is created with: of the type of Rules.Config, or []byte, JSON as a client wrote it
}

// configBytes is a config as a room gets it.
func configBytes(config any) ([]byte, error) {
	switch v := config.(type) {
	case nil:
		return nil, nil
	case []byte:
		return v, nil
	}
	return json.Marshal(config) //nolint:wrapcheck // callers say of what
}

// Room is a room that a test drives. What it does wrong ends the test. Nobody's leaving ends it: Rules.Empty does not
// count here.
type Room struct {
	t      testing.TB
	game   match.Game
	spec   match.Spec
	run    *match.Replay
	expect int
	joins  int              // how many ever joined
	enough bool             // Start was called
	rec    match.TickRecord // what the next tick is made of
	seats  []seat           // by seat
	rng    *rand.Rand

	works   []match.BegunWork // of which no result has come
	refused []Refusal
	fed     int // how often
	kicked  []netcode.Seat
	said    []string // what the last tick had for the world outside
	ended   bool
	result  []match.Placement
	tape    tape
}

// seat is a place in the match, as a server holds it.
type seat struct {
	player   match.Player
	taken    bool
	gone     bool   // dropped, and held until its deadline
	deadline uint32 // in ticks
	late     float64
	seq      uint32
	inputs   *netcode.InputBuffer
	events   []any
}

// roomID is the id of every room here.
const roomID = "matchtest"

// New opens a room: the game's Open hook has run. A game whose definition is wrong ends the test.
func New(t testing.TB, game match.Game, cfg Config) *Room {
	t.Helper()
	r := &Room{
		t: t, game: game, expect: cfg.Expect,
		spec: match.Spec{ID: roomID, Game: game.Name(), Seed: cfg.Seed, Epoch: 1},
		rng:  rand.New(rand.NewPCG(cfg.Seed, 0x74657374)), //nolint:gosec // a script's dice, the same each time
	}
	var err error
	if r.spec.Config, err = configBytes(cfg.Config); err != nil {
		t.Fatalf("matchtest: the config: %v", err)
	}
	if r.run, err = match.NewReplay(game, r.spec); err != nil {
		t.Fatalf("matchtest: the game cannot be run: %v", err)
	}
	r.seats = make([]seat, game.Rules().Seats+1)
	if err := r.run.Open(); err != nil {
		r.failed("the Open hook", err)
	}
	r.begun()
	r.tape.begin(r)
	return r
}

// failed ends the test with an error of the game's code.
func (r *Room) failed(what string, err error) {
	r.t.Helper()
	var p *match.PanicError
	if errors.As(err, &p) {
		r.t.Fatalf("matchtest: %s: %v\n%s", what, err, p.Stack)
	}
	r.t.Fatalf("matchtest: %s: %v", what, err)
}

// Rand is a random source for what a test does, seeded with Config.Seed. The game's own are others.
func (r *Room) Rand() *rand.Rand { return r.rng }

// TickNumber is the tick that the state is of; 0 before the first.
func (r *Room) TickNumber() uint32 { return r.run.Tick() }

// Hash is the hash of the exact state.
func (r *Room) Hash() uint64 { return r.run.Hash() }

// Ended says whether the match has ended, and with what result. Its End hook has run then.
func (r *Room) Ended() (result []match.Placement, ended bool) { return r.result, r.ended }

// State returns the game's state, which the rules go on with: what a test changes in it is no part of a recording.
func State[S any](r *Room) *S {
	r.t.Helper()
	s, ok := r.run.State().(*S)
	if !ok {
		r.t.Fatalf("matchtest: the state of game %q is a %T, not a %T", r.game.Name(), r.run.State(), s)
	}
	return s
}

// Tick runs n ticks, or less when the match ends meanwhile. It cannot be called after that.
func (r *Room) Tick(n int) {
	r.t.Helper()
	if r.ended {
		r.t.Fatalf("matchtest: the match has ended at tick %d: no tick follows", r.run.Tick())
	}
	for range n {
		if r.step(); r.ended {
			return
		}
	}
}

// step runs one tick, as a server does.
func (r *Room) step() {
	r.t.Helper()
	rec := r.rec
	r.rec = match.TickRecord{} // the tape keeps the other
	rec.Tick = r.run.Tick() + 1
	r.expire(&rec)
	r.collect(&rec)
	rec.Started = r.starts()
	if err := r.run.Step(&rec); err != nil {
		r.failed("the tick", err)
	}
	r.tape.add(r, &rec)
	r.said = r.said[:0]
	r.outcome()
	if r.result, r.ended = r.run.Ended(); !r.ended {
		return
	}
	r.say("the match ends: %+v", r.result)
	if err := r.run.End(); err != nil {
		r.failed("the End hook", err)
	}
	r.emitted()
}

// Restart lets the room go on in another one, from a checkpoint, as after a failover. What a game remembers anywhere but
// in its state is lost then.
func (r *Room) Restart() {
	r.t.Helper()
	cp, err := r.run.Checkpoint()
	if err != nil {
		r.failed("taking a checkpoint", err)
	}
	r.run = r.at(cp.Data)
}

// at returns a room's run at a checkpoint of the present tick.
func (r *Room) at(data []byte) *match.Replay {
	r.t.Helper()
	return restored(r.t, r.game, r.spec, r.run.Tick(), data)
}

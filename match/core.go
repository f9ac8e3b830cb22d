package match

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"muster/netcode"
	"muster/proto"
)

// simulation is a game's core without its types: a deterministic machine from records to state and effects.
// One goroutine uses it.
type simulation interface {
	// open prepares the state before the first tick.
	open(out *effects) error
	// step applies one record. Its errors are those of the record (an input that does not decode), which the edge's
	// checks make impossible; a panic of the rules passes through.
	step(rec *TickRecord, out *effects) error
	// end runs the End hook.
	end(out *effects)
	// appendCheckpoint writes what the simulation goes on from; restore makes a new one go on from there, in place of open.
	appendCheckpoint(w *proto.Writer) error
	// rules says whether the same rules wrote it: others may have other inputs, so what is held of theirs is dropped.
	restore(r *proto.Reader, sameRules bool) error
	// sums returns one sum for each column of the exact state, in dst's memory where that suffices; together they are
	// its hash.
	sums(dst []uint64) []uint64
	// pendingWork returns the work of which no result has come.
	pendingWork() []uint32
	// started says whether the match has started.
	started() bool
	// players are those who have a seat.
	players() []Player
	// world is the state, a pointer to it.
	world() any
	// ordered says what came of an order that was done not long ago.
	ordered(id string) (doneOrder, bool)
	// team is that of a player who has the seat.
	team(seat netcode.Seat) uint16
	// capture hands the state to the encoder.
	capture(tick uint32, enc *netcode.Encoder)
}

// effects are what a step wants done outside the state. The loop carries them out; a replay drops them.
type effects struct {
	refusedJoins []refusedJoin
	emitted      []netcode.Emission
	refused      []netcode.Refusal
	kicked       []kick
	works        []BegunWork
	unchecked    int // samples that Check refused
	doors        doors
	teams        bool // somebody is in another team
	ordered      []doneOrder
	ended        bool
	endedFor     string // why, where an order ended the match
	result       []Placement
}

// doors says whether new players may come; the zero value is no change.
type doors uint8

const (
	doorsOpen doors = iota + 1
	doorsClosed
)

type refusedJoin struct {
	player Player
	reason string
}

type kick struct {
	seat   netcode.Seat
	reason string
}

func (e *effects) reset() {
	e.refusedJoins = e.refusedJoins[:0]
	clear(e.emitted) // events must not outlive their tick
	e.emitted = e.emitted[:0]
	e.refused = e.refused[:0]
	e.kicked = e.kicked[:0]
	clear(e.works)
	e.works = e.works[:0]
	e.unchecked, e.doors, e.teams = 0, 0, false
	e.ordered = e.ordered[:0]
	e.ended, e.endedFor, e.result = false, "", nil
}

type core[S, In any] struct {
	game    *Game
	impl    Stepper[S, In]
	hooks   hooks[S, In]
	state   S
	driver  *netcode.Driver[S, In]
	room    Room[S]
	held    []held[In] // by seat; samples only
	in      In         // the input being read
	scratch []byte
	summed  *netcode.Sums
	scopes  func(*netcode.Scopes) // nil: everybody sees everything

	doneOrders []doneOrder // the newest, the oldest of them first
}

// held is the newest sample of a seat.
type held[In any] struct {
	in    In
	body  []byte // as it was recorded
	team  uint16 // the player's when it was checked
	seq   uint32
	view  uint32
	frac  uint8
	until uint32 // the last tick at which it counts; 0 = none
}

func newCore[S, In any](g *Game, spec Spec, impl Stepper[S, In], h hooks[S, In]) *core[S, In] {
	c := &core[S, In]{game: g, impl: impl, hooks: h, summed: g.schema.NewSums(), held: make([]held[In], g.rules.Seats+1)}
	if err := g.schema.Bind(&c.state); err != nil {
		panic(err) // Define compiled the schema from this very type
	}
	c.driver = netcode.NewDriver[S, In](&c.state, netcode.DriverConfig{
		Rate: g.rules.TickRate, Seed: spec.Seed, Schema: g.schema, Window: int(g.rules.ticks(g.rules.Rewind)),
	})
	if h.scopes != nil {
		c.scopes = func(sc *netcode.Scopes) { h.scopes.Scopes(&c.state, sc) }
	}
	config, err := g.rules.readConfig(spec.Config)
	if err != nil {
		panic(err) // whoever opens a room has checked it
	}
	dice := rand.NewPCG(spec.Seed, 0x686f6f6b73) // a stream apart from Step's, so that neither disturbs the other
	c.room = Room[S]{
		state: &c.state, id: spec.ID, config: config, rate: g.rules.TickRate, dice: dice,
		rng:    rand.New(dice), //nolint:gosec // a game's dice, the same in a replay
		roster: roster{players: make([]Player, g.rules.Seats+1), taken: make([]bool, g.rules.Seats+1)},
	}
	return c
}

func (c *core[S, In]) open(out *effects) error {
	c.room.out = out
	if c.hooks.open == nil {
		return nil
	}
	return c.hooks.open.Open(&c.room) //nolint:wrapcheck // the game's own
}

func (c *core[S, In]) step(rec *TickRecord, out *effects) error {
	c.room.out = out
	for i := range rec.Seats {
		c.seat(&rec.Seats[i], out)
	}
	if rec.Started {
		c.start()
	}
	for i := range rec.Results {
		c.result(&rec.Results[i])
	}
	for i := range rec.Orders {
		c.order(rec, &rec.Orders[i], out)
	}
	c.driver.Begin(rec.Tick)
	if err := c.inputs(rec, out); err != nil {
		return err
	}
	c.driver.Run(c.impl.Step)
	c.room.tick = rec.Tick
	out.emitted = append(out.emitted, c.driver.Emitted()...)
	out.refused = append(out.refused, c.driver.Refused()...)
	if c.hooks.after != nil {
		c.hooks.after.After(&c.room)
	}
	c.driver.Capture()
	return nil
}

// seat applies one seat change and runs its hook. A player whose join was refused has no seat to drop or leave.
func (c *core[S, In]) seat(ch *SeatChange, out *effects) {
	p := ch.Player
	if ch.Kind != SeatJoined {
		if !c.room.taken[p.Seat] {
			return
		}
		p = c.room.players[p.Seat] // with the team that the rules may have given since
	}
	switch ch.Kind {
	case SeatJoined:
		c.room.players[p.Seat], c.room.taken[p.Seat] = p, true
		if c.hooks.join == nil {
			return
		}
		if err := c.hooks.join.Join(&c.room, p); err != nil {
			c.room.taken[p.Seat] = false
			out.refusedJoins = append(out.refusedJoins, refusedJoin{p, err.Error()})
		}
	case SeatDropped:
		c.held[p.Seat].until = 0
		if c.hooks.drop != nil {
			c.hooks.drop.Drop(&c.room, p)
		}
	case SeatResumed:
		if c.hooks.resume != nil {
			c.hooks.resume.Resume(&c.room, p)
		}
	case SeatLeft:
		c.held[p.Seat].until = 0
		if c.hooks.leave != nil {
			c.hooks.leave.Leave(&c.room, p)
		}
		c.room.taken[p.Seat] = false
	}
}

// start begins the match, once, if anybody has a seat.
func (c *core[S, In]) start() {
	if c.room.started || !slices.Contains(c.room.taken, true) {
		return
	}
	c.room.started = true
	if c.hooks.start != nil {
		c.hooks.start.Start(&c.room)
	}
}

// inputs hands the record's inputs to the driver, in the order of seats. A sample goes on counting for a while when
// none follows, so that a late packet does not let go of a player's controls.
func (c *core[S, In]) inputs(rec *TickRecord, out *effects) error {
	samples, hold := c.game.rules.Inputs == proto.Samples, netcode.HoldTicks(c.game.rules.TickRate)
	for i := range rec.Inputs {
		ir := &rec.Inputs[i]
		seat := netcode.Seat(ir.Seat)
		if rec.Skipped { // the rules failed when they were given it
			if !samples {
				out.refused = append(out.refused, netcode.Refusal{Seat: seat, Seq: ir.Seq, Reason: "the rules failed"})
			}
			continue
		}
		var zero In
		c.in = zero
		if err := c.game.schema.ReadInput(ir.Body, &c.in); err != nil {
			return fmt.Errorf("input %d of seat %d: %w", ir.Seq, ir.Seat, err)
		}
		if c.hooks.check != nil {
			if err := c.hooks.check.Check(c.room.players[seat], &c.in); err != nil {
				if samples {
					out.unchecked++
				} else {
					out.refused = append(out.refused, netcode.Refusal{Seat: seat, Seq: ir.Seq, Reason: err.Error()})
				}
				continue
			}
		}
		if !samples {
			c.driver.Input(seat, ir.Seq, ir.View, ir.Frac, &c.in)
			continue
		}
		h := &c.held[seat]
		h.in, h.seq, h.view, h.frac = c.in, ir.Seq, ir.View, ir.Frac
		h.body, h.team = append(h.body[:0], ir.Body...), c.room.players[seat].Team
		h.until = rec.Tick + hold
	}
	for seat := range c.held {
		if h := &c.held[seat]; h.until >= rec.Tick {
			since := rec.Tick + hold - h.until // ticks for which it is held: its player's picture went on meanwhile
			c.driver.Input(netcode.Seat(seat), h.seq, h.view+since, h.frac, &h.in)
		}
	}
	return nil
}

func (c *core[S, In]) sums(dst []uint64) []uint64 {
	dst, err := c.summed.ColumnSums(&c.state, dst[:0])
	if err != nil {
		panic(err) // the state is of the schema's type
	}
	return dst
}

func (c *core[S, In]) started() bool { return c.room.started }

func (c *core[S, In]) players() []Player { return slices.Collect(c.room.Players()) }

func (c *core[S, In]) world() any { return &c.state }

func (c *core[S, In]) team(seat netcode.Seat) uint16 { return c.room.players[seat].Team }

func (c *core[S, In]) end(out *effects) {
	c.room.out = out
	if c.hooks.end != nil {
		c.hooks.end.End(&c.room)
	}
}

func (c *core[S, In]) capture(tick uint32, enc *netcode.Encoder) {
	enc.CaptureScoped(tick, &c.state, c.scopes)
}

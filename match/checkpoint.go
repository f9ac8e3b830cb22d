package match

import (
	"fmt"
	"slices"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// Bounds of what a checkpoint holds beside the state.
const (
	maxSimulation = journal.MaxCheckpoint
	maxHeld       = proto.MaxInputBody * 2 // ids of rows may be longer than on the wire
	maxKind       = 1 << 10
	maxDice       = 64
)

// appendCheckpoint writes all that the simulation is a function of from here on, but for the records to come: the
// driver's part (state, random source, rewound past), the hooks' random source, who sits where, the samples that still
// count, the work under way, and the newest orders.
func (c *core[S, In]) appendCheckpoint(w *proto.Writer) error {
	var err error
	if c.scratch, err = c.driver.AppendCheckpoint(c.scratch[:0]); err != nil {
		return fmt.Errorf("taking a checkpoint: %w", err)
	}
	dice, err := c.room.dice.MarshalBinary()
	if err != nil {
		return fmt.Errorf("taking a checkpoint: %w", err)
	}
	n := 7
	if len(c.doneOrders) > 0 { // else it is as it was before there were orders
		n = 8
	}
	w.Array(n)
	w.Bin(c.scratch)
	w.Bin(dice)
	w.Uint(uint64(c.room.tick))
	w.Array(count(len(c.room.taken), func(i int) bool { return c.room.taken[i] }))
	for seat, taken := range c.room.taken {
		if !taken {
			continue
		}
		p := &c.room.players[seat]
		w.Array(4)
		w.Uint(uint64(seat))
		w.Str(p.ID)
		w.Str(p.Name)
		w.Uint(uint64(p.Team))
	}
	w.Array(count(len(c.held), func(i int) bool { return c.held[i].until != 0 }))
	for seat := range c.held {
		h := &c.held[seat]
		if h.until == 0 {
			continue
		}
		w.Array(7)
		w.Uint(uint64(seat))
		w.Uint(uint64(h.team))
		w.Uint(uint64(h.seq))
		w.Uint(uint64(h.view))
		w.Uint(uint64(h.frac))
		w.Uint(uint64(h.until))
		w.Bin(h.body)
	}
	w.Array(1 + len(c.room.pending))
	w.Uint(uint64(c.room.last))
	for _, p := range c.room.pending {
		w.Array(2)
		w.Uint(uint64(p.id))
		w.Str(p.kind)
	}
	w.Bool(c.room.started)
	if n > 7 {
		c.appendOrders(w)
	}
	return nil
}

// count is for how many of n something holds.
func count(n int, holds func(int) bool) (sum int) {
	for i := range n {
		if holds(i) {
			sum++
		}
	}
	return sum
}

// restore brings a new simulation to where another was when it wrote the checkpoint.
func (c *core[S, In]) restore(r *proto.Reader, sameRules bool) error {
	seats := len(c.held)
	n := r.Array("simulation", 8)
	if r.Err() == nil && n < 6 {
		r.Fail("simulation", fmt.Sprintf("%d elements, at least 6 needed", n))
	}
	state := append([]byte(nil), r.Bin("state", maxSimulation)...)
	dice := append([]byte(nil), r.Bin("dice", maxDice)...)
	c.room.tick = r.Uint32("tick")
	for range r.Array("players", seats) {
		r.Fixed("player", 4)
		seat := r.Uint("seat", uint64(seats-1)) //nolint:gosec // at least 1
		p := Player{
			Seat: netcode.Seat(seat), ID: r.Str("id", journal.MaxText), Name: r.Str("name", journal.MaxText), //nolint:gosec // bounded
			Team: r.Uint16("team"),
		}
		if r.Err() == nil {
			c.room.players[seat], c.room.taken[seat] = p, true
		}
	}
	for range r.Array("samples", seats) {
		r.Fixed("sample", 7)
		seat := r.Uint("seat", uint64(seats-1)) //nolint:gosec // at least 1
		h := held[In]{
			team: r.Uint16("team"),
			seq:  r.Uint32("seq"), view: r.Uint32("view"), frac: r.Uint8("frac"), until: r.Uint32("until"),
			body: append([]byte(nil), r.Bin("body", maxHeld)...),
		}
		if r.Err() != nil {
			break
		}
		if !sameRules {
			continue
		}
		if err := c.game.schema.ReadInput(h.body, &h.in); err != nil {
			return fmt.Errorf("the sample of seat %d: %w", seat, err)
		}
		if c.hooks.check != nil {
			who := c.room.players[seat]
			who.Team = h.team
			if err := c.hooks.check.Check(who, &h.in); err != nil { // it passed before
				return fmt.Errorf("the sample of seat %d: %w", seat, err)
			}
		}
		c.held[seat] = h
	}
	works := r.Array("works", maxWorks+1)
	c.room.last = r.Uint32("last")
	for range works - 1 {
		r.Fixed("work", 2)
		c.room.pending = append(c.room.pending, pendingWork{r.Uint32("id"), r.Str("kind", maxKind)})
	}
	if n > 6 {
		c.room.started = r.Bool("started")
	} else { // of a room that began before matches had a start: it has one behind it if anybody is there
		c.room.started = slices.Contains(c.room.taken, true)
	}
	if n > 7 {
		c.restoreOrders(r)
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("reading a checkpoint: %w", err)
	}
	if err := c.room.dice.UnmarshalBinary(dice); err != nil {
		return fmt.Errorf("reading a checkpoint's dice: %w", err)
	}
	return c.driver.Restore(state) //nolint:wrapcheck // says what it did
}

// pendingWork returns the ids of the work under way, oldest first.
func (c *core[S, In]) pendingWork() (ids []uint32) {
	for _, p := range c.room.pending {
		ids = append(ids, p.id)
	}
	return ids
}

package playback

import (
	"errors"
	"fmt"
	"io"

	"muster/match"
	"muster/match/journal"
)

// cursor is a place in a recording, with the state there. It has no clock and no goroutine: the same steps make the same
// states, by whatever way it came.
type cursor struct {
	game   match.Game
	rd     *journal.Reader
	info   *Info
	replay *match.Replay
	tick   uint32

	// What comes next, read ahead; at most one of them.
	rec *journal.Record
	cp  *journal.Checkpoint

	recorded uint64 // the hash that was recorded of the state; 0: none was
}

// jump goes to the newest checkpoint that is not after a tick.
func (c *cursor) jump(tick uint32) error {
	if err := c.rd.Seek(tick); err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	c.rec, c.cp = nil, nil
	_, cp, err := c.rd.Next()
	if err != nil || cp == nil {
		return fmt.Errorf("%w: no state before tick %d: %w", ErrFile, tick, err)
	}
	return c.restore(cp)
}

// restore makes a recorded state the present one.
func (c *cursor) restore(cp *journal.Checkpoint) error {
	r, err := match.NewReplay(c.game, match.SpecOf(&c.info.Header))
	if err == nil {
		err = r.Restore(*cp)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	c.replay, c.tick, c.recorded = r, cp.Tick, 0
	return nil
}

// approach makes step lead to a tick by a short way: on from here, or from a checkpoint before it, so that its own record
// is run and says which hash its state had.
func (c *cursor) approach(tick uint32) error {
	before := max(tick, c.info.From+1) - 1
	if tick >= c.tick && c.info.before(before) <= c.tick {
		return nil
	}
	return c.jump(before)
}

// step goes on by one tick, or over ticks that were not recorded, but not beyond a tick. It is false where nothing comes
// until then: the state is then what is known of that tick. An error that is a *match.PanicError is the rules', and the
// state cannot be used; after any other nothing more can be played.
func (c *cursor) step(until uint32) (moved bool, err error) {
	if c.tick >= until {
		return false, nil
	}
	if err := c.readAhead(); err != nil {
		return false, err
	}
	switch {
	case c.cp != nil && c.cp.Tick <= until:
		cp := c.cp
		c.cp = nil
		return true, c.restore(cp)
	case c.rec != nil:
		rec := c.rec
		c.rec = nil
		if err := c.replay.Step(rec); err != nil {
			return false, fmt.Errorf("playing tick %d: %w", rec.Tick, err)
		}
		c.tick, c.recorded = rec.Tick, rec.Hash
		return true, nil
	}
	return false, nil
}

// readAhead makes what comes after the present tick known.
func (c *cursor) readAhead() error {
	for c.rec == nil && c.cp == nil {
		rec, cp, err := c.rd.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrFile, err)
		case cp != nil && cp.Tick > c.tick:
			c.cp = cp
		case rec != nil && rec.Tick > c.tick:
			c.rec = rec
		}
	}
	return nil
}

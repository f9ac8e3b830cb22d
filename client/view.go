package client

import (
	"fmt"
	"math"
	"time"

	"muster/netcode"
)

// Shown is what a player should see at one moment.
type Shown[S any] struct {
	// State is the same memory each time; View changes it, and nobody else may.
	State *S
	// Tick is the room's time that the interpolated rows are shown at, with its fraction. It never goes back within an
	// epoch.
	Tick float64
}

// viewer is what View needs.
type viewer[S any] struct {
	playout *netcode.Playout[S] // nil before the first View
	state   S
	tick    uint32 // what the player looks at, for Send; 0 before the first View
	frac    uint8
}

// clockStray is by how much the time that View is given may differ from now.
const clockStray = time.Second

// View returns what to draw at now, mostly time.Now(), and notes it as what the player looks at: the inputs sent after it
// say so, which is all that games need that compensate lag. It is false before the first frame.
//
// Rows of the newest states come unevenly; View plays them out a little late, as Options.View says, so that they move
// evenly. Own rows are those of the prediction where there is one ([Predict]). A time that is more than a second off the
// machine's clock counts as now. In a steady state it does not allocate.
func (c *Conn[S, In]) View(now time.Time) (Shown[S], bool) {
	c.sendHeld()
	v := &c.viewer
	if v.playout == nil {
		if c.stats.Frames == 0 {
			return Shown[S]{}, false
		}
		v.playout, _ = netcode.NewPlayout[S](c.schema, c.opts.View) // Dial has tried it
		c.push(time.Now())
	}
	if d := time.Until(now); d > clockStray || d < -clockStray {
		now = time.Now()
	}
	at, ok := v.playout.At(c.clock.ServerTick(c.ms(now)), &v.state)
	if !ok {
		return Shown[S]{}, false
	}
	if whole := math.Floor(at); c.have { // by this socket
		v.tick, v.frac = uint32(whole), uint8((at-whole)*256)
	}
	c.predicted.view(&v.state, now)
	return Shown[S]{State: &v.state, Tick: at}, true
}

// push gives the newest state to the playout. When it arrived late in this process' own queue, it was late.
func (c *Conn[S, In]) push(at time.Time) {
	if p := c.viewer.playout; p != nil {
		p.Push(c.frame.Tick, &c.state, c.clock.ServerTick(c.ms(at)))
	}
}

// unview forgets what the player looks at, until the next frame: what is shown up to then is from before.
func (c *Conn[S, In]) unview() {
	c.viewer.tick, c.viewer.frac, c.view = 0, 0, 0
}

// forget forgets the states that were shown, and what is predicted from them: those to come are of another epoch, in which
// ticks may count from an earlier one.
func (c *Conn[S, In]) forget() {
	c.unview()
	c.predicted.restart()
	if p := c.viewer.playout; p != nil {
		p.Reset()
	}
}

// looksAt is the tick and the fraction of it that an input sent now was made at: what SetView said since the last frame,
// what View showed last, or the newest frame; 0 before the first one of a socket.
func (c *Conn[S, In]) looksAt() (tick uint32, frac uint8) {
	switch {
	case !c.have:
		return c.view, c.frac
	case c.view != 0 && c.viewAt == c.frame.Tick:
		return c.view, c.frac
	case c.viewer.tick != 0:
		return c.viewer.tick, c.viewer.frac
	}
	return c.frame.Tick, 0
}

// checkView says what is wrong with how a state is to be shown.
func checkView[S any](sc *netcode.Schema, cfg netcode.PlayoutConfig) error {
	if _, err := netcode.NewPlayout[S](sc, cfg); err != nil {
		return fmt.Errorf("Options.View: %w", err)
	}
	return nil
}

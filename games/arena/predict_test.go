package arena

import (
	"math/rand/v2"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// farClient is a client of seat 1, so many ticks ahead of what it gets, in a match of twelve who fly and fire wildly.
type farClient struct {
	world   World
	driver  *netcode.Driver[World, Input]
	encoder *netcode.Encoder
	link    *link
	truth   World
	pred    *netcode.Prediction[World, Input]
	rng     *rand.Rand
	tick    uint32
	made    map[uint32]Input // by the tick that they are for
	in      Input
}

const (
	farAhead    = 6 // ticks: 300 ms
	rewindTicks = 5
)

func newFarClient(t *testing.T) *farClient {
	t.Helper()
	c := &farClient{rng: rand.New(rand.NewPCG(1, 2)), made: map[uint32]Input{}}
	e := newEncoder[World](t)
	c.encoder, c.link = e.enc, newLink(e, 1)
	c.world.Field.V.Size = Size
	c.world.Round.V = Round{Phase: Playing, Ends: 1 << 30}
	for seat := range netcode.Seat(12) {
		c.world.Ships.Add(Ship{Owner: seat + 1})
	}
	c.driver = netcode.NewDriver[World, Input](&c.world, netcode.DriverConfig{Rate: tickRate, Schema: e.sc, Window: rewindTicks})
	var err error
	c.pred, err = netcode.NewPrediction(e.sc, &c.truth, func(s *netcode.Step[World, Input]) {
		for id, ship := range s.State.Ships.All() { // whom it meets is the server's to say
			if ship.Owner != 1 {
				s.State.Ships.Remove(id)
			}
		}
		Arena{}.Step(s)
	}, netcode.PredictionConfig{Rate: tickRate, Mode: proto.Samples, Seat: 1, Rewind: rewindTicks})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wild is what somebody does who flies wildly.
func (c *farClient) wild() Input {
	return Input{Turn: int8(c.rng.IntN(255) - 127), Thrust: int8(c.rng.IntN(200) - 60), Fire: c.rng.IntN(4) == 0}
}

func (c *farClient) play(t *testing.T) {
	t.Helper()
	c.tick++
	if c.rng.IntN(6) == 0 {
		c.in = c.wild()
	}
	in := c.in
	c.made[c.tick+farAhead] = in
	c.pred.Input(c.tick, c.tick+farAhead, c.tick-1, 0, &in)
	c.pred.Advance(float64(c.tick + farAhead))
	c.driver.Begin(c.tick)
	processed := uint32(0)
	if in, ok := c.made[c.tick]; ok {
		processed = c.tick - farAhead
		c.driver.Input(1, processed, processed-1, 0, &in) // he saw the state of then
	}
	for seat := range netcode.Seat(11) {
		in := c.wild()
		c.driver.Input(seat+2, c.tick, c.tick-1, 0, &in)
	}
	c.driver.Run(Arena{}.Step)
	c.driver.Capture()
	c.encoder.Capture(c.tick, &c.world)
	c.link.frame(t, c.tick)
	c.link.load(t, &c.truth)
	c.pred.Reconcile(c.tick, processed)
}

func TestAPredictionIsSeldomWrongAndThenOnlyForAMoment(t *testing.T) {
	c := newFarClient(t)
	before := uint64(0)
	for range 4000 {
		c.play(t)
		if c.tick == 100 {
			before = c.pred.Stats().Mispredicted
		}
	}
	st := c.pred.Stats()
	wrong := float64(st.Mispredicted-before) / float64(c.tick-100)
	t.Logf("%.2f %% of the states were a surprise; error: median %.4f units, 99 of 100 below %.4f", 100*wrong, c.pred.ErrorAt(0.5), c.pred.ErrorAt(0.99))
	deaths := uint16(0)
	for _, ship := range c.world.Ships.All() {
		if ship.Owner == 1 {
			deaths = ship.Deaths
		}
	}
	if deaths == 0 {
		t.Error("nobody hit it: this is not a match")
	}
	if wrong > 0.03 || c.pred.ErrorAt(0.5) > 0.01 {
		t.Errorf("%.2f %% of the states were a surprise, half of them by %.3f units or more", 100*wrong, c.pred.ErrorAt(0.5))
	}
}

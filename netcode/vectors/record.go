package vectors

import (
	"encoding/hex"
	"fmt"

	"muster/netcode"
	"muster/proto"
)

// Run is a match that is recorded as one seat's client sees it.
type Run[S, In any] struct {
	Schema *netcode.Schema
	// State is the world before the first tick. The run changes it.
	State  *S
	Step   func(*netcode.Step[S, In])
	Scopes func(*netcode.Scopes) // as the game's hook; nil: everybody sees every row
	Rate   int                   // ticks per second
	Mode   proto.InputMode
	Seed   uint64       // of the rules' random source
	Seat   netcode.Seat // whose client it is
	Ticks  int          // how many
	// Before is called before each tick, for what hooks do to the state; nil: nothing.
	Before func(tick uint32)
	// Inputs gives the inputs of a tick, of all seats. An own sample holds as it does in a room.
	Inputs func(tick uint32, give func(netcode.Seat, In))
	// View is what the player looked at when he made an own input: a tick, and the fraction of the way to the next in
	// 1/256; nil: the state before the tick. Window bounds how far back the rules look, as in [netcode.DriverConfig].
	View   func(tick uint32) (uint32, uint8)
	Window int
}

// File is a recorded match. All of hexadecimal is as it is on the wire.
type File struct {
	Schema string `json:"schema"` // its binary form
	Rate   int    `json:"rate"`
	Inputs string `json:"inputs"` // samples or commands
	Seat   uint16 `json:"seat"`
	Ticks  []Tick `json:"ticks"` // the first is the state before any was played
}

// Tick is what a client does in a tick and gets of it.
type Tick struct {
	Inputs []string `json:"inputs,omitempty"` // made by the client, for this tick
	View   float64  `json:"view,omitempty"`   // what the player looked at then: a tick with its fraction
	Events []string `json:"events,omitempty"` // for the client
	Frame  string   `json:"frame"`
}

// Record plays the run and returns what the client of the seat does and sees.
func (r *Run[S, In]) Record() (*File, error) {
	if r.Rate < 1 || r.Seat == 0 || r.Step == nil || r.Inputs == nil {
		return nil, fmt.Errorf("recording step vectors: Rate %d, Seat %d, Step and Inputs are wanted", r.Rate, r.Seat)
	}
	f := &File{Schema: hex.EncodeToString(r.Schema.Binary()), Rate: r.Rate, Inputs: "samples", Seat: uint16(r.Seat)}
	if r.Mode == proto.Commands {
		f.Inputs = "commands"
	}
	if err := r.Schema.Bind(r.State); err != nil {
		return nil, fmt.Errorf("recording step vectors: %w", err)
	}
	c := camera[S, In]{run: r, driver: netcode.NewDriver[S, In](r.State, netcode.DriverConfig{
		Rate: r.Rate, Seed: r.Seed, Schema: r.Schema, Window: r.Window,
	}), encoder: netcode.NewEncoder(r.Schema, netcode.EncoderConfig{}), w: proto.NewWriter()}
	c.driver.Capture()
	first := c.frame(0)
	f.Ticks = append(f.Ticks, first)
	for tick := range uint32(r.Ticks) { //nolint:gosec // a test's
		t, err := c.play(tick + 1)
		if err != nil {
			return nil, fmt.Errorf("recording step vectors, tick %d: %w", tick+1, err)
		}
		f.Ticks = append(f.Ticks, t)
	}
	return f, nil
}

// camera is what records.
type camera[S, In any] struct {
	run     *Run[S, In]
	driver  *netcode.Driver[S, In]
	encoder *netcode.Encoder
	sent    netcode.View
	last    *proto.Head
	seq     uint32 // the newest own input
	held    In
	until   uint32 // the last tick at which it counts
	view    uint32 // what the player looked at when it was made
	frac    uint8
	w       *proto.Writer
}

func (c *camera[S, In]) play(tick uint32) (Tick, error) {
	var inputs, events []string
	var failed error
	if c.run.Before != nil {
		c.run.Before(tick)
	}
	c.driver.Begin(tick)
	c.run.Inputs(tick, func(seat netcode.Seat, in In) {
		if seat != c.run.Seat {
			c.driver.Input(seat, tick, tick-1, 0, &in)
			return
		}
		c.w.Reset()
		if err := c.run.Schema.WriteInput(c.w, &in); err != nil {
			failed = err
			return
		}
		inputs = append(inputs, hex.EncodeToString(c.w.Bytes()))
		read := new(In) // what a server makes of it
		if err := c.run.Schema.ReadInput(c.w.Bytes(), read); err != nil {
			failed = err
			return
		}
		c.seq++
		if c.view = tick - 1; c.run.View != nil {
			c.view, c.frac = c.run.View(tick)
		}
		c.held, c.until = *read, tick+netcode.HoldTicks(c.run.Rate)
		if c.run.Mode == proto.Commands {
			c.driver.Input(seat, c.seq, c.view, c.frac, &c.held)
		}
	})
	if c.run.Mode == proto.Samples && c.until >= tick {
		c.driver.Input(c.run.Seat, c.seq, c.view, c.frac, &c.held)
	}
	if failed != nil {
		return Tick{}, failed
	}
	c.driver.Run(c.run.Step)
	c.driver.Capture()
	t := c.frame(tick)
	for _, e := range c.driver.Emitted() {
		if !e.To.Includes(c.run.Seat, 0) {
			continue
		}
		c.w.Reset()
		if err := c.encoder.WriteEvent(c.w, e.Event); err != nil {
			return Tick{}, fmt.Errorf("event: %w", err)
		}
		events = append(events, hex.EncodeToString(c.w.Bytes()))
	}
	t.Inputs, t.Events = inputs, events
	if len(inputs) > 0 {
		t.View = float64(c.view) + float64(c.frac)/256
	}
	return t, nil
}

// frame is what the client gets of the state now.
func (c *camera[S, In]) frame(tick uint32) Tick {
	c.encoder.CaptureScoped(tick, c.run.State, c.run.Scopes)
	scopes := append([]proto.Watch(nil), c.encoder.Scopes(c.run.Seat)...)
	head := &proto.Head{Epoch: 1, Tick: tick, Processed: c.seq, Durable: c.seq, Scopes: scopes}
	blocks := c.encoder.Prepare(&c.sent, scopes)
	c.w.Reset()
	head.Append(c.w, c.last, nil, len(blocks))
	for i := range blocks {
		blocks[i].Append(c.w)
	}
	c.last = head
	return Tick{Frame: hex.EncodeToString(c.w.Bytes())}
}

package arena

import "muster/netcode"

// The lengths of the fields' sides, in units: of the arena's and of the crowd's. Walls stand at 0 and there. Rules and
// clients go by [Field].Size.
const (
	Size      = 1000
	CrowdSize = 4000
)

// Radius is a ship's, in units.
const Radius = 12

// Full is the value of [Input.Turn] and [Input.Thrust] for a control that is pushed all the way, as a key is.
const Full = 127

// MaxHP is what a new ship has.
const MaxHP = 100

// FirstBot is the first seat of ships that the rules fly. Seats of players are all below.
const FirstBot netcode.Seat = 256

// World is the whole state of a room. Blips and Leaders are the crowd's; in the arena they are empty.
type World struct {
	Ships   netcode.Table[Ship]   `net:"max=256,rewind"` // its past is what shots are checked against
	Bullets netcode.Table[Bullet] `net:"max=1024"`
	Round   netcode.Value[Round]
	Field   netcode.Value[Field]
	Blips   netcode.Table[Blip]   `net:"max=256"`
	Leaders netcode.Table[Leader] `net:"max=10"`

	index index // derived in each step
}

// Ship is one player's ship, or a bot's. It stays in its table while it is destroyed; HP is 0 then.
type Ship struct {
	X, Y  float32 `net:"range=0:4000,step=0.05,predict"`
	Angle float32 `net:"angle,bits=8"` // where the nose points
	// VX and VY are units per second. Others see them in X and Y; whoever flies the ship gets them, so that what his client
	// predicts is right again at once after a collision.
	VX, VY float32      `net:"range=-256:256,step=0.25,owner"`
	Owner  netcode.Seat `net:"once"`
	Name   string       `net:"max=24,once"`
	HP     uint8
	Score  uint16 // ships destroyed
	Deaths uint16
	Thrust bool   // the engine burns, for its flame
	Shield bool   // cannot be hurt: just spawned and has not fired yet
	Away   bool   // the player's connection is lost; the ship drifts
	Spawn  uint32 // the tick at which a destroyed ship comes back
	// Heat is what the gun has left before it jams, from 0 to 100; Jammed, until it has cooled down. For its owner only.
	Heat   float32 `net:"range=0:100,step=1,owner"`
	Jammed bool    `net:"owner"`

	ShieldEnd uint32 `net:"server"` // the tick at which the shield ends
	Reload    uint32 `net:"server"` // the tick from which the gun may fire again

	Mind Mind
	Blip netcode.ID `net:"server"` // its row of Blips
}

// Alive says whether the ship is in play.
func (s *Ship) Alive() bool { return s.HP > 0 }

// Bullet is one shot. It flies straight on until it meets a ship or a wall or its time is up. That a row of this table
// appears is how clients learn of a shot.
type Bullet struct {
	X, Y   float32      `net:"range=0:4000,step=0.05,predict"`
	VX, VY float32      `net:"server"`
	Owner  netcode.Seat `net:"once"`   // who fired
	End    uint32       `net:"server"` // the tick at which it is gone
}

// Mind is what the pilot of a bot remembers. It is the server's alone: to clients a bot is a ship like another.
type Mind struct {
	Flown   bool       `net:"server"` // the rules fly this ship
	Skill   float64    `net:"server"` // how often it fires, 0 to 1
	Trigger bool       `net:"server"` // it fires: bots do so in bursts
	Target  netcode.ID `net:"server"` // the ship that it hunts
	Decide  uint32     `net:"server"` // the tick of its next decision
	Aim     float64    `net:"server"` // how far off it aims now, in radians
	Circle  float64    `net:"server"` // at which angle it approaches, in radians

	Turn   int8 `net:"server"` // its controls in the newest tick, as Input has them
	Thrust int8 `net:"server"`
	Fire   bool `net:"server"`
}

// Field is where a match is played, and by how many.
type Field struct {
	Size uint16 // the length of its side, in units

	Places  uint16 `net:"server"` // how many ships there may be
	Bots    uint16 `net:"server"` // how many of them the rules fly, where there is place
	Round   uint32 `net:"server"` // how long the round goes, in ticks; 0 is roundTime
	Hearing uint16 `net:"server"` // how far from a player what happens is told to him, in units; 0 is everywhere
}

// Blip is a ship in play on the map of the crowd: where it is, roughly, and nothing of who.
type Blip struct {
	X, Y float32 `net:"range=0:4000,step=40"`
	Bot  bool    `net:"once"`
}

// Leader is one of the ten who have most points in the crowd. The rows are in no order.
type Leader struct {
	Seat  netcode.Seat `net:"once"`
	Name  string       `net:"max=24,once"`
	Score uint16
}

// Phase is what a round is doing.
type Phase uint8

// Phases of a round, in their order.
const (
	Waiting Phase = iota // nobody is here yet
	Playing
	Podium // the round is over and nothing moves; the winner is shown
)

// EnumNames implements netcode.Enum.
func (Phase) EnumNames() []string { return []string{"Waiting", "Playing", "Podium"} }

// Round is the state of the round. Ends is a tick, not a countdown, so that it costs nothing to send.
type Round struct {
	Phase  Phase
	Ends   uint32       // the tick at which the phase ends
	Winner netcode.Seat // on the podium: who has the most points alone; 0 when it is a draw
}

// Input is a sample of a player's controls.
type Input struct {
	Turn   int8 // -Full: left (counter-clockwise) … Full: right
	Thrust int8 // -Full: brake and back … Full: ahead
	Fire   bool
}

// Hit is the event of a bullet that hurt a ship.
type Hit struct {
	Victim, By netcode.Seat
}

// Kill is the event of a ship that was destroyed. Its victim was hit, too.
type Kill struct {
	Victim, By netcode.Seat
}

// Spawned is the event of a ship that came, or came back, into play.
type Spawned struct {
	Seat netcode.Seat
}

// events are the zero values of the event types, in the order of their numbers on the wire.
var events = []any{Hit{}, Kill{}, Spawned{}}

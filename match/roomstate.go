package match

import (
	"time"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// A room's checkpoint is an array: the version of this form, the simulation, and what the room itself knows: how rows are
// named on the wire, since when it is empty, whether its doors are shut, and its seats with their waiting inputs and unacknowledged events.

// checkpointVersion is that of the form.
const checkpointVersion = 1

// roomState is what a checkpoint holds beside the simulation.
type roomState struct {
	names   []byte // the encoder's, see netcode.Encoder.AppendNames
	emptyAt uint32
	shut    bool
	seats   []savedSeat
}

// savedSeat is a seat that somebody has.
type savedSeat struct {
	player  Player
	expires time.Time
	counter uint32
	left    uint32 // dropped, and the rules know: ticks until it is given up; else 0
	inputs  []byte
	acked   uint32
	events  []seatEvent
}

// appendCheckpoint writes the room's checkpoint.
func (rm *Instance) appendCheckpoint(w *proto.Writer) error {
	w.Array(6)
	w.Uint(checkpointVersion)
	if err := rm.sim.appendCheckpoint(w); err != nil {
		return err
	}
	rm.data = rm.encoder.AppendNames(rm.data[:0])
	w.Bin(rm.data)
	w.Uint(uint64(rm.emptyAt))
	w.Bool(rm.shut.Load())
	w.Array(count(len(rm.seats), func(i int) bool { return rm.seats[i].state != seatFree }))
	for i := range rm.seats {
		s := &rm.seats[i]
		if s.state == seatFree {
			continue
		}
		rm.data = s.inputs.Append(rm.data[:0])
		w.Array(9)
		w.Uint(uint64(s.player.Seat))
		w.Str(s.player.ID)
		w.Str(s.player.Name)
		w.Int(unixOf(s.expires))
		w.Uint(uint64(s.counter))
		left := uint32(0)
		if s.state == seatGone && s.untold == 0 {
			left = max(1, s.deadline-min(s.deadline, rm.tick))
		}
		w.Uint(uint64(left))
		w.Bin(rm.data)
		w.Uint(uint64(s.events.acked))
		w.Array(len(s.events.list))
		for _, e := range s.events.list {
			w.Array(2)
			w.Uint(uint64(e.tick))
			w.Bin(e.body)
		}
	}
	return nil
}

// unixOf is a time in seconds, 0 for none.
func unixOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// maxNames bounds what a checkpoint holds of rows' names on the wire, in bytes.
const maxNames = 8 << 20

// maxSavedInputs bounds a seat's waiting inputs in a checkpoint, in bytes.
const maxSavedInputs = 1 << 20

// parse reads a room's checkpoint; the simulation, a new one, is brought to it.
func (st *roomState) parse(r *proto.Reader, sim simulation, g *Game, sameRules bool) error {
	r.Fixed("checkpoint", 6)
	if v := r.Uint32("version"); r.Err() == nil && v != checkpointVersion {
		r.Fail("version", "unknown")
	}
	if err := r.Err(); err != nil {
		return err
	}
	if err := sim.restore(r, sameRules); err != nil {
		return err
	}
	st.names = append([]byte(nil), r.Bin("names", maxNames)...)
	st.emptyAt = r.Uint32("empty since")
	st.shut = r.Bool("shut")
	for range r.Array("seats", g.rules.Seats) {
		r.Fixed("seat", 9)
		s := savedSeat{player: Player{
			Seat: netcode.Seat(r.Uint16("seat")), ID: r.Str("id", journal.MaxText), Name: r.Str("name", journal.MaxText),
		}}
		if r.Err() == nil && (s.player.Seat == 0 || int(s.player.Seat) > g.rules.Seats) {
			r.Fail("seat", "out of range")
		}
		if at := r.Int("expires", 0, 1<<40); at != 0 {
			s.expires = time.Unix(at, 0)
		}
		s.counter = r.Uint32("counter")
		s.left = r.Uint32("left")
		s.inputs = append([]byte(nil), r.Bin("inputs", maxSavedInputs)...)
		s.acked = r.Uint32("acknowledged")
		number := s.acked
		for range r.Array("events", keptEventBytes) {
			r.Fixed("event", 2)
			number++
			s.events = append(s.events, seatEvent{
				number: number, tick: r.Uint32("tick"), body: append([]byte(nil), r.Bin("body", maxEvent)...),
			})
			if r.Err() != nil {
				break
			}
		}
		if r.Err() != nil {
			break
		}
		st.seats = append(st.seats, s)
	}
	return r.Done() //nolint:wrapcheck // says where
}

package client

import (
	"errors"
	"slices"
	"time"

	"muster/proto"
)

// ErrBacklog is returned by Send when as many commands as a client keeps are waiting to be durable. The command was
// not taken.
var ErrBacklog = errors.New("256 commands are waiting for the server already")

const (
	keptSamples  = proto.MaxInputs // one packet's
	keptCommands = 256             // a durable number that moves each 5 s lets 51 a second through
	sentRing     = 256             // send times that are remembered, for measuring
	// What a packet and an input cost at most besides the body, in bytes: the MessagePack heads and integers.
	packetCost = 48
	inputCost  = 16
)

// outbox keeps the inputs that the server may still need: until they are durable, and 32 samples or 256 commands at
// most. Above that a sample makes place by dropping the oldest, which newer ones have made worthless, and a command is
// not taken.
type outbox struct {
	mode      proto.InputMode
	seq       uint32        // of the newest input
	processed uint32        // the newest that a frame contained; never falls
	room      uint32        // the newest that need not be repeated; falls when a failover took inputs back
	tick      uint32        // of the newest input: ticks fall only where restamp brings them down
	ring      []proto.Input // grows up to kept
	first, n  int
	sent      [sentRing]sentAt
	packet    proto.InputPacket
	overtaken []proto.Input // the newest commands that another program's went before
}

type sentAt struct {
	seq uint32
	at  time.Time
}

// kept is how many inputs are kept at most.
func (o *outbox) kept() int {
	if o.mode == proto.Commands {
		return keptCommands
	}
	return keptSamples
}

// grow makes place for more: few seats ever have more than some inputs waiting.
func (o *outbox) grow() {
	ring := make([]proto.Input, max(keptSamples, 2*len(o.ring)))
	for i := range o.n {
		ring[i] = *o.at(i)
	}
	o.ring, o.first = ring, 0
}

// at returns the i-th oldest input that is kept.
func (o *outbox) at(i int) *proto.Input { return &o.ring[(o.first+i)%len(o.ring)] }

// add takes an input and says how many older ones it displaced.
func (o *outbox) add(tick, view uint32, frac uint8, body []byte, now time.Time) (dropped int, err error) {
	if o.n >= o.kept() {
		if o.mode == proto.Commands {
			return 0, ErrBacklog
		}
		if o.at(0).Seq > o.processed {
			dropped = 1
		}
		o.drop()
	}
	if o.n == len(o.ring) {
		o.grow()
	}
	o.seq++
	o.tick = max(o.tick, tick)
	in := o.at(o.n)
	o.n++
	in.Seq, in.Tick, in.View, in.Frac = o.seq, o.tick, view, frac
	in.Body = append(in.Body[:0], body...)
	o.sent[o.seq%sentRing] = sentAt{o.seq, now}
	return dropped, nil
}

func (o *outbox) drop() {
	o.first = (o.first + 1) % len(o.ring)
	o.n--
}

// ack notes what a frame's head says, and calls acked for each input that is processed now.
func (o *outbox) ack(processed, durable uint32, acked func(sent time.Time)) {
	for o.n > 0 && o.at(0).Seq <= durable {
		o.drop()
	}
	o.room = max(o.room, processed)
	if processed <= o.processed {
		return
	}
	from := o.processed
	if processed-from > sentRing {
		from = processed - sentRing
	}
	for seq := from + 1; ; seq++ {
		if s := &o.sent[seq%sentRing]; s.seq == seq && !s.at.IsZero() {
			acked(s.at)
			s.at = time.Time{}
		}
		if seq == processed {
			break
		}
	}
	o.processed = processed
}

// unacked calls f for each input that was sent and never acknowledged.
func (o *outbox) unacked(f func(sent time.Time)) {
	for i := range o.sent {
		if s := &o.sent[i]; s.seq > o.processed && !s.at.IsZero() {
			f(s.at)
		}
	}
}

// welcome takes up the sequence that the room has of this seat. What it has not got is sent again.
func (o *outbox) welcome(mode proto.InputMode, seq uint32) {
	o.mode = mode
	if seq > o.seq { // another program played on, or this one starts
		o.overtake()
		o.seq, o.processed, o.n = seq, seq, 0
	}
	o.room = seq
}

// restamp brings the ticks that inputs are for to one: in another epoch they may count from an earlier tick, and a clock may
// have jumped. What was for a tick that is far ahead would wait for it.
func (o *outbox) restamp(tick uint32) {
	o.tick = min(o.tick, tick)
	for i := range o.n {
		in := o.at(i)
		in.Tick = min(in.Tick, tick)
	}
}

// overtake notes the commands that will never be sent again; whoever sent them asks for them.
func (o *outbox) overtake() {
	for i := 0; i < o.n && o.mode == proto.Commands; i++ {
		if in := o.at(i); in.Seq > min(o.processed, o.room) {
			o.overtaken = append(o.overtaken, proto.Input{Seq: in.Seq, Body: append([]byte(nil), in.Body...)})
		}
	}
	if n := len(o.overtaken) - keptCommands; n > 0 {
		o.overtaken = slices.Delete(o.overtaken, 0, n)
	}
}

// unprocessed calls f for each input that no frame has contained, oldest first.
func (o *outbox) unprocessed(f func(seq uint32, body []byte)) {
	for i := range o.overtaken {
		f(o.overtaken[i].Seq, o.overtaken[i].Body)
	}
	for i := range o.n {
		if in := o.at(i); in.Seq > min(o.processed, o.room) { // room fell: a failover took some back
			f(in.Seq, in.Body)
		}
	}
}

// open returns the index of the oldest input that the room has not processed; n where there is none.
func (o *outbox) open() int {
	lo := 0
	for lo < o.n && o.at(lo).Seq <= o.room {
		lo++
	}
	return lo
}

// crowded says whether the newest command has to wait for a second packet.
func (o *outbox) crowded() bool { return o.mode == proto.Commands && o.n-o.open() > proto.MaxInputs }

// packets calls write with each packet that brings the unprocessed inputs, up to most of them; with an empty one when
// there are none. Samples fit into one packet: if need be without the oldest. Commands take as many as they need,
// oldest first: the room takes them in order alone.
func (o *outbox) packets(most int, epoch uint64, last, event uint32, write func(*proto.InputPacket) error) error {
	p := &o.packet
	p.Epoch, p.Last, p.Event = epoch, last, event
	lo := o.open()
	if o.mode == proto.Samples {
		left := proto.MaxClientMessage - packetCost
		newest := o.n - 1
		for i := newest; i >= lo; i-- {
			if left -= inputCost + len(o.at(i).Body); left < 0 {
				lo = i + 1
			}
		}
	}
	for range most {
		hi, left := lo, proto.MaxClientMessage-packetCost
		for hi < o.n && hi-lo < proto.MaxInputs {
			if left -= inputCost + len(o.at(hi).Body); left < 0 {
				break
			}
			hi++
		}
		p.Inputs = p.Inputs[:0]
		for i := hi - 1; i >= lo; i-- {
			p.Inputs = append(p.Inputs, *o.at(i))
		}
		if err := write(p); err != nil {
			return err
		}
		if lo = hi; lo >= o.n {
			break
		}
	}
	return nil
}

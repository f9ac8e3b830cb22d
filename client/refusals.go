package client

import "muster/netcode"

// Refusal is that the rules refused a command of this seat.
type Refusal[In any] struct {
	Tick   uint32
	Number uint32 // as Event.Number
	Seq    uint32
	Reason string // for people
	// Input is what was given to Send, where Known: not when that was too long ago, or in another program.
	Input In
	Known bool
}

// remembered is how many sequences back a refusal is still told with its input.
const remembered = 320

// refusals are those who hear of refusals, and what was sent, from the first of them on.
type refusals[In any] struct {
	told  listeners[func(Refusal[In])]
	given []given[In] // by sequence, in a ring
}

type given[In any] struct {
	seq uint32
	in  In
}

// OnRefusal has f called by Next or Poll for each command that the rules refused, with the input. off ends that.
func (c *Conn[S, In]) OnRefusal(f func(Refusal[In])) (off func()) {
	if c.refusals.given == nil {
		c.refusals.given = make([]given[In], remembered)
		for i := range c.out.n {
			var in In
			if was := c.out.at(i); c.schema.ReadInput(was.Body, &in) == nil { // Send wrote it
				c.refusals.sent(was.Seq, &in)
			}
		}
	}
	return c.refusals.told.add(f)
}

func (r *refusals[In]) sent(seq uint32, in *In) {
	if r.given != nil {
		r.given[seq%remembered] = given[In]{seq, *in}
	}
}

func (r *refusals[In]) tell(tick, number uint32, what *netcode.Refused) {
	if len(r.told.list) == 0 {
		return
	}
	told := Refusal[In]{Tick: tick, Number: number, Seq: what.Seq, Reason: what.Reason}
	if g := &r.given[what.Seq%remembered]; g.seq == what.Seq {
		told.Input, told.Known = g.in, true
	}
	for _, f := range r.told.list {
		(*f)(told)
	}
}

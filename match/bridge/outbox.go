package bridge

import "time"

// What must arrive (who comes and goes, welcomes, events, closes) is numbered by its sender, for each session from 1, and
// kept until the other side has it; what comes in another order than that of the numbers is dropped there and asked for
// again. Links keep the order and lose seldom, so that costs next to nothing. Ticks and inputs have no part in it: a newer
// one says more than a repeat would.

// maxUnheard bounds what one session may have sent that the other side has not said to have, in bytes. With more the
// session is given up: its clients come back by themselves and find their seats.
const maxUnheard = 512 << 10

// sayAfter is after how many bytes of them an edge says at once what it has, though it has nothing else to say.
const sayAfter = maxUnheard / 8

// repeatAfter is how long a sender waits for the word that something has come before it is sent again.
const repeatAfter = 500 * time.Millisecond

// askEvery is how often what is missing is asked for, and sent again, at most.
const askEvery = 50 * time.Millisecond

// outbox keeps numbered messages until they have come.
type outbox struct {
	last  uint64   // the newest number given
	list  [][]byte // those that have not come, the newest last
	bytes int
	spare [][]byte
	since time.Time // when the oldest of them was last sent
	again time.Time // when they were last repeated
}

// keep keeps a copy of the message with the number last+1. It is false when that is too much.
func (o *outbox) keep(msg []byte, now time.Time) bool {
	if o.bytes+len(msg) > maxUnheard {
		return false
	}
	o.last++
	if len(o.list) == 0 {
		o.since = now
	}
	var b []byte
	if n := len(o.spare); n > 0 {
		b, o.spare = o.spare[n-1][:0], o.spare[:n-1]
	}
	o.list = append(o.list, append(b, msg...))
	o.bytes += len(msg)
	return true
}

// heard forgets the messages up to a number. One that was never given is none.
func (o *outbox) heard(have uint64, now time.Time) {
	first := o.last - uint64(len(o.list)) // those up to it are forgotten already
	if have <= first || have > o.last {
		return
	}
	n := int(have - first) //nolint:gosec // at most the list's length
	for _, b := range o.list[:n] {
		o.bytes -= len(b)
		if len(o.spare) < maxSpare {
			o.spare = append(o.spare, b)
		}
	}
	rest := copy(o.list, o.list[n:])
	clear(o.list[rest:])
	o.list, o.since = o.list[:rest], now
}

const maxSpare = 16

// repeat calls send with all that has not come, in order, where it is time for it, or wanted and not just done.
func (o *outbox) repeat(wanted bool, now time.Time, send func([]byte)) {
	due := now.Sub(o.since) >= repeatAfter || wanted && now.Sub(o.again) >= askEvery
	if len(o.list) == 0 || !due {
		return
	}
	o.since, o.again = now, now
	for _, b := range o.list {
		send(b)
	}
}

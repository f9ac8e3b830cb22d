package door

import (
	"encoding/binary"
	"time"
)

// PartialFor is how long a client may take to send one message, from its first byte to its last.
const PartialFor = 10 * time.Second

// partial follows a client's bytes to know whether a message is under way: a frame of which not all is here, or a message
// of which the last fragment is not. It checks nothing: gws does.
type partial struct {
	head [14]byte // of the frame
	got  int      // bytes of it
	left uint64   // of the frame's payload
	open bool     // between the fragments of a message
}

// feed takes the next bytes and says whether a message is under way after them, and whether it has begun in them.
func (p *partial) feed(b []byte) (under, began bool) {
	began = !p.under()
	for len(b) > 0 {
		if !p.under() {
			began = true
		}
		if p.left > 0 {
			n := min(p.left, uint64(len(b)))
			p.left -= n
			b = b[n:]
			continue
		}
		p.head[p.got] = b[0]
		p.got++
		b = b[1:]
		if p.got >= 2 && p.got == p.size() {
			p.frame()
		}
	}
	return p.under(), began
}

func (p *partial) under() bool { return p.open || p.got > 0 || p.left > 0 }

// size returns how many bytes the head has, of which two are here.
func (p *partial) size() int {
	n := 2
	switch p.head[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if p.head[1]&0x80 != 0 {
		n += 4 // the mask
	}
	return n
}

// frame begins the payload of a frame whose head is whole.
func (p *partial) frame() {
	switch n := p.head[1] & 0x7f; n {
	case 126:
		p.left = uint64(binary.BigEndian.Uint16(p.head[2:]))
	case 127:
		p.left = binary.BigEndian.Uint64(p.head[2:])
	default:
		p.left = uint64(n)
	}
	if p.head[0]&0x08 == 0 { // no control frame
		p.open = p.head[0]&0x80 == 0
	}
	p.got = 0
}

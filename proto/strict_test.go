package proto_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"muster/proto"
)

// value is where one MessagePack value lies in a message.
type value struct {
	from, to int
	depth    int // 0 is the message itself
	array    int // elements, or -1
}

// values lists every value in b, which must be good MessagePack.
func values(t *testing.T, b []byte) []value {
	t.Helper()
	r := proto.NewReader(b)
	var list []value
	var walk func(depth int)
	walk = func(depth int) {
		from, at := len(b)-r.Left(), len(list)
		list = append(list, value{from: from, depth: depth, array: -1})
		if c := b[from]; c&0xf0 == 0x90 || c == 0xdc || c == 0xdd {
			n := r.Array("", len(b))
			list[at].array = n
			for range n {
				walk(depth + 1)
			}
		} else {
			r.Skip("")
		}
		list[at].to = len(b) - r.Left()
	}
	walk(0)
	if err := r.Done(); err != nil {
		t.Fatalf("walking %x: %v", b, err)
	}
	return list
}

// inBody says whether a value of an input message lies in an input's body, which its parser passes over.
func inBody(s sample, v value, all []value) bool {
	p, ok := s.msg.(*proto.InputPacket)
	if !ok {
		return false
	}
	b := encode(s.msg)
	for _, in := range p.Inputs {
		for _, w := range all {
			if w.depth == 3 && bytes.Equal(b[w.from:w.to], in.Body) && v.from >= w.from && v.to <= w.to {
				return true
			}
		}
	}
	return false
}

// edit returns b with bytes from:to replaced.
func edit(b []byte, from, to int, with ...byte) []byte {
	return slices.Concat(b[:from], with, b[to:])
}

// wrong are values that no element of a client's message may be.
var wrong = map[string][]byte{
	"nil":            {0xc0},
	"never used":     {0xc1},
	"a boolean":      {0xc3},
	"a map":          {0x80},
	"a string":       {0xa1, 'x'},
	"bytes":          {0xc4, 0},
	"a float":        {0xca, 0x3f, 0x80, 0, 0},
	"NaN":            {0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1},
	"negative":       {0xff},
	"below int64":    {0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0},
	"fixext":         {0xd4, 1, 0},
	"ext of 0 bytes": {0xc7, 0, 1},
	"a timestamp":    {0xd6, 0xff, 0, 0, 0, 0},
}

// isText says whether a value is a string, by its first byte.
func isText(c byte) bool { return c&0xe0 == 0xa0 || c >= 0xd9 && c <= 0xdb }

func TestClientMessagesRefuseValuesOfAnotherKind(t *testing.T) {
	for _, s := range samples() {
		if s.from != "client" {
			continue
		}
		b := encode(s.msg)
		all := values(t, b)
		for _, v := range all {
			if inBody(s, v, all) {
				continue
			}
			for name, w := range wrong {
				if name == "a string" && isText(b[v.from]) {
					continue
				}
				if _, err := parseClient(edit(b, v.from, v.to, w...)); err == nil {
					t.Errorf("%s: took %s at byte %d", s.name, name, v.from)
				}
			}
		}
	}
}

func TestClientMessagesRefuseEveryOtherShape(t *testing.T) {
	for _, s := range samples() {
		if s.from != "client" {
			continue
		}
		b := encode(s.msg)
		all := values(t, b)
		for _, v := range all {
			if v.array < 0 || inBody(s, v, all) {
				continue
			}
			if v.array > 0 {
				less := edit(b, v.from, v.from+1, b[v.from]-1)
				if _, err := parseClient(less); err == nil {
					t.Errorf("%s: took an array at byte %d with an element less than follow", s.name, v.from)
				}
			}
			more := edit(b, v.to, v.to, 0)
			more[v.from]++
			if _, err := parseClient(more); err == nil {
				t.Errorf("%s: took an array at byte %d with an element more", s.name, v.from)
			}
		}
	}
}

func TestEveryMessageRefusesTrailingBytesAndCutting(t *testing.T) {
	for _, s := range samples() {
		b := encode(s.msg)
		if _, err := parse(s.from, append(slices.Clone(b), 0)); !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("%s with a byte after its end: %v", s.name, err)
		}
		for n := range b {
			if _, err := parse(s.from, b[:n]); !errors.Is(err, proto.ErrMalformed) {
				t.Errorf("%s cut to %d bytes: %v", s.name, n, err)
			}
		}
	}
}

func TestFramesRefuseTrailingBytesAndCutting(t *testing.T) {
	var prev *proto.Head
	for _, s := range frameSamples() {
		b := encodeFrame(&s.frame, prev)
		before := func() *proto.Frame {
			f := &proto.Frame{}
			if prev != nil {
				f.Head = *prev
			}
			return f
		}
		if err := parseFrame(append(slices.Clone(b), 0), before()); !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("%s with a byte after its end: %v", s.name, err)
		}
		for n := range b {
			if err := parseFrame(b[:n], before()); !errors.Is(err, proto.ErrMalformed) {
				t.Errorf("%s cut to %d bytes: %v", s.name, n, err)
			}
		}
		head := s.frame.Head
		prev = &head
	}
}

func TestServerMessagesMayGrowAtTheEnd(t *testing.T) {
	grown := []byte{0x93, 0xc0, 0x81, 0xa1, 'k', 0xc3, 0xcb, 0x40, 0, 0, 0, 0, 0, 0, 0} // [nil, {"k": true}, 2.0]
	for _, s := range samples() {
		if _, list := s.msg.(*proto.Events); s.from != "server" || list {
			continue // more elements of an events message are more events
		}
		b := append(encode(s.msg), grown...)
		if b[0] == 0xdc {
			b[2]++
		} else {
			b[0]++
		}
		got, err := parseServer(b)
		if err != nil {
			t.Errorf("%s with an element more: %v", s.name, err)
			continue
		}
		if g, w := show(t, got), show(t, s.msg); g != w {
			t.Errorf("%s with an element more:\n got %s\nwant %s", s.name, g, w)
		}
	}
}

func TestServerMessagesRefuseArraysThatAreTooShort(t *testing.T) {
	for _, s := range samples() {
		if s.from != "server" {
			continue
		}
		b := encode(s.msg)
		for _, v := range values(t, b) {
			if _, list := s.msg.(*proto.Events); v.array <= 0 || (list && v.depth > 0) {
				continue
			}
			count := v.from // the byte that says how many follow
			if b[count] == 0xdc {
				count += 2
			}
			if _, err := parseServer(edit(b, count, count+1, b[count]-1)); err == nil {
				t.Errorf("%s: took an array at byte %d with an element less than follow", s.name, v.from)
			}
		}
	}
}

func TestInputPacketBounds(t *testing.T) {
	packet := func(change func(*proto.InputPacket)) []byte {
		p := &proto.InputPacket{Epoch: 1, Last: 2, Event: 3}
		for i := range proto.MaxInputs {
			p.Inputs = append(p.Inputs, proto.Input{Seq: uint32(100 - i), Body: []byte{0x90}})
		}
		change(p)
		return encode(p)
	}
	body := func(n int) []byte { // a bin of n bytes in all
		w := proto.NewWriter()
		w.Bin(make([]byte, n-3))
		return w.Bytes()
	}
	for name, c := range map[string]struct {
		b  []byte
		ok bool
	}{
		"as many inputs as allowed": {packet(func(*proto.InputPacket) {}), true},
		"one input too many": {packet(func(p *proto.InputPacket) {
			p.Inputs = append(p.Inputs, p.Inputs[0])
		}), false},
		"sequences down to 1": {packet(func(p *proto.InputPacket) { p.Inputs[0].Seq = proto.MaxInputs }), true},
		"sequences down to 0": {packet(func(p *proto.InputPacket) { p.Inputs[0].Seq = proto.MaxInputs - 1 }), false},
		"a body of the largest size": {packet(func(p *proto.InputPacket) {
			p.Inputs = p.Inputs[:1]
			p.Inputs[0].Body = body(proto.MaxInputBody)
		}), true},
		"a body one byte larger": {packet(func(p *proto.InputPacket) {
			p.Inputs = p.Inputs[:1]
			p.Inputs[0].Body = body(proto.MaxInputBody + 1)
		}), false},
		"a body nested eight deep": {packet(func(p *proto.InputPacket) {
			p.Inputs[0].Body = append(bytes.Repeat([]byte{0x91}, 7), 0x90)
		}), true},
		"a body nested nine deep": {packet(func(p *proto.InputPacket) {
			p.Inputs[0].Body = append(bytes.Repeat([]byte{0x91}, 8), 0x90)
		}), false},
		"a body with an ext": {packet(func(p *proto.InputPacket) { p.Inputs[0].Body = []byte{0x91, 0xd4, 1, 0} }), false},
		"a body with the code that is never used": {packet(func(p *proto.InputPacket) {
			p.Inputs[0].Body = []byte{0x91, 0xc1}
		}), false},
	} {
		if _, err := parseClient(c.b); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKindsAreBounded(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":                {},
		"not an array":           {0x01},
		"no kind":                {0x90},
		"a kind above 255":       {0x91, 0xcd, 1, 0},
		"a negative kind":        {0x91, 0xff},
		"a kind that is a float": {0x91, 0xca, 0, 0, 0, 0},
		"17 elements":            append([]byte{0xdc, 0, 17}, make([]byte, 17)...),
	} {
		if _, _, err := proto.ClientKind(proto.NewReader(b)); !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	kind, n, err := proto.ClientKind(proto.NewReader([]byte{0x91, 0xcc, 200}))
	if kind != 200 || n != 1 || err != nil {
		t.Errorf("an unknown kind: %d %d %v; the caller is to refuse it", kind, n, err)
	}
}

func TestFrameRefusesDifferencesThatOverflow(t *testing.T) {
	for name, head := range map[string][]byte{
		"tick":      {0x94, 0x10, 0x02, 0x00, 0x00},
		"processed": {0x94, 0x10, 0x00, 0x02, 0x00},
		"durable":   {0x95, 0x12, 0x00, 0x00, 0x00, 0xce, 0xff, 0xff, 0xff, 0xff},
	} {
		f := &proto.Frame{Head: proto.Head{Tick: math.MaxUint32 - 1, Processed: math.MaxUint32 - 1}}
		if err := parseFrame(head, f); !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

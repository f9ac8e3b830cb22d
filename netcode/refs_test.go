package netcode

import (
	"testing"

	"muster/proto"
)

type refRow struct {
	Target ID `net:"ref=Rows"`
	Lead   ID `net:"ref=Rows,owner"`
	Owner  Seat
	To     uint16 `net:"server"` // 0 the room, else a team
	Keep   ID     `net:"server"`
}

type refWorld struct {
	Rows Table[refRow] `net:"max=8"`
}

type refInput struct {
	At   ID   `net:"ref=Rows"`
	List []ID `net:"max=2,ref=Rows"`
}

type refEvent struct {
	Who  ID   `net:"ref=Rows"`
	List []ID `net:"max=2,ref=Rows"`
}

func (w *refWorld) scopes(sc *Scopes) {
	for id, row := range w.Rows.All() {
		if row.To > 0 {
			sc.Place(&w.Rows, id, Team(row.To))
		}
	}
}

type refBench struct {
	sc    *Schema
	world refWorld
	enc   *Encoder
	tick  uint32
}

func newRefBench(t *testing.T) *refBench {
	t.Helper()
	b := &refBench{}
	var err error
	if b.sc, err = Compile[refWorld, refInput](refEvent{}); err != nil {
		t.Fatal(err)
	}
	b.enc = NewEncoder(b.sc, EncoderConfig{Key: 99})
	return b
}

func (b *refBench) capture() {
	b.tick++
	b.enc.CaptureScoped(b.tick, &b.world, b.world.scopes)
}

// seen is the world as a seat's client has it.
func (b *refBench) seen(t *testing.T, seat Seat) *refWorld {
	t.Helper()
	v := viewer{seat: seat, dec: NewDecoder(b.sc)}
	if err := v.take(b.enc, b.tick); err != nil {
		t.Fatal(err)
	}
	var w refWorld
	if err := v.dec.Load(&w); err != nil {
		t.Fatal(err)
	}
	return &w
}

func TestAClientFindsTheRowsThatColumnsNameAndTheServerThoseOfInputs(t *testing.T) {
	b := newRefBench(t)
	one := b.world.Rows.Add(refRow{Owner: 1})
	two := b.world.Rows.Add(refRow{Owner: 2, Target: one})
	b.world.Rows.Get(one).Lead = two
	b.capture()
	w := b.seen(t, 1)
	var first, second ID
	for id, row := range w.Rows.All() {
		if row.Owner == 1 {
			first = id
		} else {
			second = id
		}
	}
	if first == one && second == two {
		t.Fatal("the key permutes nothing: this proves nothing")
	}
	if got := w.Rows.Get(second).Target; got != first {
		t.Errorf("Target is %x, want %x", got, first)
	}
	if got := w.Rows.Get(first).Lead; got != second {
		t.Errorf("the owner's Lead is %x, want %x", got, second)
	}

	out := proto.NewWriter()
	if err := b.sc.WriteInput(out, &refInput{At: second, List: []ID{first, 0x70001}}); err != nil {
		t.Fatal(err)
	}
	body, err := b.enc.Local(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var in refInput
	if err := b.sc.ReadInput(body, &in); err != nil {
		t.Fatal(err)
	}
	if in.At != two || len(in.List) != 2 || in.List[0] != one || in.List[1] != 0 {
		t.Errorf("the input is %x, want %x and [%x 0]", in, two, one)
	}

	b.world.Rows.Remove(one)
	three := b.world.Rows.Add(refRow{Owner: 3}) // came and was not captured yet
	sent := refEvent{Who: two, List: []ID{one, three}}
	out.Reset()
	if err := b.enc.WriteEvent(out, sent); err != nil {
		t.Fatal(err)
	}
	got, err := b.sc.ReadEvent(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	b.capture()
	var third ID
	for id, row := range b.seen(t, 1).Rows.All() {
		if row.Owner == 3 {
			third = id
		}
	}
	if e := got.(*refEvent); e.Who != second || e.List[0] != first || e.List[1] != third {
		t.Errorf("the event is %x, want %x [%x %x]", e, second, first, third)
	}
	if sent.List[0] != one {
		t.Error("the event that the rules emitted was changed")
	}
	if body, err := b.enc.Local(body); err != nil {
		t.Fatal(err)
	} else if err := b.sc.ReadInput(body, &in); err != nil || in.List[0] != 0 {
		t.Errorf("a row that is gone is %x, %v", in.List[0], err)
	}
}

// A name of a row that others may not see would say where it went.
func TestAReferenceToAHiddenRowIsSentWithinItsScopeAlone(t *testing.T) {
	b := newRefBench(t)
	hidden := b.world.Rows.Add(refRow{To: 1})
	open := b.world.Rows.Add(refRow{Target: hidden})
	mate := b.world.Rows.Add(refRow{Target: hidden, To: 1})
	b.capture()
	target := func(id ID) int64 {
		p := &b.enc.placed[0]
		for i, slot := range p.order[everyone].slots {
			if int(slot) == id.slot() {
				return b.enc.now.sets[0].nums[0][i]
			}
		}
		t.Fatal("no such row")
		return 0
	}
	if target(open) != 0 {
		t.Errorf("the room is told %x", target(open))
	}
	if want := int64(b.enc.placed[0].wires[hidden.slot()]); target(mate) != want {
		t.Errorf("the team is told %x, want %x", target(mate), want)
	}
	b.world.Rows.Get(hidden).To = 0
	b.capture()
	if target(open) == 0 {
		t.Error("a row that all see has no name")
	}
}

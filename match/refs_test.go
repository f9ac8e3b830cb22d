package match

import (
	"context"
	"testing"
	"testing/synctest"

	"muster/netcode"
	"muster/proto"
)

// chests is a game of chests that players open by naming them.
type chests struct{}

type chest struct {
	N      uint8
	Opened uint8
}

type chestWorld struct {
	Chests netcode.Table[chest] `net:"max=64"`
}

type open struct {
	Chest netcode.ID `net:"ref=Chests"`
}

type opened struct {
	Chest netcode.ID `net:"ref=Chests"`
	N     uint8
}

func (chests) Open(r *Room[chestWorld]) error {
	for n := range uint8(20) {
		r.State().Chests.Add(chest{N: n})
	}
	return nil
}

func (chests) Step(s *netcode.Step[chestWorld, open]) {
	for seat, in := range s.Inputs() {
		if c := s.State.Chests.Get(in.Chest); c != nil {
			c.Opened++
			s.Emit(netcode.OnlyTo(seat), opened{in.Chest, c.N})
		} else {
			s.Refuse(seat, "there is no such chest")
		}
	}
}

func TestPlayersAndRulesNameTheSameRowEachInTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Define[chestWorld, open]("chests", chests{}, Rules{Inputs: proto.Commands, Events: []any{opened{}}})
		if g.Err() != nil {
			t.Fatal(g.Err())
		}
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "chests", Seed: 7, Epoch: 9})
		if err != nil {
			t.Fatal(err)
		}
		v := newViewer(t, g, 1)
		v.attach(rm, "alice")
		ticks(2)
		var seen chestWorld
		chest := func(n uint8) (netcode.ID, uint8) {
			v.mu.Lock()
			defer v.mu.Unlock()
			if err := v.dec.Load(&seen); err != nil {
				t.Fatal(err)
			}
			for id, c := range seen.Chests.All() {
				if c.N == n {
					return id, c.Opened
				}
			}
			t.Fatalf("no chest %d", n)
			return 0, 0
		}
		send := func(seq uint32, id netcode.ID) {
			w := proto.NewWriter()
			if err := g.Schema().WriteInput(w, &open{id}); err != nil {
				t.Fatal(err)
			}
			rm.Input(v, &proto.InputPacket{Epoch: rm.Epoch(), Inputs: []proto.Input{{Seq: seq, Body: w.Bytes()}}})
			ticks(2)
		}
		name, _ := chest(13)
		if name>>16 == 13 {
			t.Fatal("the room's key leaves the name as it is: this tests nothing")
		}
		send(1, name)
		if _, n := chest(13); n != 1 {
			t.Errorf("chest 13 was opened %d times", n)
		}
		send(2, 0x3f0001) // a name of no row
		if err := h.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(v.events) != 2 {
			t.Fatalf("events %+v", v.events)
		}
		if e, ok := v.events[0].(*opened); !ok || e.Chest != name || e.N != 13 {
			t.Errorf("the event is %+v, want chest %x", v.events[0], name)
		}
		if e, ok := v.events[1].(*netcode.Refused); !ok || e.Seq != 2 {
			t.Errorf("the other is %+v, want a refusal", v.events[1])
		}
	})
}

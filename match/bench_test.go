package match

import (
	"context"
	"testing"

	"muster/internal/race"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// drift is a game of which every row moves in every tick.
type drift struct{}

type driftShip struct {
	X, Y  float32 `net:"range=0:1000,step=0.05"`
	VX    float32 `net:"server"`
	Owner netcode.Seat
	Ammo  uint16 `net:"owner"`
}

type driftWorld struct {
	Ships netcode.Table[driftShip] `net:"max=64"`
}

type driftInput struct {
	Turn int8
	Fire bool
}

func (drift) Step(s *netcode.Step[driftWorld, driftInput]) {
	for _, ship := range s.State.Ships.All() {
		if in, ok := s.Input(ship.Owner); ok {
			ship.VX += float32(in.Turn)
		}
		ship.X += ship.VX * float32(s.Dt())
		if ship.X < 0 || ship.X > 1000 {
			ship.VX = -ship.VX
		}
		ship.Ammo++
	}
}

func (drift) Join(r *Room[driftWorld], p Player) error {
	r.State().Ships.Add(driftShip{X: 500, Y: 10 * float32(p.Seat), VX: 3, Owner: p.Seat})
	return nil
}

// sinkEdge encodes for its viewers and sends nothing.
type sinkEdge struct{ bytes int }

func (e *sinkEdge) Send(f *Frame) {
	for i := range f.Views {
		v := f.Views[i].Viewer.(*sinkViewer)
		for _, b := range f.Encoder.Prepare(&v.view, f.Views[i].Head.Scopes) {
			e.bytes += len(b.Data)
		}
	}
}

type sinkViewer struct {
	edge *sinkEdge
	seat netcode.Seat
	view netcode.View
}

func (v *sinkViewer) Edge() Edge                         { return v.edge }
func (v *sinkViewer) Seat() netcode.Seat                 { return v.seat }
func (*sinkViewer) Welcome(*proto.Welcome, token.Resume) {}
func (*sinkViewer) Message([]byte)                       {}
func (*sinkViewer) Close(proto.Close)                    {}

// driftRoom is a room whose ticks its test makes, with viewers who send an input for each.
type driftRoom struct {
	rm      *Instance
	viewers []*sinkViewer
	packet  proto.InputPacket
	seq     uint32
}

func newDriftRoom(tb testing.TB, seats int) *driftRoom {
	tb.Helper()
	g := Define[driftWorld, driftInput]("drift", drift{}, Rules{Seats: 64})
	h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	r := &driftRoom{rm: newInstance(&g, Spec{ID: "r", Game: "drift", Epoch: 1}, h)}
	w := proto.NewWriter()
	if err := g.Schema().WriteInput(w, &driftInput{Turn: 1, Fire: true}); err != nil {
		tb.Fatal(err)
	}
	r.packet = proto.InputPacket{Epoch: 1, Inputs: []proto.Input{{Body: w.Bytes()}}}
	edge := &sinkEdge{}
	for seat := range seats {
		v := &sinkViewer{edge: edge, seat: netcode.Seat(seat + 1)}
		r.viewers = append(r.viewers, v)
		if !r.rm.Attach(Attach{Viewer: v, Player: Player{Seat: v.seat, ID: "p"}}) {
			tb.Fatal("no attach")
		}
	}
	for range 100 { // every buffer has its size
		r.tick(tb)
	}
	return r
}

func (r *driftRoom) tick(tb testing.TB) {
	r.seq++
	r.packet.Last, r.packet.Inputs[0].Seq, r.packet.Inputs[0].Tick = r.rm.tick, r.seq, r.rm.tick+1
	for _, v := range r.viewers {
		r.rm.Input(v, &r.packet)
	}
	if c := r.rm.step(); c != nil {
		tb.Fatal(c)
	}
}

func TestTickInItsStrideAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	r := newDriftRoom(t, 16)
	if n := testing.AllocsPerRun(200, func() { r.tick(t) }); n > 0 {
		t.Errorf("%v allocations a tick", n)
	}
	if n := r.rm.seats[16].inputs.Processed(); n != r.seq {
		t.Errorf("input %d of %d was processed", n, r.seq)
	}
}

func BenchmarkTick(b *testing.B) {
	for _, seats := range []int{2, 16, 64} {
		b.Run(map[int]string{2: "2 seats", 16: "16 seats", 64: "64 seats"}[seats], func(b *testing.B) {
			r := newDriftRoom(b, seats)
			b.ReportAllocs()
			for b.Loop() {
				r.tick(b)
			}
		})
	}
}

package edge

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/simnet"
	"muster/match"
	"muster/proto"
)

// lossyRooms finds rooms to which the first inputs do not come.
type lossyRooms struct {
	Rooms
	lossy bool
	lose  *atomic.Int32
	taken *atomic.Int32 // how often a sample was handed over
}

func (r lossyRooms) Open(ctx context.Context, id string) (Room, error) {
	rm, err := r.Rooms.Open(ctx, id)
	return lossyRoom{rm, r}, err
}

type lossyRoom struct {
	Room
	r lossyRooms
}

func (rm lossyRoom) Lossy() bool { return rm.r.lossy }

func (rm lossyRoom) Input(v match.Viewer, p *proto.InputPacket) {
	rm.r.taken.Add(int32(len(p.Inputs))) //nolint:gosec // at most 32
	if rm.r.lose.Add(-1) < 0 {
		rm.Room.Input(v, p)
	}
}

func TestSamplesThatMayBeLostAreHandedOverUntilTheyAreProcessed(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var used, lose, taken atomic.Int32
			b := newSimBench(t, grow{inputs: &used}, simnet.Link{Latency: time.Millisecond}, func(cfg *Config) {
				cfg.Rooms = lossyRooms{cfg.Rooms, lossy, &lose, &taken}
			})
			c := b.join(t.Context(), "r", 1, "alice")
			c.until(t.Context(), proto.KindFrame)
			lose.Store(1)
			packet := proto.NewWriter()
			(&proto.InputPacket{Epoch: 5, Last: 1, Inputs: []proto.Input{{Seq: 1, Tick: 1, Body: []byte{0x91, 1}}}}).Append(packet)
			send := func() {
				if err := c.Write(t.Context(), websocket.MessageBinary, packet.Bytes()); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 { // and again, until it is acknowledged
				send()
				time.Sleep(time.Millisecond)
			}
			time.Sleep(200 * time.Millisecond)
			c.until(t.Context(), proto.KindFrame)
			handed := taken.Load()
			send()
			time.Sleep(100 * time.Millisecond)
			switch {
			case lossy && (used.Load() == 0 || handed != 3):
				t.Errorf("lossy: the sample was handed over %d times and used %d times", handed, used.Load())
			case !lossy && (used.Load() != 0 || handed != 1):
				t.Errorf("not lossy: the sample was handed over %d times and used %d times", handed, used.Load())
			case taken.Load() != handed:
				t.Error("a sample was handed over that is processed")
			}
		})
	}
}

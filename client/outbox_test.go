package client

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/proto"
)

func put(t rapid.TB, o *outbox, n int, size int) {
	t.Helper()
	for range n {
		if _, err := o.add(5, 4, 0, make([]byte, size), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
}

// sequences returns those of each packet, as sent.
func sequences(t rapid.TB, o *outbox) (packets [][]uint32) {
	t.Helper()
	err := o.packets(keptCommands, 1, 2, 3, func(p *proto.InputPacket) error {
		var seqs []uint32
		for i := range p.Inputs {
			seqs = append(seqs, p.Inputs[i].Seq)
			if i > 0 && p.Inputs[i].Seq != p.Inputs[i-1].Seq-1 {
				t.Errorf("sequences of a packet do not fall by one: %v", seqs)
			}
		}
		w := proto.NewWriter()
		p.Append(w)
		if w.Len() > proto.MaxClientMessage || len(p.Inputs) > proto.MaxInputs {
			t.Errorf("a packet has %d inputs in %d bytes", len(p.Inputs), w.Len())
		}
		packets = append(packets, seqs)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packets
}

func TestOutboxRepeatsWhatIsNotProcessedAndKeepsWhatIsNotDurable(t *testing.T) {
	var o outbox
	put(t, &o, 5, 1)
	acked := 0
	o.ack(3, 1, func(time.Time) { acked++ })
	if acked != 3 {
		t.Errorf("%d inputs acknowledged, want 3", acked)
	}
	if got := sequences(t, &o); len(got) != 1 || !slices.Equal(got[0], []uint32{5, 4}) {
		t.Errorf("packets %v, want one of 5 and 4", got)
	}
	if o.n != 4 {
		t.Errorf("%d inputs kept, want the four that are not durable", o.n)
	}
	o.welcome(proto.Samples, 2) // a failover took back what was not durable
	if got := sequences(t, &o); len(got) != 1 || !slices.Equal(got[0], []uint32{5, 4, 3}) {
		t.Errorf("packets %v after a resume at 2, want 5, 4 and 3", got)
	}
}

func TestOutboxDropsTheOldestSample(t *testing.T) {
	var o outbox
	put(t, &o, proto.MaxInputs, 1)
	dropped, err := o.add(5, 4, 0, []byte{1}, time.Now())
	if err != nil || dropped != 1 {
		t.Errorf("dropped %d, error %v; want one dropped", dropped, err)
	}
	got := sequences(t, &o)
	if len(got) != 1 || len(got[0]) != proto.MaxInputs || got[0][0] != proto.MaxInputs+1 {
		t.Errorf("packets %v, want one of the newest %d", got, proto.MaxInputs)
	}
}

func TestOutboxRefusesACommandAboveItsBound(t *testing.T) {
	o := outbox{mode: proto.Commands}
	put(t, &o, 256, 1)
	if _, err := o.add(5, 4, 0, []byte{1}, time.Now()); !errors.Is(err, ErrBacklog) {
		t.Errorf("error %v, want ErrBacklog", err)
	}
	if o.seq != 256 {
		t.Errorf("sequence %d after a refusal, want 256", o.seq)
	}
	o.ack(256, 1, func(time.Time) {})
	put(t, &o, 1, 1)
}

func TestOutboxSplitsLargeCommandsOldestFirst(t *testing.T) {
	o := outbox{mode: proto.Commands}
	put(t, &o, 5, 3000)
	got := sequences(t, &o)
	want := [][]uint32{{2, 1}, {4, 3}, {5}}
	if len(got) != len(want) {
		t.Fatalf("packets %v, want %v", got, want)
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("packets %v, want %v", got, want)
		}
	}
}

func TestOutboxSplitsManyCommandsOldestFirst(t *testing.T) {
	o := outbox{mode: proto.Commands}
	put(t, &o, 70, 1)
	got := sequences(t, &o)
	if len(got) != 3 || got[0][0] != 32 || got[0][31] != 1 || got[1][0] != 64 || len(got[2]) != 6 {
		t.Errorf("packets %v, want 1 to 32, 33 to 64, 65 to 70", got)
	}
	n := 0
	_ = o.packets(2, 1, 2, 3, func(*proto.InputPacket) error { n++; return nil })
	if n != 2 {
		t.Errorf("%d packets, want two at most", n)
	}
}

func TestOutboxIsCrowdedWhileACommandWaitsForASecondPacket(t *testing.T) {
	o := outbox{mode: proto.Commands}
	put(t, &o, 32, 1)
	if o.crowded() {
		t.Error("with 32 commands")
	}
	put(t, &o, 100, 1)
	if !o.crowded() {
		t.Error("not with 132 commands")
	}
	o.ack(100, 0, func(time.Time) {})
	if o.crowded() {
		t.Error("with 32 that are not processed, whatever is not durable")
	}
}

// Whatever is acknowledged, lost or taken back: packets are well-formed, and hold what the room has not got in order and
// without a gap, from the first that it needs.
func TestOutboxPacketsAreInOrderWithoutGapsWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]proto.InputMode{proto.Samples, proto.Commands}).Draw(t, "mode")
		var o outbox
		o.welcome(mode, rapid.Uint32Range(0, 100).Draw(t, "start"))
		durable, room := o.seq, o.room
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				size := rapid.SampledFrom([]int{0, 1, 300, proto.MaxInputBody}).Draw(t, "size")
				for range rapid.IntRange(1, 100).Draw(t, "n") {
					before, n := o.seq, o.n
					_, err := o.add(o.seq, 0, 0, make([]byte, size), time.Now())
					if full := mode == proto.Commands && n == 256; full != errors.Is(err, ErrBacklog) || full != (o.seq == before) {
						t.Fatalf("with %d inputs: %v", n, err)
					}
				}
			},
			"acknowledge": func(t *rapid.T) {
				room = rapid.Uint32Range(room, max(room, o.seq)).Draw(t, "processed")
				durable = rapid.Uint32Range(durable, room).Draw(t, "durable")
				o.ack(room, durable, func(time.Time) {})
			},
			"fail over": func(t *rapid.T) {
				room = rapid.Uint32Range(durable, room).Draw(t, "room")
				o.welcome(mode, room)
			},
			"overtake": func(t *rapid.T) {
				room = o.seq + rapid.Uint32Range(1, 1000).Draw(t, "by")
				durable = room
				o.welcome(mode, room)
			},
			"": func(t *rapid.T) {
				if most := map[proto.InputMode]int{proto.Samples: 32, proto.Commands: 256}[mode]; o.n > most {
					t.Fatalf("%d inputs are kept", o.n)
				}
				next := room
				packets := sequences(t, &o)
				for _, p := range packets {
					slices.Reverse(p)
					for _, seq := range p {
						if seq != next+1 && (mode == proto.Commands || next != room) { // samples are dropped, the oldest first
							t.Fatalf("%d follows %d in %v", seq, next, packets)
						}
						next = seq
					}
				}
				if next != max(room, o.seq) {
					t.Fatalf("%d is the last in %v, want %d", next, packets, o.seq)
				}
			},
		})
	})
}

func TestOutboxSendsOnlyTheNewestOfLargeSamples(t *testing.T) {
	var o outbox
	put(t, &o, 5, 3000)
	if got := sequences(t, &o); len(got) != 1 || !slices.Equal(got[0], []uint32{5, 4}) {
		t.Errorf("packets %v, want one of 5 and 4", got)
	}
}

func TestOutboxWithoutInputsSendsABarePacket(t *testing.T) {
	var o outbox
	if got := sequences(t, &o); len(got) != 1 || len(got[0]) != 0 {
		t.Errorf("packets %v, want one empty one", got)
	}
}

func TestOutboxCountsOnFromTheRoomsSequence(t *testing.T) {
	var o outbox
	o.welcome(proto.Samples, 41)
	put(t, &o, 1, 1)
	if got := sequences(t, &o); len(got) != 1 || !slices.Equal(got[0], []uint32{42}) {
		t.Errorf("packets %v, want one of 42", got)
	}
}

func TestOutboxTicksNeverFall(t *testing.T) {
	var o outbox
	for _, tick := range []uint32{7, 9, 8} {
		if _, err := o.add(tick, 0, 0, nil, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got := o.at(2).Tick; got != 9 {
		t.Errorf("tick %d of the third input, want 9", got)
	}
}

func TestOutboxSurvivesAnAcknowledgementOfTheFuture(t *testing.T) {
	var o outbox
	put(t, &o, 3, 1)
	acked := 0
	o.ack(1<<31, 1<<31, func(time.Time) { acked++ })
	if o.n != 0 || acked != 0 {
		t.Errorf("%d kept, %d timed; want none", o.n, acked)
	}
}

func TestOutboxAddAllocatesNothingInSteadyPlay(t *testing.T) {
	var o outbox
	body := []byte{1, 2, 3}
	write := func(*proto.InputPacket) error { return nil }
	step := func() {
		_, _ = o.add(o.seq, o.seq, 0, body, time.Time{})
		o.ack(o.seq, o.seq, func(time.Time) {})
		_ = o.packets(flushPackets, 1, 1, 1, write)
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOutboxNamesTheNewestCommandsThatAnotherProgramOvertook(t *testing.T) {
	o := outbox{mode: proto.Commands}
	put(t, &o, 200, 1)
	o.ack(50, 50, func(time.Time) {})
	o.welcome(proto.Commands, 1000)
	put(t, &o, 200, 1)
	o.welcome(proto.Commands, 9999)
	var named []uint32
	o.unprocessed(func(seq uint32, _ []byte) { named = append(named, seq) })
	if len(named) != 256 || named[0] != 145 || named[55] != 200 || named[56] != 1001 || named[255] != 1200 {
		t.Errorf("%d are named: %v", len(named), named)
	}
}

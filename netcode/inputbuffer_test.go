package netcode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

func sent(seq, tick uint32) *proto.Input {
	return &proto.Input{Seq: seq, Tick: tick, View: tick, Body: binary.BigEndian.AppendUint32(nil, seq)}
}

// seqs are the sequences of inputs, of which the bodies must be their own.
func seqs(t interface{ Fatalf(string, ...any) }, list []proto.Input) (out []uint32) {
	for _, in := range list {
		if !bytes.Equal(in.Body, binary.BigEndian.AppendUint32(nil, in.Seq)) {
			t.Fatalf("input %d has the body %x", in.Seq, in.Body)
		}
		out = append(out, in.Seq)
	}
	return out
}

func TestInputIsUsedAtItsTickOrTheNextOneIfItIsLate(t *testing.T) {
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		b := NewInputBuffer(mode, 20, 16)
		for _, step := range []struct {
			push *proto.Input // before the tick runs
			tick uint32
			want []uint32
			lead int8 // of what was used last
		}{
			{sent(1, 10), 10, []uint32{1}, 0},
			{sent(2, 13), 11, nil, 0},
			{nil, 12, nil, 0},
			{nil, 13, []uint32{2}, 2},
			{sent(3, 12), 14, []uint32{3}, -2},
			{sent(4, 1<<31), 15, nil, -2},
			{nil, 34, nil, -2},
			{nil, 35, []uint32{4}, 127}, // brought near: one second after tick 15
			{sent(5, 0), 1000, []uint32{5}, -128},
		} {
			if step.push != nil && !b.Push(step.push, step.tick) {
				t.Fatalf("mode %d: input %d was not taken", mode, step.push.Seq)
			}
			if got := seqs(t, b.Take(step.tick)); !slices.Equal(got, step.want) || b.Lead() != step.lead {
				t.Errorf("mode %d, tick %d: used %v with a lead of %d, want %v with %d", mode, step.tick, got, b.Lead(), step.want, step.lead)
			}
		}
	}
}

func TestLeadIsThatOfTheLatestInputOfATick(t *testing.T) {
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		b := NewInputBuffer(mode, 20, 16)
		for i, tick := range []uint32{8, 9, 10} { // held up on the way and here together
			b.Push(sent(uint32(i)+1, tick), 10)
		}
		if b.Take(10); b.Lead() != -2 {
			t.Errorf("mode %d: lead %d, want -2", mode, b.Lead())
		}
		b.Push(sent(4, 12), 11)
		b.Take(11)
		if b.Take(12); b.Lead() != 1 {
			t.Errorf("mode %d: lead %d of the next, want 1", mode, b.Lead())
		}
	}
}

func TestViewOfAnInputIsNotInTheFuture(t *testing.T) {
	b := NewInputBuffer(proto.Commands, 20, 16)
	for i, c := range []struct{ view, next, want uint32 }{{5, 10, 5}, {9, 10, 9}, {10, 10, 9}, {1 << 31, 10, 9}, {3, 0, 0}} {
		b.Push(&proto.Input{Seq: uint32(i) + 1, View: c.view, Frac: 7}, c.next)
		got := b.Take(10)
		if len(got) != 1 || got[0].View != c.want || got[0].Frac != 7 {
			t.Errorf("looked at %d before tick %d: %+v, want view %d", c.view, c.next, got, c.want)
		}
	}
}

func TestFullBufferDropsTheOldestSampleAndRefusesTheNewestCommand(t *testing.T) {
	samples, commands := NewInputBuffer(proto.Samples, 128, 16), NewInputBuffer(proto.Commands, 128, 16)
	for seq := uint32(1); seq <= bufferedSamples; seq++ {
		samples.Push(sent(seq, 1+seq), 1)
	}
	if !samples.Push(sent(bufferedSamples+1, 100), 1) {
		t.Error("a full buffer does not take a newer sample")
	}
	if got := seqs(t, samples.Take(2)); got != nil {
		t.Errorf("tick 2 uses %v, want nothing: its sample gave way", got)
	}
	for seq := uint32(1); seq <= bufferedCommands; seq++ {
		if !commands.Push(sent(seq, 1), 1) {
			t.Fatalf("command %d was not taken", seq)
		}
	}
	if commands.Push(sent(bufferedCommands+1, 1), 1) {
		t.Error("a full buffer takes a command")
	}
	if got := len(commands.Take(1)); got != commandsATick {
		t.Errorf("a tick uses %d commands, want %d", got, commandsATick)
	}
	if !commands.Push(sent(bufferedCommands+1, 1), 2) {
		t.Error("a refused command is not taken when it is sent again")
	}
}

func TestTickUsesAsManyCommandsAsItMay(t *testing.T) {
	for _, c := range []struct{ perTick, want int }{{1, 1}, {5, 5}, {16, 16}, {17, 16}, {0, 1}, {-1, 1}} {
		commands, samples := NewInputBuffer(proto.Commands, 20, c.perTick), NewInputBuffer(proto.Samples, 20, c.perTick)
		for seq := uint32(1); seq <= 20; seq++ {
			commands.Push(sent(seq, 1), 1)
			samples.Push(sent(seq, 1), 1)
		}
		if got := seqs(t, commands.Take(1)); len(got) != c.want || commands.Len() != 20-c.want {
			t.Errorf("%d commands a tick: it uses %v and %d wait", c.perTick, got, commands.Len())
		}
		if got := seqs(t, samples.Take(1)); len(got) != 1 || got[0] != 20 || samples.Len() != 0 {
			t.Errorf("%d a tick: it uses the samples %v and %d wait", c.perTick, got, samples.Len())
		}
	}
}

func TestNewOccupantOfASeatStartsAfresh(t *testing.T) {
	b := NewInputBuffer(proto.Commands, 20, 16)
	b.Push(sent(1, 3), 5)
	b.Reset()
	if b.Len() != 0 || b.Seq() != 0 || b.Processed() != 0 || b.Lead() != 0 || !b.Push(sent(1, 6), 6) {
		t.Errorf("after a reset: %d inputs, newest %d, processed %d, lead %d", b.Len(), b.Seq(), b.Processed(), b.Lead())
	}
}

// modelInput is an input in the model, and modelBuffer is what an InputBuffer does, said slowly.
type modelInput struct{ seq, due uint32 }

type modelBuffer struct {
	mode  proto.InputMode
	rate  uint32
	wait  []modelInput
	newst uint32
}

func (m *modelBuffer) push(seq, tick, next uint32) bool {
	full := len(m.wait) == map[proto.InputMode]int{proto.Samples: 32, proto.Commands: 128}[m.mode]
	if seq <= m.newst || m.mode == proto.Commands && (seq != m.newst+1 || full) {
		return false
	}
	if full {
		m.wait = m.wait[1:]
	}
	m.wait, m.newst = append(m.wait, modelInput{seq, min(tick, next+m.rate)}), seq
	return true
}

func (m *modelBuffer) take(tick uint32) (used []uint32) {
	for len(m.wait) > 0 && m.wait[0].due <= tick && len(used) < 16 {
		if used = append(used, m.wait[0].seq); m.mode == proto.Samples {
			used = used[len(used)-1:]
		}
		m.wait = m.wait[1:]
	}
	return used
}

func TestInputBufferDoesWhatItsModelDoesInAnyOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]proto.InputMode{proto.Samples, proto.Commands}).Draw(t, "mode")
		rate := rapid.SampledFrom([]int{1, 20, 128}).Draw(t, "rate")
		b, m := NewInputBuffer(mode, rate, 16), &modelBuffer{mode: mode, rate: uint32(rate)}
		var used []uint32
		tick, top := uint32(0), uint32(0)
		for range rapid.IntRange(1, 200).Draw(t, "ticks") {
			tick++
			for range rapid.IntRange(0, 12).Draw(t, "arrivals") {
				// Repeats, gaps, old ones, and mostly the next: a packet that is cut, delayed, doubled.
				seq := uint32(max(1, int(top)+rapid.SampledFrom([]int{1, 1, 1, 1, 0, -3, 2, 40}).Draw(t, "step")))
				at := uint32(max(0, int(tick)+rapid.SampledFrom([]int{0, 1, 2, -5, 30, 1 << 20}).Draw(t, "lead")))
				got, want := b.Push(sent(seq, at), tick), m.push(seq, at, tick)
				if got != want {
					t.Fatalf("tick %d: push of %d for %d: %v, want %v", tick, seq, at, got, want)
				}
				if got {
					top = seq
				}
			}
			got, want := seqs(t, b.Take(tick)), m.take(tick)
			if !slices.Equal(got, want) || b.Len() != len(m.wait) || b.Seq() != m.newst {
				t.Fatalf("tick %d uses %v, want %v; %d wait, want %d", tick, got, want, b.Len(), len(m.wait))
			}
			if used = append(used, got...); len(used) > 0 && b.Processed() != used[len(used)-1] {
				t.Fatalf("processed is %d after %v", b.Processed(), used)
			}
		}
		for i := 1; i < len(used); i++ {
			if used[i] <= used[i-1] || mode == proto.Commands && used[i] != used[i-1]+1 {
				t.Fatalf("input %d was used after %d", used[i], used[i-1])
			}
		}
	})
}

func TestInputBufferInItsStrideAllocatesNothing(t *testing.T) {
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		b := NewInputBuffer(mode, 20, 16)
		in, tick := *sent(1, 1), uint32(0)
		step := func() {
			tick++
			for range 3 {
				b.Push(&in, tick)
				in.Seq++
				in.Tick = tick + 2
			}
			b.Take(tick)
		}
		for range 200 {
			step()
		}
		wantAllocs(t, fmt.Sprintf("a tick of mode %d", mode), 0, step)
	}
}

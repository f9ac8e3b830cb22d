package client

import (
	"fmt"
	"slices"
	"testing"

	"muster/netcode"
	"muster/proto"
)

func dots(w *world) *netcode.Table[dot]       { return &w.Dots }
func theRound(w *world) *netcode.Value[round] { return &w.Round }

// told notes what is told of the dots and the round, as text.
func told(c *Conn[world, input]) *[]string {
	var list []string
	note := func(format string, a ...any) { list = append(list, fmt.Sprintf(format, a...)) }
	d := RowsOf(c, dots)
	d.OnAdd(func(_ netcode.ID, row *dot) { note("add %d", row.X) })
	d.OnChange(func(_ netcode.ID, row, before *dot) { note("change %d to %d", before.X, row.X) })
	OnField(d, func(d *dot) uint8 { return d.Ammo }, func(_ netcode.ID, ammo, before uint8) { note("ammo %d to %d", before, ammo) })
	d.OnRemove(func(_ netcode.ID, before *dot) { note("remove %d", before.X) })
	OnValue(c, theRound, func(now, before *round) { note("round %d to %d", before.Left, now.Left) })
	return &list
}

func (n *fakeNode) expect(c *Conn[world, input], fc *fakeConn, list *[]string, want ...string) {
	n.t.Helper()
	fc.shows(c, 0)
	slices.Sort(*list)
	slices.Sort(want)
	if !slices.Equal(*list, want) {
		n.t.Errorf("tick %d: told %q, want %q", n.tick, *list, want)
	}
	*list = nil
}

func TestRowsThatComeChangeAndGoAreTold(t *testing.T) {
	n, c, fc := join(t, Options{})
	list := told(c)
	n.expect(c, fc, list, "add 10", "add 20")
	n.expect(c, fc, list)
	id := n.state.Dots.Add(dot{X: 30})
	n.state.Round.V.Left = 7
	n.expect(c, fc, list, "add 30", "round 0 to 7")
	n.state.Dots.Get(id).X, n.state.Round.V.Left = 31, 6
	n.expect(c, fc, list, "change 30 to 31", "round 7 to 6")
	n.state.Dots.Get(id).X = 32
	n.expect(c, fc, list, "change 31 to 32")
	n.state.Dots.Remove(id)
	n.expect(c, fc, list, "remove 32")
	n.state.Dots.Get(1).Ammo = 8
	n.expect(c, fc, list, "change 10 to 10", "ammo 9 to 8")
}

func TestAResumeTellsTheDifferencesAlone(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true})
	list := told(c)
	gone := n.state.Dots.Add(dot{X: 30})
	moved := n.state.Dots.Add(dot{X: 40})
	n.expect(c, fc, list, "add 10", "add 20", "add 30", "add 40")
	_ = fc.ws.CloseNow()
	n.state.Dots.Remove(gone)
	n.state.Dots.Get(moved).X = 41
	n.state.Dots.Add(dot{X: 50})
	done := drive(c)
	fc = n.next()
	n.step()
	fc.frame(0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if want := []string{"remove 30", "add 50", "change 40 to 41"}; !slices.Equal(*list, want) {
		slices.Sort(*list)
		slices.Sort(want)
		if !slices.Equal(*list, want) {
			t.Errorf("told %q, want %q", *list, want)
		}
	}
}

// A large keyframe comes over some frames: what it brings last must not be taken for gone until then.
func TestAResumeWhoseKeyframeComesInPartsTellsTheDifferencesAlone(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true})
	list := told(c)
	gone := n.state.Dots.Add(dot{X: 30})
	n.state.Round.V.Left = 7
	n.expect(c, fc, list, "add 10", "add 20", "add 30", "round 0 to 7")
	_ = fc.ws.CloseNow()
	n.state.Dots.Remove(gone)
	n.state.Dots.Add(dot{X: 50})
	done := drive(c)
	fc = n.next()
	n.step()
	blocks := n.enc.Prepare(&fc.view, n.scopes())
	half := make([][2]proto.Block, len(blocks))
	for i, b := range blocks {
		at := len(b.Data) / 2
		half[i][0] = proto.Block{Scope: b.Scope, Data: b.Data[:at], Part: proto.Part{Tick: n.tick, Size: len(b.Data)}}
		half[i][1] = proto.Block{Scope: b.Scope, Data: b.Data[at:], Part: proto.Part{Tick: n.tick, From: at, Size: len(b.Data)}}
	}
	for i := range 2 {
		var parts []proto.Block
		for _, h := range half {
			parts = append(parts, h[i])
		}
		fc.blocks(n.tick+uint32(i), 0, parts) //nolint:gosec // two
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		want, rows := []string(nil), []int16{10, 20, 30}
		if i == 1 {
			want, rows = []string{"add 50", "remove 30"}, []int16{10, 20, 50}
		} else {
			done = drive(c)
		}
		slices.Sort(*list)
		if got := xs(c); !slices.Equal(*list, want) || len(got) != 3 || !slices.Equal(slices.Sorted(slices.Values(got)), rows) {
			t.Fatalf("part %d: told %q, want %q; dots at %v, want %v", i, *list, want, got, rows)
		}
		if ammo := c.State().Dots.Get(1).Ammo; ammo != 9 || c.State().Round.V.Left != 7 {
			t.Errorf("part %d: the own row has %d, the round %d, want 9 and 7", i, ammo, c.State().Round.V.Left)
		}
		*list = nil
	}
}

func TestWhoeverListensNoLongerIsNotTold(t *testing.T) {
	_, c, fc := join(t, Options{})
	var heard []string
	r := RowsOf(c, dots)
	var off func()
	off = r.OnAdd(func(netcode.ID, *dot) { heard = append(heard, "once"); off() }) // also from within
	r.OnAdd(func(netcode.ID, *dot) { heard = append(heard, "each") })
	if RowsOf(c, dots) != r {
		t.Error("a table has two Rows")
	}
	fc.shows(c, 0)
	if want := []string{"once", "each", "each"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

func TestWhatIsNoTableOfTheStateIsAPanic(t *testing.T) {
	_, c, _ := join(t, Options{})
	for about, f := range map[string]func(){
		"a table of its own":  func() { RowsOf(c, func(*world) *netcode.Table[dot] { return new(netcode.Table[dot]) }) },
		"an event of no game": func() { On(c, func(*round, Event) {}) },
		"a value of its own": func() {
			OnValue(c, func(*world) *netcode.Value[round] { return new(netcode.Value[round]) }, func(_, _ *round) {})
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is accepted", about)
				}
			}()
			f()
		}()
	}
}

func TestEventsGoToTheHandlersOfTheirTypes(t *testing.T) {
	n, c, fc := join(t, Options{})
	var heard []string
	off := On(c, func(b *boom, e Event) { heard = append(heard, fmt.Sprint("first ", b.N, e.Tick, e.Number)) })
	On(c, func(b *boom, _ Event) { heard = append(heard, fmt.Sprint("second ", b.N)) })
	say := func(first uint32, values ...uint16) {
		fc.send(n.booms(3, first, values...))
		fc.shows(c, 0)
	}
	say(1, 7, 8)
	off()
	say(2, 8, 9) // the first of them again
	if want := []string{"first 7 3 1", "second 7", "first 8 3 2", "second 8", "second 9"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

package cards

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/netcode"
	"muster/proto"
)

// What is hidden stays hidden: a table is played twice at the same time, with the same public history and other cards in the
// hands of the others, and one player's bytes must be the same.

// twin is one of two tables.
type twin struct {
	w      World
	driver *netcode.Driver[World, Input]
	enc    *netcode.Encoder
	watch  []*watcher
}

// watcher is one who is sent frames: a seat, or 0 for a spectator.
type watcher struct {
	seat netcode.Seat
	view netcode.View
	prev *proto.Head
}

const (
	ownSeat   = 1   // whose bytes are compared
	ticksEach = 300 // of each of two tables
)

func newTwin(sc *netcode.Schema, dice uint64, plain bool) *twin {
	tw := &twin{enc: netcode.NewEncoder(sc, netcode.EncoderConfig{Key: 99})}
	tw.driver = netcode.NewDriver[World, Input](&tw.w, netcode.DriverConfig{Rate: tickRate, Seed: dice, Schema: sc})
	tw.w.Round.V = Round{Target: 40, Turns: 50, Gather: 5, Dealer: 3, Open: true}
	for place := range uint8(places) {
		c := Chair{Owner: netcode.Seat(place + 1), Place: place, Name: fmt.Sprint("P", place)}
		if place == places-1 {
			c.Owner, c.Bot = FirstBot+netcode.Seat(place), true
		}
		tw.w.Seats.Add(c)
	}
	for _, seat := range []netcode.Seat{ownSeat, 0} {
		v := &watcher{seat: seat}
		v.view.Plain = plain
		tw.watch = append(tw.watch, v)
	}
	return tw
}

// tick runs a tick with commands, by seat, and returns what each watcher is sent: frame and events.
func (tw *twin) tick(t testing.TB, tick uint32, commands map[netcode.Seat]Input) (sent [][]byte) {
	t.Helper()
	tw.driver.Begin(tick)
	for seat, in := range commands {
		tw.driver.Input(seat, tick, tick, 0, &in)
	}
	tw.driver.Run(Cards{}.Step)
	tw.enc.CaptureScoped(tick, &tw.w, func(sc *netcode.Scopes) { Cards{}.Scopes(&tw.w, sc) })
	for _, v := range tw.watch {
		scopes := tw.enc.PublicScopes()
		if v.seat != 0 {
			scopes = tw.enc.Scopes(v.seat)
		}
		blocks := tw.enc.Prepare(&v.view, scopes)
		head := proto.Head{Epoch: 1, Tick: tick, Scopes: slices.Clone(scopes)}
		w := proto.NewWriter()
		head.Append(w, v.prev, tw.enc.Hashes(&v.view), len(blocks))
		for _, b := range blocks {
			b.Append(w)
		}
		v.prev = &head
		for _, e := range tw.driver.Emitted() {
			if e.To.IsEveryone() || v.seat != 0 && e.To.Includes(v.seat, 0) {
				if err := tw.enc.WriteEvent(w, e.Event); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, f := range tw.driver.Refused() {
			if f.Seat == v.seat {
				w.Str(f.Reason)
			}
		}
		sent = append(sent, slices.Clone(w.Bytes()))
	}
	return sent
}

// hidden is all that the own seat must not know: where a card is that is in another's hand or in the deck.
type hidden struct {
	held *Held
	deck int
}

func (h hidden) get(w *World) Card {
	if h.held != nil {
		return h.held.Card
	}
	return cardOf(w.Round.V.Deck[h.deck])
}

func (h hidden) set(w *World, c Card) {
	if h.held != nil {
		h.held.Card = c
		return
	}
	w.Round.V.Deck[h.deck] = c.code()
}

func (w *World) hidden() (list []hidden) {
	for _, held := range w.Hands.All() {
		if held.Owner != ownSeat {
			list = append(list, hidden{held: held})
		}
	}
	for i := range w.Round.V.Deck {
		list = append(list, hidden{deck: i})
	}
	return list
}

// mixUp exchanges what is hidden: every card that the own seat cannot know may be anywhere else that it cannot look.
func (w *World) mixUp(choice func(n int) int) {
	list := w.hidden()
	for i := len(list) - 1; i > 0; i-- {
		j := choice(i + 1)
		a, b := list[i].get(w), list[j].get(w)
		list[i].set(w, b)
		list[j].set(w, a)
	}
}

// swap brings a card that is hidden to a place that is.
func (w *World) swap(to hidden, c Card) {
	was := to.get(w)
	for _, h := range w.hidden() {
		if h.get(w) == c {
			h.set(w, was)
			break
		}
	}
	to.set(w, c)
}

// follow makes the second table agree with what the first one is about to make public in this tick: the own seat's draw,
// a card that another plays, open hands. What it does not make public stays as it is.
func follow(first, second *World, commands map[netcode.Seat]Input, opens bool) map[netcode.Seat]Input {
	if opens { // all hands are laid open: they are as in the first
		theirs := handsOf(first)
		for seat, h := range handsOf(second) {
			for i := range h {
				second.swap(hidden{held: h[i]}, theirs[seat][i].Card)
			}
		}
	}
	if n := len(first.Round.V.Deck); n > 0 && first.Round.V.Turn == ownSeat {
		second.swap(hidden{deck: n - 1}, cardOf(first.Round.V.Deck[n-1]))
	}
	same := map[netcode.Seat]Input{}
	for seat, in := range commands {
		if held := first.Hands.Get(in.Card); in.Act == Play && seat != ownSeat && held != nil && held.Owner == seat {
			in.Card = second.bring(seat, held.Card)
		}
		same[seat] = in
	}
	return same
}

// bring lets a seat hold a card, in any of its places, and returns its row.
func (w *World) bring(seat netcode.Seat, c Card) (id netcode.ID) {
	for at, held := range w.Hands.All() {
		if held.Owner == seat && (held.Card == c || id == 0) {
			id = at
		}
	}
	w.swap(hidden{held: w.Hands.Get(id)}, c)
	return id
}

func handsOf(w *World) map[netcode.Seat][]*Held {
	list := map[netcode.Seat][]*Held{}
	for _, held := range w.Hands.All() {
		if held.Owner != ownSeat {
			list[held.Owner] = append(list[held.Owner], held)
		}
	}
	return list
}

// The own seat's bytes, and a spectator's, are the same whatever is in the other hands and in the deck: frames with their
// hashes, events, refusals, also of commands that try ids which are others'.
func TestBytesOfASeatDoNotDependOnOtherHands(t *testing.T) {
	sc, err := netcode.Compile[World, Input](events...)
	if err != nil {
		t.Fatal(err)
	}
	rounds, played, guesses := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		plain := rapid.Bool().Draw(rt, "plain")
		dice := rapid.Uint64().Draw(rt, "dice")
		choice := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") }
		first, second := newTwin(sc, dice, plain), newTwin(sc, dice, plain)
		for tick := uint32(1); tick <= ticksEach; tick++ {
			r := &first.w.Round.V
			commands := map[netcode.Seat]Input{}
			for seat := netcode.Seat(1); seat < places; seat++ {
				switch choice(4) {
				case 0, 1:
					if r.Turn == seat {
						commands[seat] = choose(&first.w, seat)
					}
				case 2:
					if seat == ownSeat { // whatever id it may be
						commands[seat] = Input{Act: Play, Card: netcode.ID(choice(40)<<16 | choice(6) + 1)}
						guesses++
					} else if r.Phase == Scored {
						commands[seat] = Input{Act: Ready}
					}
				}
			}
			// The bot of the first table does what the second's must be able to do as well: it is given a command of its own.
			if bot := FirstBot + places - 1; r.Turn == bot && r.Think <= tick {
				in := choose(&first.w, bot)
				commands[bot] = in
				first.w.Round.V.Think, second.w.Round.V.Think = tick+1, tick+1
			}
			if r.Phase == Playing {
				second.w.mixUp(choice)
			}
			opens := willOpen(&first.w, commands)
			theirs := follow(&first.w, &second.w, commands, opens)
			a, b := first.tick(t, tick, commands), second.tick(t, tick, theirs)
			for i := range a {
				if !bytes.Equal(a[i], b[i]) {
					rt.Fatalf("tick %d, seat %d: %x with some hands, %x with others\n%v\n%v", tick, first.watch[i].seat, a[i], b[i], commands, theirs)
				}
			}
			played += len(first.driver.Emitted())
			if tick == ticksEach || r.Phase == Over {
				rounds += int(r.Number)
			}
			if r.Phase == Over {
				break
			}
		}
	})
	t.Logf("%d rounds, %d events, %d guesses at ids", rounds, played, guesses)
	if played < 500 || guesses < 500 {
		t.Errorf("%d events, %d guesses: it tests little", played, guesses)
	}
}

// willOpen says whether a round may end with these commands.
func willOpen(w *World, commands map[netcode.Seat]Input) bool {
	if !w.canDraw() {
		return true
	}
	in, ok := commands[w.Round.V.Turn]
	chair := w.chair(w.Round.V.Turn)
	return ok && chair != nil && chair.Cards == 1 && in.Act == Play
}

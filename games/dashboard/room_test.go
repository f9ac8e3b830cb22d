package dashboard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/match"
	"muster/match/matchtest"
	"muster/netcode"
)

// shown is the game whose works a test answers itself.
var shown = Game(nil)

func board(r *matchtest.Room) *Board { return matchtest.State[Board](r) }

// report is one of n nodes, made at a second.
func report(at uint32, n int) *Report {
	rep := &Report{At: at, Totals: Totals{Nodes: uint32(n), Rooms: at, TickRate: 20}}
	for i := range n {
		rep.Nodes = append(rep.Nodes, Node{ID: fmt.Sprint("n", i), Role: "all", Alive: true, Rooms: at + uint32(i)})
	}
	rep.Games = []InGame{{Game: "arena", Rooms: at, Players: 2}}
	rep.Queues = []Queue{{Name: "duel", Game: "arena", Waiting: 3, P50: 1500, PerMinute: 2}}
	return rep
}

// rows are a table's, in its order.
func rows[T any](t *netcode.Table[T]) (list []T) {
	for _, row := range t.All() {
		list = append(list, *row)
	}
	return list
}

// tell answers the work that is under way.
func tell(r *matchtest.Room, rep *Report) {
	r.Work("report", rep.bytes(), nil)
	r.Tick(1)
}

func TestReportIsAskedForAtOnceAndThenEachSecondAndOneAtATime(t *testing.T) {
	r := matchtest.New(t, shown, matchtest.Config{Seed: 1})
	r.Join(1, "ann", "Ann")
	r.Tick(1)
	if got := r.Works(); !slices.Equal(got, []string{"report"}) {
		t.Fatalf("who comes is followed by %q", got)
	}
	r.Tick(10 * tickRate)
	if got := r.Works(); len(got) != 1 {
		t.Fatalf("while one does not come back %d are asked for", len(got))
	}
	tell(r, report(100, 1))
	asked := 0
	for range 10 * tickRate {
		if len(r.Works()) > 0 {
			asked++
			r.Work("report", report(100+uint32(asked), 1).bytes(), nil)
		}
		r.Tick(1)
	}
	if asked < 9 || asked > 11 {
		t.Errorf("in ten seconds %d were asked for", asked)
	}
	r.Leave(1)
	r.Tick(1)
	r.Join(2, "bob", "Bob")
	r.Tick(1)
	if len(r.Works()) != 1 {
		t.Error("who comes has to wait for the next second")
	}
}

func TestBoardShowsWhatWasReportedAndForgetsWhatIsGone(t *testing.T) {
	r := matchtest.New(t, shown, matchtest.Config{Seed: 1})
	r.Join(1, "ann", "Ann")
	r.Tick(1)
	first := report(100, 3)
	tell(r, first)
	b := board(r)
	if diff := cmp.Diff(first.Nodes, rows(&b.Nodes)); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if b.Totals.V != first.Totals || b.Status.V.At != 100 || b.Status.V.Stale || b.Status.V.Trouble != "" {
		t.Errorf("totals %+v, status %+v", b.Totals.V, b.Status.V)
	}
	if diff := cmp.Diff(first.Games, rows(&b.Games)); diff != "" {
		t.Errorf("games (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first.Queues, rows(&b.Queues)); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	next := report(101, 3)
	next.Nodes = append(next.Nodes[1:], Node{ID: "new", Alive: true})
	next.Queues = nil
	r.Tick(tickRate)
	tell(r, next)
	got := map[string]Node{}
	for _, n := range rows(&b.Nodes) {
		got[n.ID] = n
	}
	if len(got) != 3 || got["n1"].Rooms != 102 || got["n2"].Rooms != 103 || !got["new"].Alive || b.Queues.Len() != 0 {
		t.Errorf("then there are %+v, %d queues", got, b.Queues.Len())
	}
}

func TestPastIsKeptForFiveMinutesOldestFirstOut(t *testing.T) {
	r := matchtest.New(t, shown, matchtest.Config{Seed: 1})
	r.Join(1, "ann", "Ann")
	r.Tick(1)
	for i := range uint32(2*MaxPoints + 7) {
		tell(r, report(1000+i, 1))
		r.Tick(tickRate)
	}
	var seconds []uint32
	for _, p := range rows(&board(r).History) {
		seconds = append(seconds, p.At)
		if p.Rooms != p.At || p.TickRate != 20 {
			t.Errorf("a point is %+v", p)
		}
	}
	slices.Sort(seconds)
	if len(seconds) != MaxPoints || seconds[0] != 1000+MaxPoints+7 || seconds[MaxPoints-1] != 1000+2*MaxPoints+6 {
		t.Errorf("%d points, from %d to %d", len(seconds), seconds[0], seconds[len(seconds)-1])
	}
	tell(r, report(1000+2*MaxPoints+6, 2)) // a second report of one second
	if n := len(slices.Compact(seconds)); n != MaxPoints || board(r).History.Len() != MaxPoints {
		t.Errorf("of one second there are two points")
	}
}

func TestTroubleIsToldAndTheOldNumbersStay(t *testing.T) {
	r := matchtest.New(t, shown, matchtest.Config{Seed: 1})
	r.Join(1, "ann", "Ann")
	r.Tick(1)
	tell(r, report(100, 1))
	for name, answer := range map[string]func(){
		"Redis":     func() { r.Work("report", nil, errors.New("Redis is away, "+strings.Repeat("far ", 60))) },
		"malformed": func() { r.Work("report", []byte{0xc1}, nil) },
	} {
		r.Tick(tickRate)
		answer()
		r.Tick(1)
		s := board(r).Status.V
		if !strings.Contains(s.Trouble, name) || len(s.Trouble) > maxWhy || s.At != 100 || board(r).Nodes.Len() != 1 {
			t.Errorf("%s: %+v, %d nodes", name, s, board(r).Nodes.Len())
		}
	}
	r.Tick(staleAfter*tickRate + 1)
	if s := board(r).Status.V; !s.Stale {
		t.Errorf("after a while: %+v", s)
	}
	tell(r, report(110, 1))
	if s := board(r).Status.V; s.Stale || s.Trouble != "" || s.At != 110 {
		t.Errorf("when all is well again: %+v", s)
	}
	r.Tick(tickRate)
	r.Work("report", nil, match.ErrLost)
	r.Tick(1)
	if s := board(r).Status.V; s.Trouble != "" || len(r.Works()) != 1 {
		t.Errorf("when the room has come to another server: %+v, asked for are %q", s, r.Works())
	}
}

func TestNobodySendsTheBoardAnything(t *testing.T) {
	r := matchtest.New(t, shown, matchtest.Config{Seed: 1})
	r.Join(1, "ann", "Ann")
	r.Tick(1)
	before := r.Hash()
	matchtest.Input(r, 1, Input{})
	r.Tick(1)
	if got := r.Refused(); len(got) != 1 || got[0].Reason != "the dashboard takes no inputs" {
		t.Errorf("refused are %+v", got)
	}
	if r.Hash() != before {
		t.Error("an input has changed the state")
	}
}

func TestBoardIsDeterministic(t *testing.T) {
	matchtest.Deterministic(t, shown, script(400), 3)
}

// script is a board that is told of servers which come and go, and of trouble.
func script(ticks uint32) matchtest.Script {
	return matchtest.Script{Config: matchtest.Config{Seed: 7}, Ticks: ticks, Steps: []matchtest.Step{
		{From: 1, Do: func(r *matchtest.Room) { r.Join(1, "ann", "Ann") }},
		{From: 50, Do: func(r *matchtest.Room) { r.Join(2, "bob", "Bob") }},
		{From: 90, Do: func(r *matchtest.Room) { r.Drop(1) }},
		{From: 2, To: ticks, Do: func(r *matchtest.Room) {
			if len(r.Works()) == 0 || r.Rand().IntN(3) == 0 {
				return
			}
			switch at := 100 + r.TickNumber()/tickRate; r.Rand().IntN(8) {
			case 0:
				r.Work("report", nil, errors.New("Redis is away"))
			case 1:
				r.Work("report", []byte("nonsense"), nil)
			default:
				r.Work("report", report(at, r.Rand().IntN(6)).bytes(), nil)
			}
		}},
	}}
}

const recorded = "testdata/board.muster"

func TestRecordedBoardPlaysTheSame(t *testing.T) {
	matchtest.Fixture(t, shown, script(200), recorded)
	matchtest.Verify(t, shown, recorded)
}

// longest is a report that has all there can be.
func longest() *Report {
	text := func(n int) string { return strings.Repeat("x", n+9) }
	rep := &Report{At: math.MaxUint32, Totals: Totals{Nodes: math.MaxUint32, Ticks: 1 << 63, Busiest: math.MaxUint16}}
	for range MaxNodes + 5 {
		n := Node{
			ID: text(maxID), Role: text(maxName), Region: text(maxName), Closed: text(maxClosed), Busy: 1000, Late: 1000,
			Ticks: 1 << 63, Out: 1 << 63, OutRate: 1 << 63,
		}
		for _, v := range n.numbers() {
			*v = math.MaxUint32
		}
		rep.Nodes = append(rep.Nodes, n)
	}
	for range MaxGames + 5 {
		rep.Games = append(rep.Games, InGame{text(maxName), math.MaxUint32, math.MaxUint32, math.MaxUint32})
	}
	for range MaxQueues + 5 {
		rep.Queues = append(rep.Queues, Queue{text(maxName), text(maxName), math.MaxUint32, math.MaxUint32, math.MaxUint32})
	}
	return rep
}

func TestLongestReportFitsIntoAPieceOfWorkAndIsCut(t *testing.T) {
	b := longest().bytes()
	if len(b) > 64<<10 {
		t.Errorf("it has %d bytes", len(b))
	}
	var got Report
	if err := got.read(b); err != nil {
		t.Fatal(err)
	}
	if len(got.Nodes) != MaxNodes || len(got.Games) != MaxGames || len(got.Queues) != MaxQueues || len(got.Nodes[0].Closed) != maxClosed {
		t.Errorf("read are %d nodes, %d games, %d queues", len(got.Nodes), len(got.Games), len(got.Queues))
	}
}

func TestReportIsReadAsItWasWritten(t *testing.T) {
	want := report(100, 5)
	want.Totals = Totals{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	want.Nodes[2] = Node{"id", "match", "eu", "it drains", true, true, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	var got Report
	if err := got.read(want.bytes()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzReportIsReadWithBounds(f *testing.F) {
	f.Add(report(100, 3).bytes())
	f.Add(longest().bytes())
	f.Add([]byte{0x95, 1, 0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		var rep Report
		if rep.read(data) != nil {
			return
		}
		var again Report
		if err := again.read(rep.bytes()); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if diff := cmp.Diff(&rep, &again); diff != "" {
			t.Errorf("read again (-want +got):\n%s", diff)
		}
	})
}

func TestSourceIsAskedOutsideOfTheTicks(t *testing.T) {
	asked := false
	game := Game(func(context.Context) (Report, error) { asked = true; return Report{}, nil })
	room := matchtest.New(t, game, matchtest.Config{})
	room.Join(1, "ann", "Ann")
	room.Tick(4 * tickRate)
	if asked || len(room.Works()) != 1 {
		t.Errorf("asked within a tick: %v; works %q", asked, room.Works())
	}
}

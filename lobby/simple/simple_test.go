package simple_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/lobby/simple"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// waiting makes tickets named a, b, … that have waited for these times.
func waiting(ages ...time.Duration) []simple.Ticket {
	var list []simple.Ticket
	for i, age := range ages {
		list = append(list, simple.Ticket{ID: string(rune('a' + i)), Created: now.Add(-age)})
	}
	return list
}

func tickets(room, ids string) simple.Assignment {
	return simple.Assignment{Room: room, Tickets: strings.Split(ids, "")}
}

func TestMatch(t *testing.T) {
	const s = time.Second
	reason := func(id, text string) simple.Waiting { return simple.Waiting{Ticket: id, Reason: text} }
	for _, c := range []struct {
		name    string
		rules   simple.Rules
		tickets []simple.Ticket
		rooms   []simple.Room
		want    simple.Outcome
	}{
		{
			name:  "nobody waits",
			rules: simple.Rules{Min: 1, Max: 4, Backfill: true},
			rooms: []simple.Room{{ID: "r", Free: 2}},
		},
		{
			name:  "one is too few",
			rules: simple.Rules{Min: 2, Max: 4}, tickets: waiting(9 * s),
			want: simple.Outcome{Waiting: []simple.Waiting{reason("a", "1 of at least 2 players are here")}},
		},
		{
			name:  "as many as start a match",
			rules: simple.Rules{Min: 2, Max: 4}, tickets: waiting(2*s, s),
			want: simple.Outcome{Assignments: []simple.Assignment{tickets("", "ab")}},
		},
		{
			name:  "more than one match",
			rules: simple.Rules{Min: 2, Max: 2}, tickets: waiting(5*s, 4*s, 3*s, 2*s, s),
			want: simple.Outcome{
				Assignments: []simple.Assignment{tickets("", "ab"), tickets("", "cd")},
				Waiting:     []simple.Waiting{reason("e", "1 of at least 2 players are here")},
			},
		},
		{
			name:  "oldest first, equal ones by id",
			rules: simple.Rules{Min: 3, Max: 3}, tickets: waiting(s, s, 3*s, s, 2*s),
			want: simple.Outcome{
				Assignments: []simple.Assignment{tickets("", "cea")},
				Waiting: []simple.Waiting{
					reason("b", "2 of at least 3 players are here"), reason("d", "2 of at least 3 players are here"),
				},
			},
		},
		{
			name:  "more may come",
			rules: simple.Rules{Min: 2, Max: 4, Gather: 10 * s}, tickets: waiting(6*s, s),
			want: simple.Outcome{
				Waiting: []simple.Waiting{
					reason("a", "2 of at most 4 players are here; the match starts without more at 2026-01-02T03:04:09Z"),
					reason("b", "2 of at most 4 players are here; the match starts without more at 2026-01-02T03:04:09Z"),
				},
				Next: now.Add(4 * s),
			},
		},
		{
			name:  "no more came",
			rules: simple.Rules{Min: 2, Max: 4, Gather: 10 * s}, tickets: waiting(10*s, s),
			want: simple.Outcome{Assignments: []simple.Assignment{tickets("", "ab")}},
		},
		{
			name:  "a full match waits for nobody",
			rules: simple.Rules{Min: 2, Max: 4, Gather: 10 * s}, tickets: waiting(s, s, s, s),
			want: simple.Outcome{Assignments: []simple.Assignment{tickets("", "abcd")}},
		},
		{
			name:  "running matches first, in their order",
			rules: simple.Rules{Min: 2, Max: 4, Backfill: true}, tickets: waiting(6*s, 5*s, 4*s, 3*s, 2*s),
			rooms: []simple.Room{{ID: "z", Free: 1}, {ID: "full"}, {ID: "y", Free: 2}},
			want:  simple.Outcome{Assignments: []simple.Assignment{tickets("z", "a"), tickets("y", "bc"), tickets("", "de")}},
		},
		{
			name:  "fewer than start a match may join a running one",
			rules: simple.Rules{Min: 2, Max: 4, Backfill: true}, tickets: waiting(s),
			rooms: []simple.Room{{ID: "r", Free: 3}, {ID: "q", Free: 3}},
			want:  simple.Outcome{Assignments: []simple.Assignment{tickets("r", "a")}},
		},
		{
			name:  "a queue without backfill leaves running matches alone",
			rules: simple.Rules{Min: 1, Max: 4}, tickets: waiting(s),
			rooms: []simple.Room{{ID: "r", Free: 3}},
			want:  simple.Outcome{Assignments: []simple.Assignment{tickets("", "a")}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, simple.Match(c.rules, c.tickets, c.rooms, now)); diff != "" {
				t.Errorf("the outcome differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateFillsInDefaults(t *testing.T) {
	r := simple.Rules{Name: "duel", Game: "arena", Min: 2, Max: 2}
	got, err := r.Validate()
	want := r
	want.MaxWait = 5 * time.Minute
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, differs (-want +got):\n%s", err, diff)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*simple.Rules)
		want   string
	}{
		{"no name", func(r *simple.Rules) { r.Name = "" }, `queue "": a name is`},
		{"a name with a brace", func(r *simple.Rules) { r.Name = "a}" }, `queue "a}": a name is`},
		{"a name with a dot", func(r *simple.Rules) { r.Name = "a.b" }, `queue "a.b": a name is`},
		{"a long name", func(r *simple.Rules) { r.Name = strings.Repeat("a", 32) }, "up to 30"},
		{"no players", func(r *simple.Rules) { r.Min = 0 }, "Min is 0 and Max is 4"},
		{"a range the wrong way round", func(r *simple.Rules) { r.Min = 5 }, "Min is 5 and Max is 4"},
		{"a negative time", func(r *simple.Rules) { r.Gather = -1 }, "Gather is -1ns"},
		{"another negative time", func(r *simple.Rules) { r.MaxWait = -1 }, "MaxWait is -1ns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := simple.Rules{Name: "duel", Game: "arena", Min: 2, Max: 4}
			c.change(&r)
			if _, err := r.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := (simple.Rules{Name: "X", Gather: -1}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want all three mistakes", err)
	}
}

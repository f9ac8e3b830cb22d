package simulate

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"muster/lobby/queue"
)

const goodTickets = `at,ticket,player,rating,deviation,roles,max_spread,max_latency,latency.eu,latency.us,attr.mode,attr.maps,attr.level
4.5,t2,carol,900,,,,,,,,,
0,t1,alice,1000,50,tank|damage,300,80,20,,ranked,dust|mill,7
0,t1,bob,1100.5,60,,,,25,90,,,
`

func TestTicketsAreReadFromCSV(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader(goodTickets), fives(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []Arrival{
		{At: 0, Ticket: queue.Ticket{
			ID: "t1", MaxSpread: 300, MaxLatency: 80, Attributes: map[string]any{"mode": "ranked", "maps": []string{"dust", "mill"}, "level": 7.0},
			Players: []queue.Player{
				{ID: "alice", Rating: 1000, Deviation: 50, Roles: []string{"tank", "damage"}, Latency: map[string]float64{"eu": 20}},
				{ID: "bob", Rating: 1100.5, Deviation: 60, Latency: map[string]float64{"eu": 25, "us": 90}},
			},
		}},
		{At: 4500 * time.Millisecond, Ticket: queue.Ticket{ID: "t2", Players: []queue.Player{{ID: "carol", Rating: 900}}}},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTimesOfDayAreCountedFromMidnight(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader("ticket,player,rating,at\na,x,1,2026-03-01T01:00:00+02:00\nb,y,1,2026-02-28T23:30:00Z\n"), fives(t))
	if err != nil {
		t.Fatal(err)
	}
	if got[0].At != 23*time.Hour || got[1].At != 23*time.Hour+30*time.Minute {
		t.Errorf("they come at %v and %v", got[0].At, got[1].At)
	}
}

func TestMistakesInTicketsNameTheLine(t *testing.T) {
	t.Parallel()
	const head = "at,ticket,player,rating\n"
	for text, want := range map[string]string{
		"":                                               "the tickets have no header",
		head:                                             "there are no tickets",
		"at,ticket,player\n":                             "line 1: there is no column rating",
		"at,ticket,player,rating,rating\n":               `line 1: column "rating": want at, ticket, player, rating, and perhaps`,
		"at,ticket,player,rating,skill\n":                `line 1: column "skill"`,
		head + "0,a,x,1,2\n":                             "wrong number of fields",
		head + "0,a,x,good\n":                            `line 2: rating is "good", want a number from`,
		head + "0,a,x,NaN\n":                             "line 2: rating is",
		head + "0,a,x,\n":                                "line 2: ticket, player and rating must be there",
		head + "0,,x,1\n":                                "line 2: ticket, player and rating must be there",
		head + "0,a,x,1\n-1,b,y,1\n":                     `line 3: at is "-1", want seconds`,
		head + "soon,a,x,1\n":                            `line 2: at is "soon"`,
		head + "0,a,x,1\n0,b,y,1\n0,a,z,1\n":             "line 4: the lines of ticket a do not stand together",
		head + "0,a,x,1\n1,a,y,1\n":                      "line 3: ticket a came at two times",
		head + strings.Repeat("0,a,x,1\n", 11):           "line 12: ticket a has more players than a match",
		head + "0,a,x,1\n2026-03-01T00:00:00Z,b,y,1\n":   "line 3: at is",
		head + "2026-03-01T00:00:00Z,a,x,1\n3,b,y,1\n":   "line 3: at is",
		head + "0,\"a,x,1\n":                             "reading the tickets",
		"at,ticket,player,rating,latency.eu\n0,a,x,1,-2": `line 2: latency.eu is "-2", want a number from 0`,
	} {
		if _, err := Read(strings.NewReader(text), fives(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}

func FuzzTickets(f *testing.F) {
	f.Add(goodTickets)
	f.Add("at,ticket,player,rating\n2026-03-01T00:00:00Z,a,x,1\n")
	f.Add("\ufeffat,ticket,player,rating,attr.maps\n0,a,x,1,|a||b\n")
	r := fives(f)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Read(strings.NewReader(text), r)
		if err != nil {
			return
		}
		if !slices.IsSortedFunc(list, func(a, b Arrival) int { return cmp.Compare(a.At, b.At) }) {
			t.Fatal("they do not come in the order of time")
		}
		seen := map[string]bool{}
		for _, a := range list {
			if a.At < 0 || a.At > maxAt || seen[a.Ticket.ID] || len(a.Ticket.Players) == 0 || len(a.Ticket.Players) > r.Max() {
				t.Fatalf("%+v", a)
			}
			seen[a.Ticket.ID] = true
		}
	})
}

package simulate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"muster/internal/golden"
	"muster/lobby/queue"
)

func TestFiguresAreOfTheNearestRank(t *testing.T) {
	t.Parallel()
	var values []float64
	for i := 100; i > 0; i-- {
		values = append(values, float64(i))
	}
	if got, want := figures(values), (Figures{100, 50.5, 50, 90, 99, 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := figures([]float64{3}); got != (Figures{1, 3, 3, 3, 3, 3}) {
		t.Errorf("got %+v", got)
	}
	if got := figures(nil); got != (Figures{}) {
		t.Errorf("got %+v", got)
	}
}

func hour(t testing.TB) *Report {
	t.Helper()
	r := fives(t)
	result, err := Run(t.Context(), r, Load{Seed: 1, PerMinute: 20, For: time.Hour, Parties: 0.3}.Arrivals(r), queue.NewPool(r), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return NewReport(r, result)
}

func TestTheReportAddsUp(t *testing.T) {
	t.Parallel()
	rep := hour(t)
	for name, rows := range map[string][]Row{"skill": rep.BySkill, "size": rep.BySize, "hour": rep.ByHour} {
		tickets, matched, expired := 0, 0, 0
		for i := range rows {
			tickets, matched, expired = tickets+rows[i].Tickets, matched+rows[i].Spread.N, expired+rows[i].Expired
		}
		if tickets != rep.Tickets || expired != rep.Expired || matched != rep.All.Spread.N {
			t.Errorf("by %s there are %d tickets, %d of them expired, and %d matched players; in all %d, %d and %d",
				name, tickets, expired, matched, rep.Tickets, rep.Expired, rep.All.Spread.N)
		}
	}
	if len(rep.BySkill) != 10 || len(rep.BySize) != 5 || rep.Matched == 0 {
		t.Errorf("the report is %+v", rep)
	}
}

func TestTheReportIsATableForPeople(t *testing.T) {
	t.Parallel()
	rep := &Report{
		Queue: "ranked", Tickets: 12, Players: 20, Matched: 10, Expired: 1, Waiting: 1, Matches: 2, Backfilled: 3, Bots: 4,
		Tags:    map[string]string{"gpu": "yes", "disk": "fast"},
		All:     Row{Name: "all", Tickets: 12, Expired: 1, Wait: Figures{11, 3, 2, 5, 9, 300}, Spread: Figures{10, 90, 100, 200, 250, 251}, Uneven: Figures{10, 0.0625, 0.05, 0.1, 0.2, 0.3}, Latency: Figures{10, 30, 33, 50, 99, 120}},
		BySkill: []Row{{Name: "1: 5 to 900", Tickets: 12}}, BySize: []Row{{Name: "1", Tickets: 12}}, ByHour: []Row{{Name: "07", Tickets: 12}},
	}
	var got bytes.Buffer
	if err := rep.WriteText(&got); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "report.golden"), got.Bytes(), "run go test ./lobby/simulate -update")
	if err := rep.WriteText(broken{}); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

func TestThePlotIsOneSVGAndTheSameEachTime(t *testing.T) {
	t.Parallel()
	rep := hour(t)
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		if err := WriteSVG(out, rep.Panels()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two plots of one report differ")
	}
	for _, p := range rep.Panels() {
		if !bytes.Contains(a.Bytes(), []byte(">"+p.Title+"<")) {
			t.Errorf("the plot lacks %q", p.Title)
		}
	}
	dec := xml.NewDecoder(&a)
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("it is no XML: %v", err)
		}
	}
	if err := WriteSVG(broken{}, rep.Panels()); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	if err := WriteSVG(io.Discard, (&Report{}).Panels()); err != nil {
		t.Errorf("an empty report: %v", err)
	}
}

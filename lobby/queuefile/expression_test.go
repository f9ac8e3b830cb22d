package queuefile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/lobby/queue"
)

// ticket is one of players with these ratings.
func ticket(attributes map[string]any, ratings ...float64) *queue.Ticket {
	t := &queue.Ticket{ID: "t", Attributes: attributes}
	for i, r := range ratings {
		t.Players = append(t.Players, queue.Player{
			ID: fmt.Sprint(i), Rating: r, Latency: map[string]float64{"eu": 20, fmt.Sprint("r", i): 30},
		})
	}
	return t
}

func TestExpressionsSeeTicketsAndTheWait(t *testing.T) {
	t.Parallel()
	a := ticket(map[string]any{"clan": "red", "level": 7.0, "maps": []string{"dust", "mill"}, "odd-name": "x"}, 1000, 1100)
	b := ticket(map[string]any{"clan": "blue", "level": 9.0}, 1200)
	for text, want := range map[string]bool{
		`a.attributes.clan != b.attributes.clan`:                                 true,
		`a.attributes.clan == "red" and not (b.attributes.clan == "red")`:        true,
		`abs(a.attributes.level - b.attributes.level) <= 1 || waited > 60`:       false,
		`abs(a.attributes.level - b.attributes.level) <= 1 || waited > 20`:       true,
		`a.rating == 1075 && b.rating - a.rating < 200`:                          true,
		`a.players == 2 and b.players == 1`:                                      true,
		`len(a.regions) == 1 and "eu" in a.regions and b.regions == ["eu","r0"]`: true,
		`"mill" in a.attributes.maps`:                                            true,
		`b.attributes.maps == nil`:                                               true,
		`(b.attributes.maps ?? "none") == "none"`:                                true,
		`a.attributes["odd-name"] startsWith "x"`:                                true,
		`a.attributes.clan in ["red", "green"]`:                                  true,
		`max(a.players, b.players) < 3 ? min(a.rating, b.rating) > 1e6 : true`:   false,
	} {
		e, err := compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := e.run(a, b, 30*time.Second); got != want || err != nil {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
}

// The rating that an expression sees is the one by which the core matches.
func TestTheRatingIsTheCores(t *testing.T) {
	t.Parallel()
	r, err := queue.Rules{Name: "q", Game: "g", Teams: 2, TeamSize: 3}.Validate()
	if err != nil {
		t.Fatal(err)
	}
	a, b := ticket(nil, 1000, 1100, 1350), ticket(nil, 700, 300, 950)
	for i := range b.Players {
		b.ID, b.Players[i].ID = "b", fmt.Sprint("b", i)
	}
	pool := queue.NewPool(&r)
	pool.Put(a)
	pool.Put(b)
	out := pool.Match(nil, time.Unix(1, 0))
	if len(out.Assignments) != 1 {
		t.Fatalf("got %+v", out)
	}
	e, err := compile(fmt.Sprintf("abs(a.rating - b.rating - %f) < 0.001", out.Assignments[0].Spread))
	if err != nil {
		t.Fatal(err)
	}
	if same, err := e.run(a, b, 0); !same || err != nil {
		t.Errorf("the core's spread is %v, and the expression sees %v and %v (%v)", out.Assignments[0].Spread, e.side(a).Rating, e.side(b).Rating, err)
	}
}

func TestExpressionsThatAreNotTrueOrFalseAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`a.rating`:                        "it gives float64, want true or false",
		`a.attributes.clan`:               "it gives anything, want true or false",
		`a.ratting > 1`:                   "ratting",
		`c.rating > 1`:                    "unknown name c",
		`a.rating > "x"`:                  "column 10: invalid operation",
		`a.rating >`:                      "column 10: unexpected token",
		``:                                "unexpected token",
		`a.rating > 1; true`:              "several statements",
		`let x = a.rating; x > 1`:         "let",
		`all(a.regions, # == "eu")`:       "",
		`a.regions[0:1] == []`:            "slices",
		`{"x": 1} == {"x": 1}`:            "maps",
		`a.attributes.clan matches "a+"`:  "operator matches is not allowed",
		`2 ** 100 > a.rating`:             "operator ** is not allowed",
		`a.players in 1..5`:               "operator .. is not allowed",
		`upper(a.attributes.clan) == "X"`: `"upper" is no function here`,
		`now() == now()`:                  `"now" is no function here`,
		`repeat("x", 9) == "x"`:           `"repeat" is no function here`,
		`$env.waited > 1`:                 "there is no $env",
		`$env["waited"] > 1`:              "there is no $env",
	} {
		if _, err := compile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
	}
}

func TestAnExpressionThatFailsAtRunTimeDoesNotHoldAndIsTold(t *testing.T) {
	t.Parallel()
	type failure struct{ queue, rule, text string }
	var heard []failure
	rules, err := Load([]byte(`
queues:
  ranked:
    game: arena
    team_size: 2
    rules:
    - {name: near, holds: "a.attributes.level - b.attributes.level < 5"}
    - {name: deep, holds: "a.attributes.level.x == 1"}
`), Options{Failed: func(q, r string, err error) { heard = append(heard, failure{q, r, err.Error()}) }})
	if err != nil {
		t.Fatal(err)
	}
	near, deep := rules[0].Conditions[0], rules[0].Conditions[1]
	if !near.Holds(ticket(map[string]any{"level": 7.0}, 1), ticket(map[string]any{"level": 3.0}, 1), 0) || len(heard) != 0 {
		t.Errorf("it does not hold of what is there, or failed: %v", heard)
	}
	if near.Holds(ticket(map[string]any{"level": 7.0}, 1), ticket(map[string]any{"level": "high"}, 1), 0) {
		t.Error("it holds although a level is no number")
	}
	if near.Holds(ticket(nil, 1), ticket(nil, 1), 0) {
		t.Error("it holds although there are no levels")
	}
	if deep.Holds(ticket(map[string]any{"level": 7.0}, 1), ticket(nil, 1), 0) {
		t.Error("it holds although a number has no parts")
	}
	if len(heard) != 3 || heard[0].queue != "ranked" || heard[0].rule != "near" || heard[2].rule != "deep" || heard[0].text == "" {
		t.Errorf("heard %q, want two of near and one of deep", heard)
	}
}

// bombs are expressions that would cost much. Each is refused, or ends within the bounds of a run.
var bombs = map[string]string{
	"deep parentheses": strings.Repeat("(", 450) + "true" + strings.Repeat(")", 450),
	"too long":         strings.Repeat("(", 5000) + "true" + strings.Repeat(")", 5000),
	"deep negation":    strings.Repeat("!", 990) + "true",
	"deep conditions":  strings.Repeat("true?", 190) + "true",
	"deep arrays":      strings.Repeat("[", 490) + strings.Repeat("]", 490) + " == []",
	"many nodes":       "true" + strings.Repeat("&&true", 150),
	"huge range":       "len(1..1000000000) > 1",
	"nested ranges":    "all(1..1e6, all(1..1e6, # > 0))",
	"repeats":          `repeat(repeat(repeat("x", 1000), 1000), 1000) == ""`,
	"doubled strings":  `let a1 = "xxxxxxxx"; let b1 = a1+a1; let c1 = b1+b1; let d1 = c1+c1; len(d1+d1) > 0`,
	"power":            "9 ** 9 ** 9 ** 9 > 1",
	"regular":          `"aaaaaaaaaaaaaaaaaaaaaaaaaaaa" matches "(a*)*(a*)*(a*)*b"`,
	"decoder":          `fromJSON("[[[[[[[[[[[]]]]]]]]]]]") == nil`,
	"itself":           "let f = f; f()",
	"nul":              "\x00",
	"half a rune":      "\"\xff\" == \"\"",
}

func TestExpressionBombsAreRefused(t *testing.T) {
	t.Parallel()
	a := ticket(map[string]any{"s": strings.Repeat("x", 8<<10)}, 1000)
	for name, text := range bombs {
		began := time.Now()
		e, err := compile(text)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: reading it took %v", name, took)
		}
		if err == nil { // harmless as it is
			if _, err = e.run(a, a, 0); err != nil {
				t.Errorf("%s: it was taken and fails: %v", name, err)
			}
			if name != "deep parentheses" && name != "half a rune" {
				t.Errorf("%s was taken", name)
			}
		}
	}
}

// The dearest that is left: strings as long as a request may make them, put together as often as nodes allow.
func TestTheDearestExpressionEndsSoon(t *testing.T) {
	a := ticket(map[string]any{"s": strings.Repeat("x", 8<<10)}, 1000)
	e, err := compile("len(" + strings.Repeat("a.attributes.s+", 32) + `"") > 0`)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if n := allocated(8<<20, func() { _, err = e.run(a, a, 0) }); n > 8<<20 || err != nil {
		t.Errorf("a run allocates %d bytes (%v)", n, err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("a run takes %v", took)
	}
}

func FuzzExpressions(f *testing.F) {
	for _, text := range bombs {
		f.Add(text)
	}
	for _, text := range []string{
		`a.attributes.clan != b.attributes.clan || waited > 60`, `abs(a.rating - b.rating) < 100 ? true : "x" in a.regions`,
		`(b.attributes.maps ?? "none") == "none"`, `a?.attributes["x"]?.y == nil`, `a.players in [1, 2, 3] and -1 < +2.5e3`,
	} {
		f.Add(text)
	}
	a := ticket(map[string]any{"clan": "red", "level": 7.0, "maps": []string{"dust", "mill"}}, 1000, 1100)
	b := ticket(nil, 1200)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := compile(text)
		if err != nil {
			if err.Error() == "" || strings.Contains(err.Error(), "\n") {
				t.Fatalf("the error is not one line: %q", err)
			}
			return
		}
		var got, again bool
		var first, second error
		took := allocated(256<<10, func() { got, first = e.run(a, b, time.Minute) })
		again, second = e.run(a, b, time.Minute)
		if got != again || (first == nil) != (second == nil) {
			t.Fatalf("it gives %v, %v and then %v, %v", got, first, again, second)
		}
		if took > 256<<10 {
			t.Fatalf("a run of %d bytes of text allocates %d bytes", len(text), took)
		}
	})
}

func BenchmarkExpression(b *testing.B) {
	x := ticket(map[string]any{"clan": "red", "level": 7.0}, 1000)
	y := ticket(map[string]any{"clan": "blue", "level": 9.0}, 1200)
	e, err := compile(`a.attributes.clan != b.attributes.clan || waited > 60`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.run(x, y, 0); err != nil {
			b.Fatal(err)
		}
	}
}

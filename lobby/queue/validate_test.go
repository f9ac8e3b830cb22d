package queue

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValidateFillsDefaultsIn(t *testing.T) {
	r, err := Rules{Name: "q", Game: "arena", Teams: 2, TeamSize: 5}.Validate()
	if err != nil {
		t.Fatal(err)
	}
	if r.Min != 10 || r.PartyMin != 1 || r.PartyMax != 5 || r.MaxWait != 5*time.Minute || r.Connect != 15*time.Second || r.Beta != 500.0/3 {
		t.Errorf("%+v", r)
	}
	if r, err = (Rules{Name: "q", Game: "arena", TeamSize: 8}).Validate(); err != nil || r.Teams != 1 || r.Min != 8 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestValidateNamesWhatIsWrongAndBothValues(t *testing.T) {
	always := func(_, _ *Ticket, _ time.Duration) bool { return true }
	for want, change := range map[string]func(*Rules){
		`the queue's name is "Ranked"`:                  func(r *Rules) { r.Name = "Ranked" },
		"no game is named":                              func(r *Rules) { r.Game = "" },
		"teams is 17: it is 1 to 16":                    func(r *Rules) { r.Teams = 17 },
		"team_size is -1":                               func(r *Rules) { r.TeamSize = -1 },
		"16 teams of 65 are 1040 players: at most 1024": func(r *Rules) { r.Teams, r.TeamSize = 16, 65 },
		"min is 11: it is 1 to 10":                      func(r *Rules) { r.Min = 11 },
		"party_min is 4 and party_max is 3":             func(r *Rules) { r.PartyMin, r.PartyMax = 4, 3 },
		"party_max is 6 and team_size is 5":             func(r *Rules) { r.PartyMax = 6 },
		"beta is -1":                                    func(r *Rules) { r.Beta = -1 },
		"max_wait is 1ms: it is 1s to 24h":              func(r *Rules) { r.MaxWait = time.Millisecond },
		"gather is -1s":                                 func(r *Rules) { r.Gather = -time.Second },
		"bots_after is -1s":                             func(r *Rules) { r.BotsAfter = -time.Second },
		"avoid_for is -1s":                              func(r *Rules) { r.AvoidFor = -time.Second },
		"confirm is 3m0s":                               func(r *Rules) { r.Confirm = 3 * time.Minute },
		"connect is 1m1s: it is 1s to 1m0s":             func(r *Rules) { r.Connect = 61 * time.Second },
		"bots_after is 5s and gather is 10s":            func(r *Rules) { r.BotsAfter, r.Gather = 5*time.Second, 10*time.Second },
		"the roles have 4 places and team_size is 5":    func(r *Rules) { r.Roles = []Role{{"tank", 4}} },
		`the role "tank" is there twice`:                func(r *Rules) { r.Roles = []Role{{"tank", 2}, {"tank", 3}} },
		`the role "tank" has 0 places`:                  func(r *Rules) { r.Roles = []Role{{"tank", 0}} },
		`a role's name is ""`:                           func(r *Rules) { r.Roles = []Role{{"", 5}} },
		`the region "eu" is there twice`:                func(r *Rules) { r.Regions = []string{"eu", "eu"} },
		`the tag "gpu=" is no NAME=VALUE`:               func(r *Rules) { r.Tags = map[string]string{"gpu": ""} },
		"there are 9 tags: at most 8": func(r *Rules) {
			r.Tags = map[string]string{"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1", "g": "1", "h": "1", "i": "1"}
		},
		`a region's name is ""`:                                      func(r *Rules) { r.Regions = []string{""} },
		"latency has 1 steps and there are no regions":               func(r *Rules) { r.Latency = []Step{{Within: 1}} },
		"rating: the first step is after 1s: it is after 0s":         func(r *Rules) { r.Rating = []Step{{After: time.Second, Within: 1}} },
		"rating: step 2 is after 0s and the one before it after 0s":  func(r *Rules) { r.Rating = []Step{{Within: 1}, {Within: 2}} },
		"rating: step 2 is within 1 and the one before it within 2":  func(r *Rules) { r.Rating = []Step{{Within: 2}, {After: 1, Within: 1}} },
		"rating: step 2 follows one that allows any":                 func(r *Rules) { r.Rating = []Step{{Any: true}, {After: 1, Within: 1}} },
		"rating: step 1 is within NaN":                               func(r *Rules) { r.Rating = []Step{{Within: math.NaN()}} },
		"rating has 17 steps: at most 16":                            func(r *Rules) { r.Rating = make([]Step, 17) },
		`the attribute "mode" is there twice`:                        func(r *Rules) { r.Attributes = []Attribute{{Name: "mode"}, {Name: "mode"}} },
		`the attribute "mode" has steps`:                             func(r *Rules) { r.Attributes = []Attribute{{Name: "mode", Within: []Step{{}}}} },
		`the attribute "level" is of numbers`:                        func(r *Rules) { r.Attributes = []Attribute{{Name: "level", Kind: Within}} },
		`the attribute "level" is of kind 9`:                         func(r *Rules) { r.Attributes = []Attribute{{Name: "level", Kind: 9}} },
		`the attribute "mode" counts until -1s`:                      func(r *Rules) { r.Attributes = []Attribute{{Name: "mode", Until: -time.Second}} },
		`an attribute's name is "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`: func(r *Rules) { r.Attributes = []Attribute{{Name: strings.Repeat("a", 33)}} },
		"there are 17 attributes: at most 16":                        func(r *Rules) { r.Attributes = make([]Attribute, 17) },
		`the condition "fair" is there twice`: func(r *Rules) {
			r.Conditions = []Condition{{Name: "fair", Holds: always}, {Name: "fair", Holds: always}}
		},
		`the condition "fair" says nothing`:     func(r *Rules) { r.Conditions = []Condition{{Name: "fair"}} },
		`the condition "fair" counts until -1s`: func(r *Rules) { r.Conditions = []Condition{{Name: "fair", Holds: always, Until: -time.Second}} },
		`the attribute "level": step 2 is within 1 and the one before it`: func(r *Rules) {
			r.Attributes = []Attribute{{Name: "level", Kind: Within, Within: []Step{{Within: 2}, {After: 1, Within: 1}}}}
		},
	} {
		r := Rules{Name: "ranked", Game: "arena", Teams: 2, TeamSize: 5}
		change(&r)
		if _, err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	_, err := Rules{Name: "X", Teams: 99, TeamSize: 1, Gather: -1}.Validate()
	for _, want := range []string{"name", "game", "teams", "gather"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %s: all that is wrong is said at once", err, want)
		}
	}
}

func TestCheckNamesTheFieldThatIsAtFault(t *testing.T) {
	r := valid(t, Rules{
		Teams: 2, TeamSize: 2, PartyMax: 2, Roles: []Role{{"tank", 1}, {"healer", 1}},
		Regions: []string{"eu", "us"}, Latency: []Step{{Within: 50}, {After: time.Second, Within: 100}},
		Attributes: []Attribute{
			{Name: "mode", Kind: Equal, Required: true}, {Name: "maps", Kind: AnyOf}, {Name: "level", Kind: Within, Within: []Step{{Within: 5}}},
		},
	})
	good := func() *Ticket {
		return party("a", 1, []float64{1500, 1400}, measured(ms{"eu": 20}), says("mode", "x"), says("maps", []any{"dust"}), says("level", 3.0),
			comesFor([]string{"tank"}, nil))
	}
	if err := r.Check(good()); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 65)
	for field, changes := range map[string][]func(*Ticket){
		"players": {
			func(t *Ticket) { t.Players = nil },
			func(t *Ticket) { t.Players = append(t.Players, Player{ID: "third"}) },
			comesFor([]string{"tank"}, []string{"tank"}),
			measured(ms{"eu": 101}),
			func(t *Ticket) { t.Players[0].Latency = ms{"us": 20} },
			func(t *Ticket) { t.MaxLatency = 10 },
		},
		"players[1].id":         {func(t *Ticket) { t.Players[1].ID = t.Players[0].ID }, func(t *Ticket) { t.Players[1].ID = "" }},
		"players[0].rating":     {func(t *Ticket) { t.Players[0].Rating = math.NaN() }, func(t *Ticket) { t.Players[0].Rating = math.Inf(1) }},
		"players[0].deviation":  {func(t *Ticket) { t.Players[0].Deviation = -1 }},
		"players[0].roles":      {comesFor([]string{"bard"}, nil), comesFor([]string{long}, nil)},
		"players[0].latency.ap": {measured(ms{"eu": 20, "ap": 20})},
		"players[0].latency.us": {measured(ms{"eu": 20, "us": 10_001}), measured(ms{"eu": 20, "us": -1}), measured(ms{"eu": 20, "us": math.NaN()})},
		"players[0].latency":    {measured(ms{"eu": 20, long: 1})},
		"players[0].avoid":      {func(t *Ticket) { t.Players[0].Avoid = make([]string, 501) }},
		"max_spread":            {func(t *Ticket) { t.MaxSpread = -1 }, func(t *Ticket) { t.MaxSpread = math.NaN() }},
		"max_latency":           {func(t *Ticket) { t.MaxLatency = 10_001 }},
		"attributes.mode":       {says("mode", nil), says("mode", []string{"x"}), says("mode", true), says("mode", long), says("mode", math.NaN())},
		"attributes.maps":       {says("maps", 3.0), says("maps", []any{"a", 3.0}), says("maps", []string{}), says("maps", make([]string, 33)), says("maps", []string{long})},
		"attributes.level":      {says("level", "3"), says("level", math.Inf(1))},
		"attributes.other":      {says("other", long), says("other", map[string]any{})},
		"attributes": {says(long, "x"), func(t *Ticket) {
			for i := range 17 {
				t.Attributes[strings.Repeat("a", i+1)] = 1.0
			}
		}},
	} {
		for i, change := range changes {
			tk := good()
			change(tk)
			err := r.Check(tk)
			if !slices.ContainsFunc(FieldErrors(err), func(e *FieldError) bool { return e.Field == field && e.Reason != "" }) {
				t.Errorf("%s, change %d: %v", field, i, err)
			}
		}
	}
	if FieldErrors(nil) != nil {
		t.Error("no error has fields")
	}
}

func TestATicketThatCheckTakesIsMatchedWithItsLike(t *testing.T) {
	r := valid(t, Rules{Teams: 2, TeamSize: 3, PartyMax: 3, Roles: []Role{{"tank", 1}, {"any", 2}}})
	for _, roles := range [][][]string{{{"tank"}, {"any"}, {"any"}}, {nil, nil, nil}, {{"any"}, {"any"}, {"tank", "any"}}} {
		a, b := party("a", 1, []float64{0, 0, 0}, comesFor(roles...)), party("b", 1, []float64{0, 0, 0}, comesFor(roles...))
		if err := r.Check(a); err != nil {
			t.Fatal(err)
		}
		wantSets(t, match(t, r, nil, a, b), []string{"a", "b"})
	}
}

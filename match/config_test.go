package match

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"muster/match/journal"
	"muster/netcode"
)

// rink is what a curling room is created with.
type rink struct {
	Ends  int    `json:"ends"`
	Sheet string `json:"sheet"`
	Hogs  []hog  `json:"hogs"`
}

type hog struct {
	At float32 `json:"at"`
}

func (c *rink) Validate() error {
	if c.Ends > 12 {
		return errors.New("ends: at most 12")
	}
	return nil
}

// curling remembers its config in the state, which a restored room has, and says what it has now when it is asked to.
type curling struct{}

type curlingState struct{ Row netcode.Value[curlingRow] }

type curlingRow struct {
	Opened, Now int32
	Hogs        uint8
}

func (curling) Step(*netcode.Step[curlingState, dotInput]) {}

func (curling) Open(r *Room[curlingState]) error {
	c := ConfigOf[rink](r)
	r.State().Row.V.Opened, r.State().Row.V.Hogs = int32(c.Ends), uint8(len(c.Hogs))
	return nil
}

func (curling) After(r *Room[curlingState]) { r.State().Row.V.Now = int32(ConfigOf[rink](r).Ends) }

func curlingGame(t testing.TB, rules Rules) Game {
	t.Helper()
	rules.Config = rink{}
	g := Define[curlingState, dotInput]("curling", curling{}, rules)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

func TestConfigReachesTheHooks(t *testing.T) {
	for config, want := range map[string]curlingRow{
		"":                         {},
		`{}`:                       {},
		`{"ends":7}`:               {Opened: 7, Now: 7},
		`{"hogs":[{"at":1.5},{}]}`: {Hogs: 2},
	} {
		run, err := NewReplay(curlingGame(t, Rules{}), Spec{ID: "r", Config: []byte(config)})
		if err == nil {
			err = errors.Join(run.Open(), run.Step(&TickRecord{Tick: 1}))
		}
		if err != nil {
			t.Fatalf("%s: %v", config, err)
		}
		if got := run.State().(*curlingState).Row.V; got != want {
			t.Errorf("%s: the hooks saw %+v, want %+v", config, got, want)
		}
	}
}

func TestConfigsThatAGameDoesNotTakeAreRefused(t *testing.T) {
	g, none := curlingGame(t, Rules{}), dotGame(t, dots{}, Rules{})
	for config, word := range map[string]string{
		`{"stones":8}`:          "stones",
		`{"hogs":[{"far":1}]}`:  "far",
		`{"ends":"seven"}`:      "ends",
		`{"ends":13}`:           "at most 12",
		`{"ends":1} {"ends":2}`: "follows",
		`{"ends":1`:             "EOF",
		`[1]`:                   "array",
		"\xff":                  "invalid",
		`{"sheet":"` + strings.Repeat("a", journal.MaxConfig) + `"}`: "4096",
	} {
		err := g.CheckConfig([]byte(config))
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), word) {
			t.Errorf("%.40s: %v, want one that says %q", config, err, word)
		}
		if _, err := NewReplay(g, Spec{ID: "r", Config: []byte(config)}); !errors.Is(err, ErrReplay) {
			t.Errorf("a replay with %.40s: %v", config, err)
		}
	}
	if err := none.CheckConfig([]byte(`{}`)); !errors.Is(err, ErrConfig) {
		t.Errorf("a game without a config: %v", err)
	}
	if err := none.CheckConfig(nil); err != nil {
		t.Errorf("a game without a config gets none: %v", err)
	}
	h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Open(Spec{ID: "r", Game: "curling", Config: []byte(`{"ends":13}`)}); !errors.Is(err, ErrConfig) {
		t.Errorf("the host: %v", err)
	}
	closeHost(t, h)
}

func TestConfigTypesThatCannotBeReadExactlyAreNamed(t *testing.T) {
	type node struct {
		Sub []struct {
			X int
		} `json:"sub"`
	}
	type endless struct {
		Next []endless `json:"next"`
	}
	for word, config := range map[string]any{
		"a struct is needed":   &rink{},
		"zero value":           rink{Ends: 1},
		".Sub[].X has no name": node{},
		"too deep":             endless{},
		"exported": struct {
			a int
		}{},
		"json tag": struct {
			A int `json:",omitempty"`
		}{},
		"is a map": struct {
			M map[string]int `json:"m"`
		}{},
		"zero value of": picky{},
		"has an option": struct {
			A int `json:"a,string"`
		}{},
		"is there twice": reflect.Zero(reflect.StructOf([]reflect.StructField{ // go vet refuses it as a type
			{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"a"`}, {Name: "B", Type: reflect.TypeFor[string](), Tag: `json:"a"`},
		})).Interface(),
		".A is a [4]uint8": struct {
			A [4]byte `json:"a"`
		}{},
	} {
		err := Define[curlingState, dotInput]("curling", curling{}, Rules{Config: config}).Err()
		if err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "Rules.Config") {
			t.Errorf("%T: %v, want one that says %q", config, err, word)
		}
	}
}

// picky refuses its own zero value.
type picky struct {
	N int `json:"n"`
}

func (p picky) Validate() error {
	if p.N == 0 {
		return errors.New("n is needed")
	}
	return nil
}

func TestARestoredRoomHasTheConfigItWasCreatedWith(t *testing.T) {
	g := curlingGame(t, Rules{Persist: true})
	dir := t.TempDir()
	for i, config := range []string{`{"ends":7}`, `{"ends":3}`} { // the second opens it again with another one
		synctest.Test(t, func(t *testing.T) {
			h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}, Journals: openFiles(t, dir)})
			if err != nil {
				t.Fatal(err)
			}
			rm, err := h.Open(Spec{ID: "r", Game: "curling", Seed: 1, Epoch: uint64(1 + i), Config: []byte(config)})
			if err != nil {
				t.Fatal(err)
			}
			v := newViewer(t, g, 1)
			v.attach(rm, "a")
			ticks(3)
			var seen curlingState
			if err := v.dec.Load(&seen); err != nil {
				t.Fatal(err)
			}
			if want := (curlingRow{Opened: 7, Now: 7}); seen.Row.V != want {
				t.Errorf("opened with %s: %+v, want %+v", config, seen.Row.V, want)
			}
			closeHost(t, h)
		})
	}
}

package match

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"muster/netcode"
	"muster/proto"
)

// Stepper is the one method that a game must have. Step advances the world by exactly one tick; it sees state, inputs,
// tick and a seeded random source and nothing else, since a client predicts with it and a replay proves with it.
// The room's goroutine calls it; it must not keep s.
type Stepper[S, In any] interface {
	Step(s *netcode.Step[S, In])
}

// The optional hooks. A game has those whose methods it has. All are called on the room's goroutine, between ticks, and
// may change the state. They are inputs like any other: recorded, and called again by a replay; so they too see no
// clock and no randomness but the room's.
type (
	// Opener is called once, before the first tick. An error ends the room.
	Opener[S any] interface{ Open(r *Room[S]) error }
	// Joiner is called when a player takes a seat. An error refuses the seat; its text is shown to the player.
	Joiner[S any] interface {
		Join(r *Room[S], p Player) error
	}
	// Starter is called once, when the match starts: after the Join hooks of the tick in which all the players who were
	// promised have come, or as many of them as are enough; in a room of which nothing was promised, of the first player's.
	// Until then the room ticks as it does later: what its rules let players do before is theirs to say, by Room.Started.
	Starter[S any] interface{ Start(r *Room[S]) }
	// Dropper is called when a player's connection was lost; the seat is held for Rules.Grace.
	Dropper[S any] interface{ Drop(r *Room[S], p Player) }
	// Resumer is called when a dropped player is back.
	Resumer[S any] interface{ Resume(r *Room[S], p Player) }
	// Leaver is called when a seat becomes free: the player left, was kicked, or did not come back in time.
	Leaver[S any] interface{ Leave(r *Room[S], p Player) }
	// Afterer is called after each Step, on the server only: the place to end the match by what the state says.
	Afterer[S any] interface{ After(r *Room[S]) }
	// Scoper is called after each Step, on the server only, to say who may see which rows; without it everybody sees
	// all. It must not change the state.
	Scoper[S any] interface {
		Scopes(w *S, sc *netcode.Scopes)
	}
	// Ender is called once when the match ends, before the result goes out.
	Ender[S any] interface{ End(r *Room[S]) }
	// Finisher is called when work that Room.Do began is done, at the beginning of a tick.
	Finisher[S any] interface{ Done(r *Room[S], w Work) }
	// Feeder is called with each input that a backend gives the room, at the beginning of a tick: scores, prices, what goes
	// on elsewhere. Check is not called for it. An error refuses the input: its text is the answer to the backend.
	Feeder[S, In any] interface {
		Feed(r *Room[S], in In) error
	}
	// Checker is called with each input before the rules see it, on the server only. An error refuses the input: its
	// text is shown to the sender of a command, and a sample is left out and counted. It may also change the input, to
	// bring it into its bounds. What it says must depend on its arguments alone; what depends on the state is refused
	// in Step.
	Checker[In any] interface{ Check(p Player, in *In) error }
)

// Game is a defined game. It is immutable; make one with [Define].
type Game struct {
	name   string
	rules  Rules
	schema *netcode.Schema
	make   func(g *Game, spec Spec) simulation
	input  func(g *Game, body []byte) string
	feeds  bool // it has a Feed hook
	err    error
}

// Name is the name that queues and clients know the game by.
func (g Game) Name() string { return g.name }

// Rules returns the rules with defaults filled in.
func (g Game) Rules() Rules { return g.rules }

// Recorded returns the game with rooms that keep a journal whatever its rules ask for, so that each match leaves a replay.
// Rooms that persist stay as they are: what they keep is theirs to say.
func (g Game) Recorded() Game {
	if g.err == nil && !g.rules.Persist {
		g.rules.Durability = Journal
	}
	return g
}

// Schema returns the compiled schema of the game's state, input and events.
func (g Game) Schema() *netcode.Schema { return g.schema }

// Feeds says whether backends may give its rooms inputs, see [Feeder].
func (g Game) Feeds() bool { return g.feeds }

// ShowInput is an input's encoded body for people, as "{Turn:3 Fire:true}", or why it is none. What a player wrote in it is
// not escaped.
func (g Game) ShowInput(body []byte) string {
	if g.err != nil {
		return g.err.Error()
	}
	return g.input(&g, body)
}

// Err says what is wrong with the definition. A server refuses to start with a game that has an error.
func (g Game) Err() error { return g.err }

var gameName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

// Define makes a game of its rules' implementation. What is wrong with it (a field that has no encoding, a hook with
// another signature than the interface) is kept in the game's Err, so that a Game can be a package variable and the
// start-up can name every mistake.
func Define[S, In any](name string, impl Stepper[S, In], rules Rules) Game {
	g := Game{name: name}
	var err error
	if !gameName.MatchString(name) {
		g.err = fmt.Errorf("game %q: a name is a lower-case letter and up to 30 of a-z, 0-9, _ and -", name)
		return g
	}
	if g.rules, err = rules.withDefaults(); err != nil {
		g.err = fmt.Errorf("game %q: %w", name, err)
		return g
	}
	if g.schema, err = netcode.Compile[S, In](rules.Events...); err != nil {
		g.err = fmt.Errorf("game %q: %w", name, err)
		return g
	}
	if n := len(g.schema.Binary()); n > proto.MaxSchema {
		g.err = fmt.Errorf("game %q: schema has %d bytes, at most %d allowed", name, n, proto.MaxSchema)
		return g
	}
	hooks, err := findHooks[S, In](impl)
	if err != nil {
		g.err = fmt.Errorf("game %q: %w", name, err)
		return g
	}
	g.feeds = hooks.feed != nil
	g.input = func(g *Game, body []byte) string {
		var in In
		if err := g.schema.ReadInput(body, &in); err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%+v", in)
	}
	g.make = func(g *Game, spec Spec) simulation { return newCore(g, spec, impl, hooks) }
	return g
}

// hooks are the optional methods that a game has; nil where it has none.
type hooks[S, In any] struct {
	open   Opener[S]
	join   Joiner[S]
	start  Starter[S]
	drop   Dropper[S]
	resume Resumer[S]
	leave  Leaver[S]
	after  Afterer[S]
	end    Ender[S]
	scopes Scoper[S]
	done   Finisher[S]
	feed   Feeder[S, In]
	check  Checker[In]
}

// findHooks looks for each hook by its interface. A method that has a hook's name and not its signature is an error:
// silence would leave the author wondering why it is never called.
func findHooks[S, In any](impl any) (hooks[S, In], error) {
	var h hooks[S, In]
	var errs []error
	find(impl, "Open", &h.open, &errs)
	find(impl, "Join", &h.join, &errs)
	find(impl, "Start", &h.start, &errs)
	find(impl, "Drop", &h.drop, &errs)
	find(impl, "Resume", &h.resume, &errs)
	find(impl, "Leave", &h.leave, &errs)
	find(impl, "After", &h.after, &errs)
	find(impl, "End", &h.end, &errs)
	find(impl, "Scopes", &h.scopes, &errs)
	find(impl, "Done", &h.done, &errs)
	find(impl, "Feed", &h.feed, &errs)
	find(impl, "Check", &h.check, &errs)
	return h, errors.Join(errs...)
}

func find[H any](impl any, name string, hook *H, errs *[]error) {
	method, ok := reflect.TypeOf(impl).MethodByName(name)
	if !ok {
		if _, ok := reflect.PointerTo(reflect.TypeOf(impl)).MethodByName(name); ok {
			*errs = append(*errs, fmt.Errorf("hook %s has a pointer receiver: give Define a *%T, or it is never called", name, impl))
		}
		return
	}
	if *hook, ok = impl.(H); ok {
		return
	}
	want, _ := reflect.TypeFor[H]().MethodByName(name)
	*errs = append(*errs, fmt.Errorf("hook %s of %T has the wrong signature:\n\thave %s\n\twant %s",
		name, impl, signature(method.Type, 1), signature(want.Type, 0)))
}

// typeName is a type as a game's author writes it: match names some types of its packages anew.
func typeName(t reflect.Type) string {
	if t == reflect.TypeFor[Player]() {
		return "match.Player"
	}
	return t.String()
}

// signature prints a method's type without its receiver.
func signature(t reflect.Type, from int) string {
	s := "func("
	for i := from; i < t.NumIn(); i++ {
		if i > from {
			s += ", "
		}
		s += typeName(t.In(i))
	}
	s += ")"
	for i := range t.NumOut() {
		s += " " + t.Out(i).String()
	}
	return s
}

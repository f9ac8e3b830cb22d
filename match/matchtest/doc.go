// Package matchtest tests a game: its rules and hooks, without sockets, without Redis and without waiting.
//
//	func TestTheFirstToReachTheFlagWins(t *testing.T) {
//		r := matchtest.New(t, race.Game, matchtest.Config{Seed: 1})
//		r.Join(1, "alice", "Alice")
//		r.Join(2, "bob", "Bob")
//		for range 40 {
//			matchtest.Input(r, 1, race.Input{Run: true})
//			r.Tick(1)
//		}
//		if result, ended := r.Ended(); !ended || result[0].Player != "alice" {
//			t.Errorf("ended %v with %+v", ended, result)
//		}
//	}
//
// A [Room] does what a server's room does with a game: seat changes and inputs become records, a tick is a function of
// its record, hooks are called where a server calls them, inputs are encoded and checked as a client's are. What a test
// does wrong, such as an input that has no encoding, and what a server would not survive, such as a panic of the rules,
// ends the test with a word on it.
//
// [Deterministic] is the test that every game should have: it plays a [Script] again and again, from the beginning and
// from checkpoints, and names the first tick and the first column that come out otherwise. [Fixture] and [Verify] hold a
// game to matches that were recorded, [Network] plays one with real clients over a bad network in virtual time.
//
// The package is for tests alone. One goroutine uses a Room.
package matchtest

package cmd

import (
	"slices"
	"testing"

	"muster/client"
	"muster/internal/testredis"
)

// Two servers on one Redis: what happens on one is seen on the other's lobby socket.
func TestFriendSeesOnAnotherServerThatAPlayerIsInAMatch(t *testing.T) {
	store := testredis.Start(t)
	key := ownKey(t)
	here := serve(t, withRace, "--redis", store.URL(), "--key-file", key)
	there := serve(t, withRace, "--redis", store.URL(), "--key-file", key)
	ctx := soon(t)
	alice, err := here.lobby("alice").Live(ctx, client.LiveOptions{})
	must(t, err)
	defer func() { _ = alice.Close() }()
	must(t, alice.Do(ctx, "presence.watch", map[string]any{"players": []string{"bob", "carol"}}, nil))
	sees := func(state string) {
		t.Helper()
		for {
			news, err := alice.Next(ctx)
			must(t, err)
			if slices.Contains(news.Presence, client.LivePresence{Player: "bob", State: state}) {
				return
			}
			if slices.ContainsFunc(news.Presence, func(p client.LivePresence) bool { return p.Player == "carol" && p.State != "offline" }) {
				t.Fatalf("%+v", news.Presence)
			}
		}
	}
	sees("offline")
	bob, err := there.lobby("bob").Live(ctx, client.LiveOptions{})
	must(t, err)
	defer func() { _ = bob.Close() }()
	sees("online")
	c := dialRace(t, there.match("bob", "race"))
	sees("in_match")
	must(t, c.Leave(ctx))
	sees("online")
}

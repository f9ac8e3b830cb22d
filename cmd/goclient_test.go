package cmd

import (
	"slices"
	"testing"
	"time"

	"muster/client"
	"muster/internal/testredis"
)

// hear returns the next event of a kind.
func hear(t *testing.T, f *client.Feed, kind string, body any) {
	t.Helper()
	for {
		news, err := f.Next(soon(t))
		must(t, err)
		if news.Event != nil && news.Event.Kind == kind {
			must(t, news.Event.Decode(body))
			return
		}
	}
}

// What the Go client's lobby offers, against servers: two players, each by way of another one.
func TestGoClientGoesThroughTheLobby(t *testing.T) {
	redis, key := testredis.Start(t), ownKey(t)
	games := slices.Concat(withDen, withRace)
	one := serve(t, games, "--redis", redis.URL(), "--key-file", key)
	two := serve(t, games, "--redis", redis.URL(), "--key-file", key)
	alice, bob, ctx := one.lobby("alice"), two.lobby("bob"), soon(t)
	feed, err := bob.Follow(ctx, client.LiveOptions{})
	must(t, err)
	defer func() { _ = feed.Close() }()

	party, err := alice.Parties().Create(ctx, 3)
	must(t, err)
	must(t, alice.Parties().Invite(ctx, party.ID, "bob"))
	var invited client.PartyNews
	if hear(t, feed, "party", &invited); invited.Event != "invited" || invited.ID != party.ID || invited.By == nil || invited.By.Player != "alice" || !invited.Until.After(time.Now()) {
		t.Errorf("bob hears %+v", invited)
	}
	party, err = bob.Parties().Join(ctx, party.ID)
	must(t, err)
	if len(party.Members) != 2 || party.Leader != "alice" || party.Code == "" {
		t.Errorf("the party is %+v", party)
	}
	_, err = bob.Parties().Ready(ctx, party.ID, true)
	must(t, err)
	sent, err := alice.Chat().Send(ctx, "party:"+party.ID, "are you there?", "")
	must(t, err)
	var got client.ChatMessage
	if hear(t, feed, "chat", &got); got.ID != sent.ID || got.Text != "are you there?" || got.From != "alice" {
		t.Errorf("bob hears %+v", got)
	}
	history, err := bob.Chat().History(ctx, "party:"+party.ID, "", 10)
	must(t, err)
	if len(history.Messages) != 1 || history.Messages[0].Text != got.Text {
		t.Errorf("the history is %+v", history)
	}
	must(t, bob.Parties().Leave(ctx, party.ID))

	made, err := alice.Rooms().Create(ctx, client.NewRoom{Game: "den", Config: denConfig{Size: 7}, Title: "wolves", Public: true, Tags: map[string]string{"mode": "pack"}})
	must(t, err)
	list, err := bob.Rooms().List(ctx, client.RoomFilter{Game: "den", Tags: map[string]string{"mode": "pack"}, OpenSeats: 1})
	must(t, err)
	if len(list.Rooms) != 1 || list.Rooms[0].ID != made.Room.ID || list.Rooms[0].Title != "wolves" {
		t.Errorf("bob finds %+v", list)
	}
	seat, err := bob.Rooms().JoinCode(ctx, made.Room.Code)
	must(t, err)
	conn, err := client.Dial[lair, press](ctx, seat, client.Options{Reconnect: true, Refresh: bob.FreshToken})
	must(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Next(ctx)
	must(t, err)
	if conn.State().Size.V.N != 7 {
		t.Errorf("the room has the size %d", conn.State().Size.V.N)
	}
	watch, err := one.lobby("carol").Rooms().Spectate(ctx, made.Room.ID)
	must(t, err)
	if watch.Room != made.Room.ID || watch.Token == "" {
		t.Errorf("carol watches %+v", watch)
	}
	must(t, alice.Rooms().Close(ctx, made.Room.ID))

	states := 0
	m, err := alice.Play(ctx, client.NewTicket{Queue: "race"}, client.Queueing{Progress: func(client.Ticket) { states++ }})
	must(t, err)
	if m.Room == "" || states == 0 {
		t.Errorf("alice plays in %+v after %d states", m, states)
	}
	me, err := alice.SetProfile(ctx, client.Profile{About: "a wolf", Watch: "party"})
	must(t, err)
	if me.ID != "alice" || me.About != "a wolf" || me.Watch != "party" {
		t.Errorf("alice is %+v", me)
	}
	queues, err := bob.Queues(ctx)
	must(t, err)
	if !slices.ContainsFunc(queues, func(q client.Queue) bool { return q.Name == "race" && q.Game == "race" }) {
		t.Errorf("the queues are %+v", queues)
	}
}

// A guest of a development server stays the same player with a newer token.
func TestGuestRenewsItsToken(t *testing.T) {
	r := serve(t, withRace)
	l := &client.Lobby{URL: r.url}
	g, err := l.Guest(soon(t), "alice")
	must(t, err)
	fresh, err := l.FreshToken(soon(t))
	must(t, err)
	me, err := l.Me(soon(t))
	must(t, err)
	if fresh == "" || me.ID != g.Player {
		t.Errorf("%+v is %+v", g, me)
	}
}

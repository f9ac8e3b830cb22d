package lobby_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/client"
	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/chat"
	"muster/match/cluster"
)

// seatTogether brings players into a room that the first of them makes, and returns it with their seats.
func (p *place) seatTogether(players ...string) (room string, seats []cluster.Seated) {
	p.t.Helper()
	m := p.makeRoom(players[0], `,"public":true`)
	for i, who := range players {
		match := m.Match
		if i > 0 {
			match = want[lobby.Match](p.t, p.joinRoom(who, m.Room.ID), 200)
		}
		s := p.seat(&match)
		takeSeat(p.t, p.rdb, s)
		seats = append(seats, cluster.Seated{Seat: s.Seat, Player: who})
	}
	return m.Room.ID, seats
}

// regroup tells the directory of teams, as the room's host does.
func (p *place) regroup(room string, seats []cluster.Seated, teams ...uint16) {
	p.t.Helper()
	for i, team := range teams {
		seats[i].Team = team
	}
	d := cluster.NewDirectory(p.rdb, ns)
	r, err := d.Room(p.t.Context(), room)
	must(p.t, err)
	must(p.t, d.Renew(p.t.Context(), room, r.Epoch, cluster.Alive{Open: true, Teams: true, Seats: seats}))
}

func (p *place) texts(player, channel string) (list []string) {
	p.t.Helper()
	for _, m := range want[lobby.History](p.t, p.get(player, messages(channel)), 200).Messages {
		list = append(list, m.From+": "+m.Text)
	}
	return list
}

func muteIn(channel string) string { return "/v1/chat/" + url.PathEscape(channel) + "/mute" }

func TestTeamsChannelFollowsWhereTheRulesPutThePlayers(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		room, seats := p.seatTogether("alice", "bob", "carol")
		team := "team:" + room
		wantProblem(t, p.post("alice", messages(team), `{"text":"hi"}`), 404, "") // there are no teams yet
		p.regroup(room, seats, 1, 1, 2)
		p.say("alice", team, "to the left")
		p.say("carol", team, "to the right")
		if diff := cmp.Diff([]string{"alice: to the left"}, p.texts("bob", team)); diff != "" {
			t.Errorf("bob reads (-want +got):\n%s", diff)
		}
		if got := p.heard("bob", "chat"); len(got) != 1 || !strings.Contains(got[0], `"channel":"`+team+`"`) {
			t.Errorf("bob hears %v", got)
		}
		p.regroup(room, seats, 1, 2, 2)
		if diff := cmp.Diff([]string{"carol: to the right"}, p.texts("bob", team)); diff != "" {
			t.Errorf("on the other side bob reads (-want +got):\n%s", diff)
		}
		p.regroup(room, seats, 0, 2, 2)
		for _, who := range []string{"alice", "mallory"} {
			wantProblem(t, p.post(who, messages(team), `{"text":"hi"}`), 404, "")
			wantProblem(t, p.get(who, messages(team)), 404, "")
		}
		p.say("alice", "room:"+room, "good game")
	})
}

func TestMutedPlayerDoesNotNoticeAndIsNotHeard(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := openServed(t, &place{rdb: rdb}, nil)
		defer join(t, rdb, someNode)()
		room, _ := p.seatTogether("alice", "bob", "mallory")
		party := p.gather("mallory", "bob")
		group := want[lobby.Group](t, p.post("mallory", "/v1/groups", `{"title":"x"}`), 201)
		wantNothing(t, p.post("mallory", "/v1/groups/"+group.ID+"/invite", `{"player":"bob"}`))
		want[lobby.Group](t, p.post("bob", "/v1/groups/"+group.ID+"/join", ""), 200)
		bob := p.lobby("bob")
		for range 2 {
			must(t, bob.Mute(t.Context(), "mallory", true))
		}
		if list, err := bob.Muted(t.Context()); err != nil || len(list) != 1 || list[0] != "mallory" {
			t.Errorf("bob mutes %v, %v", list, err)
		}
		mallory := p.listen("mallory", "")
		for i, channel := range []string{"room:" + room, "party:" + party.ID, "group:" + group.ID, "direct:bob"} {
			var sent client.ChatMessage
			must(t, mallory.Do(t.Context(), "chat.send", map[string]any{"channel": channel, "text": "look at me"}, &sent))
			theirs := strings.Replace(channel, "direct:bob", "direct:mallory", 1)
			if sent.ID == "" || len(p.texts("mallory", channel)) != 1 || len(p.heard("mallory", "chat")) != i+1 {
				t.Errorf("%s: its author can tell that it did not arrive", channel)
			}
			if got := p.texts("bob", theirs); len(got) != 0 {
				t.Errorf("bob reads in %s: %q", theirs, got)
			}
		}
		if got := p.heard("bob", "chat"); len(got) != 0 {
			t.Errorf("bob hears %q", got)
		}
		if got := p.heard("alice", "chat"); len(got) != 1 {
			t.Errorf("alice hears %q", got)
		}
		must(t, bob.Mute(t.Context(), "mallory", false))
		p.say("mallory", "direct:bob", "again")
		if got := p.texts("bob", "direct:mallory"); len(got) != 2 || len(p.heard("bob", "chat")) != 1 {
			t.Errorf("unmuted: bob reads %q and hears %v", got, p.heard("bob", "chat"))
		}
		wantProblem(t, p.me("bob", "PUT", "me/mutes/bob", ""), 422, "path.player")
		wantProblem(t, p.me("bob", "PUT", "me/mutes/a%00b", ""), 422, "path.player")
	})
}

func TestWhoIsMutedInARoomIsRefusedUntilThenOverRESTAndSocket(t *testing.T) {
	p := openServed(t, &place{rdb: testredis.Embedded(t)}, nil)
	defer join(t, p.rdb, someNode)()
	room, seats := p.seatTogether("alice", "bob", "carol")
	p.regroup(room, seats, 1, 1, 1)
	talk := p.lobby("alice").Chat()
	until, err := talk.MuteInRoom(t.Context(), room, "bob", 10, "Let others talk, too.")
	must(t, err)
	if left := time.Until(until); left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("he is muted for %v", left)
	}
	if got := p.heard("bob", "mute"); len(got) != 1 || !strings.Contains(got[0], `"reason":"Let others talk, too."`) || !strings.Contains(got[0], `"channel":"room:`+room) {
		t.Errorf("he is told %q", got)
	}
	socket := p.listen("bob", "")
	for _, channel := range []string{"room:" + room, "team:" + room} {
		a := p.post("bob", messages(channel), `{"text":"but"}`)
		wantProblem(t, a, http.StatusForbidden, "path.channel")
		if text := string(a.body); !strings.Contains(text, "muted here until "+until.Format("2006-01-02T15:")) || !strings.Contains(text, "Let others talk, too.") {
			t.Errorf("%s: he is refused with %s", channel, text)
		}
		err := socket.Do(t.Context(), "chat.send", map[string]any{"channel": channel, "text": "but"}, nil)
		if err == nil || !strings.Contains(err.Error(), "muted here until") {
			t.Errorf("%s: on the socket he is refused with %v", channel, err)
		}
	}
	p.say("bob", "direct:carol", "they muted me")
	p.say("carol", "room:"+room, "quiet now")
	must(t, talk.UnmuteInRoom(t.Context(), room, "bob"))
	p.say("bob", "room:"+room, "thanks")
	if got := p.heard("bob", "mute"); len(got) != 2 || strings.Contains(got[1], "until") {
		t.Errorf("he is told %q", got)
	}
	var log []string
	for _, e := range p.logs.FilterMessage("audit").All() {
		m := e.ContextMap()
		log = append(log, fmt.Sprint(m["what"], " ", m["player"], " by ", m["by"], " in ", m["room"] == room))
	}
	if diff := cmp.Diff([]string{"a player is muted in a room bob by alice in true", "a player is muted in a room no longer bob by alice in true"}, log); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
}

func TestOnlyTheMakerAndModeratorsMuteInARoom(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	defer join(t, p.rdb, someNode)()
	room, _ := p.seatTogether("alice", "bob")
	path, body := muteIn("room:"+room), `{"player":"alice","minutes":5}`
	bob := muteIn("room:"+room) + "/bob"
	wantProblem(t, p.post("bob", path, body), http.StatusForbidden, "")
	wantProblem(t, p.as("bob", "service player", "POST", path, body), http.StatusForbidden, "")
	wantProblem(t, p.as("bob", "", "DELETE", bob, ""), http.StatusForbidden, "")
	wantProblem(t, p.post("mallory", path, body), http.StatusNotFound, "") // who is not there learns nothing
	wantProblem(t, p.as("mallory", "", "DELETE", bob, ""), http.StatusNotFound, "")
	wantProblem(t, p.post("alice", muteIn("room:none"), body), http.StatusNotFound, "")
	wantProblem(t, p.post("alice", path, `{"player":"nobody","minutes":5}`), http.StatusNotFound, "")
	wantProblem(t, p.as("root", "admin", "POST", path, `{"player":"nobody","minutes":5}`), http.StatusNotFound, "")
	if got := p.heard("nobody", "mute"); len(got) != 0 {
		t.Errorf("somebody who is not there is told %q", got)
	}
	p.say("alice", "room:"+room, "still here")
	for _, role := range rolesThatModerate {
		want[lobby.Muted](t, p.as("root", role, "POST", muteIn("team:"+room), body), 200)
		wantProblem(t, p.post("alice", messages("room:"+room), `{"text":"x"}`), http.StatusForbidden, "path.channel")
		wantNothing(t, p.as("root", role, "DELETE", muteIn("room:"+room)+"/alice", ""))
		p.say("alice", "room:"+room, "back")
	}
	for body, field := range map[string]string{
		`{"player":"bob"}`: "body", `{"player":"bob","minutes":0}`: "body.minutes", `{"player":"bob","minutes":1441}`: "body.minutes",
		`{"minutes":5}`: "body", `{"player":"","minutes":5}`: "body.player", `{"player":"a\u0000","minutes":5}`: "body.player",
		`{"player":"bob","minutes":5,"reason":"  "}`: "body.reason", `{"player":"bob","minutes":5,"reason":"a\u001b[2Jb"}`: "body.reason",
		`{"player":"bob","minutes":5,"reason":"a\nb"}`: "body.reason", `{"player":"bob","minutes":5,"reason":"a\u202eb"}`: "body.reason",
		`{"player":"bob","minutes":5,"reason":"` + strings.Repeat("x", 201) + `"}`: "body.reason",
	} {
		wantProblem(t, p.post("alice", path, body), 422, field)
	}
	for _, channel := range []string{"direct:bob", "party:x", "group:x", "rooms:x", "room"} {
		wantProblem(t, p.post("alice", muteIn(channel), `{"player":"bob","minutes":5}`), 422, "path.channel")
	}
}

func TestMakerOfARoomWhomAModeratorMutesStaysMuted(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	defer join(t, p.rdb, someNode)()
	room, _ := p.seatTogether("alice", "bob")
	path := muteIn("room:" + room)
	want[lobby.Muted](t, p.as("root", "moderator", "POST", path, `{"player":"alice","minutes":60}`), 200)
	wantProblem(t, p.as("alice", "", "DELETE", path+"/alice", ""), http.StatusForbidden, "")
	wantProblem(t, p.post("alice", path, `{"player":"alice","minutes":1}`), http.StatusForbidden, "")
	a := p.post("alice", messages("room:"+room), `{"text":"x"}`)
	wantProblem(t, a, http.StatusForbidden, "path.channel")
	if left, _ := strconv.Atoi(a.header.Get("Retry-After")); left < 59*60 {
		t.Errorf("she is muted for %d s more", left)
	}
	want[lobby.Muted](t, p.post("alice", path, `{"player":"bob","minutes":1}`), 200) // others still are for her to mute
	wantNothing(t, p.as("alice", "moderator", "DELETE", path+"/alice", ""))
	p.say("alice", "room:"+room, "back")
}

// A reason is told to one who cannot answer: the room's filter sees it as it sees messages, whoever mutes.
func TestReasonOfAMuteGoesThroughTheRoomsFilter(t *testing.T) {
	var seen []string
	p := open(t, testredis.Embedded(t), func(c *lobby.Config) {
		c.Filter = func(_ context.Context, m chat.Message) (string, bool) {
			seen = append(seen, m.Game+" "+m.Channel+" "+m.From+": "+m.Text)
			if m.Text == "LINES" {
				return "one\ntwo", true // none that a reason can be
			}
			return strings.ToLower(m.Text), !strings.Contains(m.Text, "aimbot")
		}
	})
	defer p.Close()
	defer join(t, p.rdb, someNode)()
	room, _ := p.seatTogether("alice", "bob")
	path := muteIn("team:" + room)
	mute := func(who, role, reason string) answer {
		return p.as(who, role, "POST", path, `{"player":"bob","minutes":5,"reason":"`+reason+`"}`)
	}
	for _, reason := range []string{"buy my aimbot", "LINES"} {
		for who, role := range map[string]string{"alice": "", "root": "moderator"} {
			if e := wantProblem(t, mute(who, role, reason), 422, "body.reason"); !strings.Contains(e.Errors[0].Message, "not said here") {
				t.Errorf("%s: %+v", reason, e)
			}
		}
	}
	if got := p.heard("bob", "mute"); len(got) != 0 {
		t.Errorf("he is told %q", got)
	}
	p.say("bob", "room:"+room, "still here")
	seen = nil
	want[lobby.Muted](t, mute("root", "moderator", "SHOUTING"), 200)
	if got := p.heard("bob", "mute"); len(got) != 1 || !strings.Contains(got[0], `"reason":"shouting"`) {
		t.Errorf("he is told %q", got)
	}
	a := p.post("bob", messages("room:"+room), `{"text":"x"}`)
	wantProblem(t, a, http.StatusForbidden, "path.channel")
	if !strings.Contains(string(a.body), ": shouting") || !slices.Equal(seen, []string{"arena room:" + room + " root: SHOUTING"}) {
		t.Errorf("he is refused with %s; the filter saw %q", a.body, seen)
	}
	for _, e := range p.logs.FilterMessage("audit").All() {
		if e.ContextMap()["reason"] != "shouting" {
			t.Errorf("the audit log has %+v", e.ContextMap())
		}
	}
	want[lobby.Muted](t, mute("root", "moderator", ""), 200) // without one nobody is asked
	if len(seen) != 1 {
		t.Errorf("the filter saw %q", seen)
	}
}

// Each mute is a line to its player.
func TestMutesOfARoomsMakerAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		room, _ := p.seatTogether("alice", "bob")
		path, muted := muteIn("room:"+room), 0
		for range 100 {
			a := p.post("alice", path, `{"player":"bob","minutes":1,"reason":"boo"}`)
			if a.status == http.StatusOK {
				muted++
			} else {
				wantProblem(t, a, http.StatusTooManyRequests, "")
			}
			time.Sleep(100 * time.Millisecond) // as fast as requests may come
		}
		if muted < 60 || muted > 72 || len(p.heard("bob", "mute")) != muted {
			t.Errorf("she muted him %d times within ten seconds, and he heard of %d", muted, len(p.heard("bob", "mute")))
		}
	})
}

// What is done is in the audit log, also where its player could not be told.
func TestMuteThatItsPlayerIsNotToldOfIsInTheAuditLog(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, someNode)()
	room, _ := p.seatTogether("alice", "bob")
	lame := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
		if strings.Contains(fmt.Sprint(cmd.Args()...), "}:inbox") {
			return errors.New("it is away")
		}
		return next()
	}), nil)
	defer lame.Close()
	for _, what := range []string{"a player is muted in a room", "a player is muted in a room no longer"} {
		a := lame.post("alice", muteIn("room:"+room), `{"player":"bob","minutes":5}`)
		if strings.HasSuffix(what, "longer") {
			a = lame.as("alice", "", "DELETE", muteIn("room:"+room)+"/bob", "")
		}
		if a.status < 500 {
			t.Fatalf("%s: %d %s", what, a.status, a.body)
		}
		log := lame.logs.FilterMessage("audit").All()
		if last := len(log) - 1; last < 0 || log[last].ContextMap()["what"] != what || log[last].ContextMap()["unsure"] != true {
			t.Errorf("%s: the audit log has %+v", what, log)
		}
	}
}

var rolesThatModerate = []string{"moderator", "admin"}

// A message to a thousand is a thousand writes: what such a channel takes is bounded, whoever writes.
func TestFloodOfALargeRoomIsBoundedAndLeavesItToOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, func(c *lobby.Config) { c.Games = []lobby.Game{{Name: "arena", Rules: "7", Seats: 1000}} })
		defer p.Close()
		defer join(t, rdb, someNode)()
		m := p.makeRoom("mallory", "")
		takeSeat(t, rdb, p.seat(&m.Match))
		for i := range 999 { // they came as others do
			must(t, rdb.HSet(t.Context(), ns+":{room:"+m.Room.ID+"}:seats", 2+i, fmt.Sprint("0|!x/y|p", i)).Err())
		}
		room := "room:" + m.Room.ID
		flood := func(player string) (sent int) {
			for range 10 {
				if p.post(player, messages(room), `{"text":"spam"}`).status == http.StatusCreated {
					sent++
				}
			}
			return sent
		}
		if n := flood("mallory"); n != 5 {
			t.Errorf("one player wrote %d messages at once, want 5", n)
		}
		if n := flood("p1"); n != 5 {
			t.Errorf("another wrote %d messages at once, want 5", n)
		}
		wantProblem(t, p.post("p2", messages(room), `{"text":"hello"}`), http.StatusTooManyRequests, "")
		time.Sleep(500 * time.Millisecond)
		p.say("p2", room, "hello")
		var n int64
		must(t, each(rdb, ns+":*}:inbox", func(key string) {
			k, err := rdb.XLen(context.Background(), key).Result()
			must(t, err)
			n += k
		}))
		if n != 11*1000 {
			t.Errorf("%d events were posted, want 11 messages for 1000", n)
		}
	})
}

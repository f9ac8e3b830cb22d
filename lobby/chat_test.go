package lobby_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/chat"
	"muster/match/cluster"
	"muster/proto/token"
)

func messages(channel string) string { return "/v1/chat/" + url.PathEscape(channel) + "/messages" }

// say writes a message that must go.
func (p *place) say(player, channel, text string) lobby.Message {
	p.t.Helper()
	return want[lobby.Message](p.t, p.post(player, messages(channel), `{"text":"`+text+`"}`), 201)
}

// heard are the events of a kind in a player's inbox.
func (p *place) heard(player, kind string) (bodies []string) {
	p.t.Helper()
	for _, e := range want[lobby.Events](p.t, p.get(player, "/v1/me/inbox?limit=100"), 200).Events {
		if e.Kind == kind {
			bodies = append(bodies, string(e.Body))
		}
	}
	return bodies
}

// takeSeat comes to a match, as a socket does.
func takeSeat(t *testing.T, rdb redis.UniversalClient, s token.Seat) {
	t.Helper()
	_, err := cluster.NewDirectory(rdb, ns).TakeSeat(t.Context(), s.Room, s.Seat, s.Player, s.ID)
	must(t, err)
}

func TestPlayersWriteToEachOtherOverSeveralLobbies(t *testing.T) {
	rdb := testredis.Embedded(t)
	here, there := open(t, rdb, nil), open(t, rdb, nil)
	defer here.Close()
	defer there.Close()
	defer join(t, rdb, someNode)()
	group := want[lobby.Group](t, here.post("alice", "/v1/groups", `{"title":"Friday"}`), 201)
	wantNothing(t, there.post("alice", "/v1/groups/"+group.ID+"/invite", `{"player":"bob"}`))
	if got := here.heard("bob", "group"); len(got) != 1 || !strings.Contains(got[0], `"title":"Friday"`) {
		t.Errorf("bob hears of the invitation %v", got)
	}
	if got := want[lobby.Group](t, there.post("bob", "/v1/groups/"+group.ID+"/join", ""), 200); len(got.Members) != 2 {
		t.Errorf("the group is %+v", got)
	}
	party := here.gather("alice", "bob")
	m, seat := here.play("alice", "arena")
	takeSeat(t, rdb, seat)
	n, seat := here.play("bob", "arena")
	if n.Room != m.Room {
		t.Fatalf("rooms %s and %s", m.Room, n.Room)
	}
	wantProblem(t, there.post("bob", messages("room:"+m.Room), `{"text":"x"}`), 404, "") // he has not come yet
	takeSeat(t, rdb, seat)
	for i, channel := range []string{"direct:bob", "party:" + party.ID, "room:" + m.Room, "group:" + group.ID} {
		text := fmt.Sprint("message ", i)
		sent := here.say("alice", channel, text)
		theirs := strings.Replace(channel, "direct:bob", "direct:alice", 1)
		got := there.heard("bob", "chat")
		if len(got) != i+1 || !strings.Contains(got[i], `"text":"`+text+`"`) || !strings.Contains(got[i], `"channel":"`+theirs+`"`) {
			t.Errorf("bob hears %v", got)
		}
		history := want[lobby.History](t, there.get("bob", messages(theirs)+"?limit=1"), 200)
		if len(history.Messages) != 1 || history.Messages[0].Text != text || history.Messages[0].ID != sent.ID || history.Messages[0].Name != "alice" {
			t.Errorf("history of %s: %+v", theirs, history)
		}
		if channel != "direct:bob" {
			wantProblem(t, there.post("mallory", messages(channel), `{"text":"x"}`), 404, "")
			wantProblem(t, there.get("mallory", messages(channel)), 404, "")
		}
	}
	wantNothing(t, there.post("bob", "/v1/groups/"+group.ID+"/leave", ""))
	wantProblem(t, here.get("bob", "/v1/groups/"+group.ID), 404, "")
}

func TestPlayersWordsAreNoNamesOfKeys(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	for _, name := range []string{"<script>alert(1)</script>", "__proto__", "a}:log{chat", "a|b*", "a/b:c"} {
		p.say(name, "direct:"+name+"2", `<img src=x onerror=alert(1)> __proto__`)
		got := p.heard(name+"2", "chat")
		if len(got) != 1 || strings.Contains(got[0], "<img") { // markup is escaped in JSON, and is text
			t.Errorf("%q: %v", name, got)
		}
		history := want[lobby.History](t, p.get(name+"2", messages("direct:"+name)), 200)
		if len(history.Messages) != 1 || history.Messages[0].From != name || history.Messages[0].Text != `<img src=x onerror=alert(1)> __proto__` {
			t.Errorf("%q: %+v", name, history)
		}
		p.post(name, "/v1/parties", `{}`)
		p.post(name, "/v1/groups", `{"title":"*"}`)
	}
	must(t, each(p.rdb, "*", func(key string) {
		if strings.ContainsAny(key, "<>|*;%'/") || strings.Contains(key, "__proto__") {
			t.Errorf("a player's words are in key %q", key)
		}
	}))
}

func TestChatFloodIsLimitedInAllLobbiesTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := open(t, rdb, nil), open(t, rdb, nil)
		defer here.Close()
		defer there.Close()
		flood := func(player string, n int) (sent int) {
			for i := range n {
				switch a := []*place{here, there}[i%2].post(player, messages("direct:victim"), `{"text":"spam"}`); a.status {
				case http.StatusCreated:
					sent++
				default:
					wantProblem(t, a, http.StatusTooManyRequests, "")
				}
			}
			return sent
		}
		if n := flood("mallory", 25); n != 10 {
			t.Errorf("%d messages went at once, want 10", n)
		}
		time.Sleep(2 * time.Second)
		if n := flood("mallory", 25); n != 10 {
			t.Errorf("%d messages went two seconds later, want 10", n)
		}
		if n := flood("alice", 1); n != 1 {
			t.Error("another player suffers for it")
		}
		if n := len(here.heard("victim", "chat")); n != 21 {
			t.Errorf("%d messages arrived", n)
		}
	})
}

func TestMessageIsSentOnceForAKey(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	send := func(text string) answer {
		return p.send(request{
			method: "POST", path: messages("direct:bob"), token: p.player("alice"), body: `{"text":"` + text + `"}`,
			header: http.Header{"Idempotency-Key": {"k"}},
		})
	}
	first, again := want[lobby.Message](t, send("once"), 201), want[lobby.Message](t, send("once"), 201)
	if first != again || len(p.heard("bob", "chat")) != 1 {
		t.Errorf("%+v and %+v, and bob heard %v", first, again, p.heard("bob", "chat"))
	}
	wantProblem(t, send("twice"), 422, "header.Idempotency-Key")
}

func TestPlayerBeginsToTalkWithSixtyOthersAnHour(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		for i := range 60 {
			p.say("mallory", fmt.Sprint("direct:nobody", i), "spam")
			time.Sleep(200 * time.Millisecond)
		}
		wantProblem(t, p.post("mallory", messages("direct:nobody60"), `{"text":"spam"}`), http.StatusTooManyRequests, "")
		p.say("mallory", "direct:nobody7", "and another thing") // they talk already
		time.Sleep(time.Hour)
		p.say("mallory", "direct:nobody60", "spam")
	})
}

func TestBlockedPlayersWordsAndInvitationsAreNotDelivered(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	wantNothing(t, p.send(request{method: "PUT", path: "/v1/me/blocks/mallory", token: p.player("bob")}))
	for _, who := range []string{"alice", "mallory"} {
		p.say(who, "direct:bob", "hello")
		party := p.gather(who)
		wantNothing(t, p.post(who, "/v1/parties/"+party.ID+"/invite", `{"player":"bob"}`))
		group := want[lobby.Group](t, p.post(who, "/v1/groups", `{"title":"x"}`), 201)
		wantNothing(t, p.post(who, "/v1/groups/"+group.ID+"/invite", `{"player":"bob"}`))
	}
	events := want[lobby.Events](t, p.get("bob", "/v1/me/inbox"), 200).Events
	if len(events) != 3 {
		t.Errorf("bob has %d events, want alice's three", len(events))
	}
	for _, e := range events {
		if strings.Contains(string(e.Body), "mallory") {
			t.Errorf("bob hears of who he has blocked: %s", e.Body)
		}
	}
	if h := want[lobby.History](t, p.get("bob", messages("direct:mallory")), 200); len(h.Messages) != 0 {
		t.Errorf("bob reads %+v", h)
	}
	if h := want[lobby.History](t, p.get("mallory", messages("direct:bob")), 200); len(h.Messages) != 1 {
		t.Errorf("mallory reads %+v, and can tell", h)
	}
}

func TestFilterIsAskedAboutEachMessage(t *testing.T) {
	p := open(t, testredis.Embedded(t), func(c *lobby.Config) {
		c.Filter = func(_ context.Context, m chat.Message) (string, bool) {
			return strings.ToLower(m.Text), m.Text != "SPAM"
		}
	})
	defer p.Close()
	if m := p.say("alice", "direct:bob", "HELLO"); m.Text != "hello" {
		t.Errorf("the message is %q", m.Text)
	}
	wantProblem(t, p.post("alice", messages("direct:bob"), `{"text":"SPAM"}`), 422, "body.text")
}

func TestChatRefusesWhatIsMalformed(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	bob := messages("direct:bob")
	for i, c := range []struct {
		path, body string
		status     int
		field      string
	}{
		{bob, `{"text":""}`, 422, "body.text"},
		{bob, `{"text":"  "}`, 422, "body.text"},
		{bob, `{"text":"a\u0000"}`, 422, "body.text"},
		{bob, `{"text":"a\u202eb"}`, 422, "body.text"},
		{bob, `{"text":"a\u001b[2J"}`, 422, "body.text"},
		{bob, `{"text":"` + strings.Repeat("x", 501) + `"}`, 422, "body.text"},
		{bob, `{"text":"` + strings.Repeat("x", 9000) + `"}`, 413, ""},
		{bob, `{"text":"hi","from":"bob"}`, 422, "body.from"},
		{bob, `{"text":{"$ne":""}}`, 422, "body.text"},
		{messages("mallory"), `{"text":"hi"}`, 422, "path.channel"},
		{messages("direct:"), `{"text":"hi"}`, 422, "path.channel"},
		{messages("direct:" + strings.Repeat("x", 74)), `{"text":"hi"}`, 422, "path.channel"},
		{messages("direct:a\nb"), `{"text":"hi"}`, 404, ""},
		{messages("direct:p0"), `{"text":"hi"}`, 201, ""},
		{messages("party:*"), `{"text":"hi"}`, 404, ""},
		{messages("room:x}:seats"), `{"text":"hi"}`, 404, ""},
		{messages("group:../x"), `{"text":"hi"}`, 404, ""},
		{"/v1/groups", `{"title":"a\nb"}`, 422, "body.title"},
		{"/v1/groups", `{"title":"` + strings.Repeat("日", 22) + `"}`, 422, "body.title"},
		{"/v1/groups", `{"title":"x","members":["bob"]}`, 422, "body.members"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			a := p.post(fmt.Sprint("q", i), c.path, c.body)
			if c.status == 201 {
				want[lobby.Message](t, a, 201)
				return
			}
			wantProblem(t, a, c.status, c.field)
		})
	}
	for _, query := range []string{"before=x", "before=1-0)", "limit=0", "limit=101", "after=1-0"} {
		wantProblem(t, p.get("alice", bob+"?"+query), 422, "query."+strings.Split(query, "=")[0])
	}
}

// JSON writes a "<" in six bytes, so that a page of history is ten times as large as what is usual.
func TestLargestPageOfHistoryFitsThroughASocket(t *testing.T) {
	p := openServed(t, &place{rdb: testredis.Embedded(t)}, nil)
	p.say("alice", "direct:bob", "hi")
	logs, err := p.rdb.Keys(t.Context(), ns+":{chat:*:log").Result()
	if err != nil || len(logs) != 1 {
		t.Fatalf("channels %q, %v", logs, err)
	}
	for range chat.MaxPage { // more than alice may write at once
		must(t, p.rdb.XAdd(t.Context(), &redis.XAddArgs{
			Stream: logs[0], Values: []string{"from", "alice", "name", strings.Repeat("<", 64), "text", strings.Repeat("<", chat.MaxText), "hidden", ""},
		}).Err())
	}
	v := p.listen("bob", "")
	var page lobby.History
	must(t, v.Do(t.Context(), "chat.history", map[string]any{"channel": "direct:alice", "limit": chat.MaxPage}, &page))
	if len(page.Messages) != chat.MaxPage || page.Messages[0].Text != strings.Repeat("<", chat.MaxText) {
		t.Errorf("%d messages came", len(page.Messages))
	}
}

// The ids of what is made with an idempotency key follow from it, so its maker can make the same again when it has ended.
func TestWhatWasWrittenBeforeItEndedIsNotReadByWhoMakesTheSameAgain(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, withConfigs)
	defer p.Close()
	defer join(t, rdb, everyGame)()
	again := func(path, body string) answer {
		return p.send(request{method: "POST", path: path, token: p.player("alice"), body: body, header: http.Header{"Idempotency-Key": {"k"}}})
	}
	party := want[lobby.Party](t, again("/v1/parties", `{}`), 201)
	want[lobby.Party](t, p.post("bob", "/v1/parties/join", `{"code":"`+party.Code+`"}`), 200)
	wantNothing(t, p.post("alice", "/v1/parties/"+party.ID+"/leave", ""))
	p.say("bob", "party:"+party.ID, "she is gone")
	wantNothing(t, p.post("bob", "/v1/parties/"+party.ID+"/leave", ""))
	wantProblem(t, again("/v1/parties", `{}`), 409, "")
	must(t, rdb.Del(t.Context(), ns+":{party:"+party.ID+"}:record").Err()) // an hour later
	if same := want[lobby.Party](t, again("/v1/parties", `{}`), 201); same.ID != party.ID {
		t.Fatalf("the second party is %s, the first %s", same.ID, party.ID)
	}

	group := want[lobby.Group](t, again("/v1/groups", `{"title":"Friday"}`), 201)
	wantNothing(t, p.post("alice", "/v1/groups/"+group.ID+"/invite", `{"player":"bob"}`))
	want[lobby.Group](t, p.post("bob", "/v1/groups/"+group.ID+"/join", ""), 200)
	wantNothing(t, p.post("alice", "/v1/groups/"+group.ID+"/leave", ""))
	p.say("bob", "group:"+group.ID, "she is gone")
	wantNothing(t, p.post("bob", "/v1/groups/"+group.ID+"/leave", ""))
	if same := want[lobby.Group](t, again("/v1/groups", `{"title":"Friday"}`), 201); same.ID != group.ID {
		t.Fatalf("the second group is %s, the first %s", same.ID, group.ID)
	}

	room := want[made](t, again("/v1/rooms", `{"game":"arena"}`), 201)
	seat, err := p.keys.VerifySeat(room.Match.Token)
	must(t, err)
	takeSeat(t, rdb, seat)
	p.say("alice", "room:"+room.Room.ID, "nobody is here")
	must(t, each(rdb, "*"+room.Room.ID+"*", func(key string) { must(t, rdb.Del(t.Context(), key).Err()) })) // long after
	same := want[made](t, again("/v1/rooms", `{"game":"arena"}`), 201)
	if seat, err = p.keys.VerifySeat(same.Match.Token); err != nil || same.Room.ID != room.Room.ID {
		t.Fatalf("the second room is %s, the first %s; %v", same.Room.ID, room.Room.ID, err)
	}
	takeSeat(t, rdb, seat)

	for _, channel := range []string{"party:" + party.ID, "group:" + group.ID, "room:" + room.Room.ID} {
		if got := want[lobby.History](t, p.get("alice", messages(channel)), 200); len(got.Messages) != 0 {
			t.Errorf("%s: %+v", channel, got.Messages)
		}
		p.say("alice", channel, "anew")
		if got := want[lobby.History](t, p.get("alice", messages(channel)), 200); len(got.Messages) != 1 {
			t.Errorf("%s after a message: %+v", channel, got.Messages)
		}
	}
}

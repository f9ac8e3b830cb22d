package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// listen calls Next until the test's end, and returns what is heard as it comes.
func listen(t *testing.T, f *Feed) <-chan LiveNews {
	t.Helper()
	heard, done := make(chan LiveNews, 64), make(chan struct{})
	go func() {
		defer close(done)
		for {
			news, err := f.Next(context.Background())
			if err != nil {
				return
			}
			heard <- news
		}
	}()
	t.Cleanup(func() { _ = f.Close(); <-done })
	return heard
}

func TestRequestsThatMayBeMadeTwiceAreMadeAgainOnTheNextSocket(t *testing.T) {
	type ask = func(ctx context.Context, f *Feed) (any, error)
	for name, test := range map[string]struct {
		ask    ask
		answer string
		want   any
		body   string // fmt's
	}{
		"chat.send": {
			func(ctx context.Context, f *Feed) (any, error) { return f.Chat().Send(ctx, "party:p", "hi", "k1") }, `{"id":"1-0","text":"hi"}`,
			ChatMessage{ID: "1-0", Text: "hi"},
			"map[channel:party:p key:k1 text:hi]",
		},
		"chat.history": {
			func(ctx context.Context, f *Feed) (any, error) { return f.Chat().History(ctx, "party:p", "7-0", 3) }, `{"messages":[{"text":"hi"}],"next":"1-0"}`,
			ChatHistory{Messages: []ChatMessage{{Text: "hi"}}, Next: "1-0"},
			"map[before:7-0 channel:party:p limit:3]",
		},
		"ticket.get": {
			func(ctx context.Context, f *Feed) (any, error) { return f.Ticket(ctx, "t1") }, `{"id":"t1","state":"waiting"}`,
			Ticket{ID: "t1", State: "waiting"},
			"map[ticket:t1]",
		},
		"ticket.explain": {
			func(ctx context.Context, f *Feed) (any, error) { return f.Explain(ctx, "t1") }, `{"text":"two more"}`, Explanation{Text: "two more"}, "map[ticket:t1]",
		},
		"ticket.confirm": {
			func(ctx context.Context, f *Feed) (any, error) { return nil, f.ConfirmTicket(ctx, "t1", true) }, `{}`, nil, "map[accept:true ticket:t1]",
		},
		"ticket.cancel":  {func(ctx context.Context, f *Feed) (any, error) { return nil, f.CancelTicket(ctx, "t1") }, `{}`, nil, "map[ticket:t1]"},
		"presence.watch": {func(ctx context.Context, f *Feed) (any, error) { return nil, f.Watch(ctx) }, `{"watched":0}`, nil, "map[players:[]]"},
	} {
		t.Run(name, func(t *testing.T) {
			type result struct {
				v   any
				err error
			}
			got := make(chan result, 1)
			s, l := startFeed(t)
			f := follow(t, l, LiveOptions{})
			listen(t, f)
			c := s.next()
			go func() {
				v, err := test.ask(t.Context(), f)
				got <- result{v, err}
			}()
			first := c.wants(name)
			_ = c.ws.CloseNow() // before the answer
			c = s.next()
			again := c.wants(name)
			if body := fmt.Sprint(again["body"]); body != test.body || !reflect.DeepEqual(first["body"], again["body"]) {
				t.Errorf("asked with %v and then %v, want %s", first["body"], body, test.body)
			}
			c.say(`{"re":%v,"ok":%s}`, again["n"], test.answer)
			if r := <-got; r.err != nil || !reflect.DeepEqual(r.v, test.want) {
				t.Errorf("answered %+v, %v", r.v, r.err)
			}
		})
	}
}

func TestARefusalOnTheLobbysSocketIsOneOfTheInterface(t *testing.T) {
	s, l := startFeed(t)
	f := follow(t, l, LiveOptions{})
	listen(t, f)
	c := s.next()
	go func() {
		m := c.wants("chat.send")
		c.say(`{"re":%v,"error":{"status":422,"title":"no","detail":"the text","errors":[{"message":"too long","location":"body.text"}],"retry_after":3}}`, m["n"])
	}()
	var api *APIError
	_, err := f.Chat().Send(t.Context(), "room:r", "hi", "")
	if !errors.As(err, &api) || api.Status != 422 || api.Title != "no" || api.Errors[0].Location != "body.text" || api.RetryAfter != 3*time.Second {
		t.Errorf("%v, %+v", err, api)
	}
	// A lobby ends a socket for a request that is too long: it is not made.
	if _, err := f.Chat().Send(t.Context(), "room:r", strings.Repeat("x", maxRequest), ""); !errors.Is(err, errRequest) {
		t.Errorf("a long one: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Ticket(ctx, "t1"); !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
	_ = f.Close()
	if _, err := f.Ticket(t.Context(), "t1"); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestWhoCannotBeWatchedNowIsWatchedWhenTheLobbySays(t *testing.T) {
	s, l := startFeed(t)
	f := follow(t, l, LiveOptions{})
	f.mu.Lock()
	f.watched = []string{"bob"}
	f.mu.Unlock()
	listen(t, f)
	_ = s.next().ws.CloseNow()
	c := s.next()
	m := c.wants(watchPresence)
	c.say(`{"re":%v,"error":{"status":429,"retry_after":1}}`, m["n"])
	m = c.wants(watchPresence)
	if fmt.Sprint(m["body"]) != "map[players:[bob]]" {
		t.Errorf("watches %v", m["body"])
	}
	c.say(`{"re":%v,"ok":{"watched":1}}`, m["n"])
}

// Whoever was asked to watch last is watched, also where a list from before is sent after that.
func TestAnOlderListOfWatchedPlayersDoesNotStay(t *testing.T) {
	for about, newest := range map[string][]string{"others": {"carol"}, "nobody": nil, "the same": {"bob"}} {
		s, l := startFeed(t)
		f := follow(t, l, LiveOptions{})
		listen(t, f)
		c := s.next()
		f.mu.Lock()
		live := f.live
		f.watched = newest // by Watch, whose request went before this one
		f.mu.Unlock()
		q, players, err := f.watchAgain(live, []string{"bob"})
		if err != nil || !slices.Equal(players, newest) {
			t.Fatalf("%s: %v are watched, %v", about, players, err)
		}
		sent := []string{fmt.Sprint([]string{"bob"})}
		if about != "the same" {
			sent = append(sent, fmt.Sprint(newest))
		}
		var last map[string]any
		for _, want := range sent {
			last = c.wants(watchPresence)
			if got := fmt.Sprint(last["body"]); got != "map[players:"+want+"]" {
				t.Errorf("%s: asked with %s, want %s", about, got, want)
			}
		}
		c.say(`{"re":%v,"ok":{"watched":1}}`, last["n"])
		if _, err := q.answer(t.Context()); err != nil {
			t.Errorf("%s: the last request's answer: %v", about, err)
		}
	}
}

func TestAConfirmationThatCountedIsNoErrorWhenItIsMadeAgain(t *testing.T) {
	const refused = `{"re":%v,"error":{"status":409,"title":"Conflict","detail":"the ticket has no match to confirm now"}}`
	for name, test := range map[string]struct {
		accept bool
		ticket string // what the lobby says of it then
		ok     bool
	}{
		"accepted, matched":               {true, `"ok":{"state":"matched"}`, true},
		"accepted, counted":               {true, `"ok":{"state":"confirming","confirm":{"mine":true}}`, true},
		"accepted, asked anew":            {true, `"ok":{"state":"confirming","confirm":{"mine":false}}`, false},
		"accepted, out":                   {true, `"ok":{"state":"cancelled"}`, false},
		"accepted, waiting":               {true, `"ok":{"state":"waiting"}`, false},
		"declined, out":                   {false, `"ok":{"state":"cancelled"}`, true},
		"declined, matched":               {false, `"ok":{"state":"matched"}`, false},
		"declined, the ticket is unknown": {false, `"error":{"status":404,"title":"no"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := startFeed(t)
			f := follow(t, l, LiveOptions{})
			listen(t, f)
			c := s.next()
			got := make(chan error, 1)
			go func() { got <- f.ConfirmTicket(t.Context(), "t1", test.accept) }()
			c.wants("ticket.confirm")
			_ = c.ws.CloseNow() // before the answer
			c = s.next()
			c.say(refused, c.wants("ticket.confirm")["n"])
			c.say(`{"re":%v,`+test.ticket+`}`, c.wants("ticket.get")["n"])
			err := <-got
			api := (*APIError)(nil)
			if test.ok != (err == nil) || err != nil && (!errors.As(err, &api) || api.Status != 409) {
				t.Errorf("answered %v", err)
			}
		})
	}
	// What is refused at once has not counted: nobody asks.
	s, l := startFeed(t)
	f := follow(t, l, LiveOptions{})
	listen(t, f)
	c := s.next()
	go func() { c.say(refused, c.wants("ticket.confirm")["n"]) }()
	api := (*APIError)(nil)
	if err := f.ConfirmTicket(t.Context(), "t1", true); !errors.As(err, &api) || api.Status != 409 {
		t.Errorf("on the first socket: %v", err)
	}
}

func TestAFeedSaysThatItsSocketIsLost(t *testing.T) {
	s, l := startFeed(t)
	told := make(chan error, 8)
	f := follow(t, l, LiveOptions{Lost: func(err error) { told <- err }})
	listen(t, f)
	if err := f.Lost(); err != nil {
		t.Errorf("at first: %v", err)
	}
	s.mu.Lock()
	s.refuse = []int{503}
	s.mu.Unlock()
	s.next().say(`{"bye":{"code":4002,"reason":"leaving"}}`)
	var ce *CloseError
	if err := <-told; !errors.As(err, &ce) || ce.Code != 4002 {
		t.Errorf("told %v", err)
	}
	s.next()
	if err := <-told; err != nil || f.Lost() != nil {
		t.Errorf("with the next socket: told %v, %v", err, f.Lost())
	}
}

func TestAnEventsValueIsOfItsKindsType(t *testing.T) {
	for kind, want := range map[string]any{
		"ticket": &Ticket{ID: "i"}, "party": &PartyNews{ID: "i"}, "group": &GroupNews{ID: "i"}, "chat": &ChatMessage{ID: "i"},
		"notification": &Notification{ID: "i"}, "mute": &RoomMuting{Channel: "c"}, "x.score": nil, "of a later version": nil,
	} {
		e := LiveEvent{Kind: kind, Body: json.RawMessage(`{"id":"i","channel":""}`)}
		if kind == "mute" {
			e.Body = json.RawMessage(`{"channel":"c"}`)
		}
		if got, err := e.Value(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
		e.Body = json.RawMessage(`null`)
		if got, err := e.Value(); got != nil || err != nil {
			t.Errorf("%s that could not be written: %+v, %v", kind, got, err)
		}
		e.Body = json.RawMessage(`[7]`)
		if got, err := e.Value(); slices.Contains([]string{"x.score", "of a later version"}, kind) != (err == nil) || got != nil {
			t.Errorf("%s with another body: %+v, %v", kind, got, err)
		}
	}
}

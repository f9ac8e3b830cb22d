package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/lobby/chat"
	"muster/lobby/party"
	"muster/proto"
)

// The lobby describes itself, and keeps the description as a golden file. The client's types and requests are held
// against it here, so that neither can change alone.

type (
	openAPI struct {
		Paths      map[string]map[string]apiOperation `json:"paths"`
		Components struct {
			Schemas map[string]*apiSchema `json:"schemas"`
		} `json:"components"`
	}
	apiOperation struct {
		ID         string `json:"operationId"`
		Parameters []struct {
			In   string `json:"in"`
			Name string `json:"name"`
		} `json:"parameters"`
		Body      apiContent            `json:"requestBody"`
		Responses map[string]apiContent `json:"responses"`
	}
	apiContent struct {
		Content map[string]struct {
			Schema *apiSchema `json:"schema"`
		} `json:"content"`
	}
	apiSchema struct {
		Ref        string                `json:"$ref"`
		Type       any                   `json:"type"` // a text or a list of them
		Format     string                `json:"format"`
		Properties map[string]*apiSchema `json:"properties"`
		Required   []string              `json:"required"`
		Items      *apiSchema            `json:"items"`
		Additional any                   `json:"additionalProperties"` // a schema or false
	}
)

func (s *apiSchema) is(t string) bool {
	switch v := s.Type.(type) {
	case string:
		return v == t
	case []any:
		return slices.Contains(v, any(t))
	}
	return false
}

func (s *apiSchema) name() string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }

func (c apiContent) schema() *apiSchema {
	if m, ok := c.Content["application/json"]; ok {
		return m.Schema
	}
	return nil
}

func theAPI(t *testing.T) *openAPI {
	t.Helper()
	b, err := os.ReadFile("../lobby/testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var api openAPI
	if err := json.Unmarshal(b, &api); err != nil {
		t.Fatal(err)
	}
	for _, s := range api.Components.Schemas {
		delete(s.Properties, "$schema")
	}
	return &api
}

// theTypes are the client's types of the description's schemas. The other schemas have one field, and stand where they are
// used: TestRequestsAreThoseOfTheDescription looks at them.
var theTypes = map[string]reflect.Type{
	"ChangeRoomInputBody": reflect.TypeFor[RoomChange](), "Confirm": reflect.TypeFor[Confirm](),
	"CreateRoomInputBody": reflect.TypeFor[NewRoom](), "Event": reflect.TypeFor[LiveEvent](), "Events": reflect.TypeFor[Inbox](),
	"ErrorDetail": reflect.TypeFor[FieldError](), "Explanation": reflect.TypeFor[Explanation](), "GameRating": reflect.TypeFor[GameRating](),
	"Group": reflect.TypeFor[Group](), "GroupMember": reflect.TypeFor[GroupMember](), "GuestOutputBody": reflect.TypeFor[Guest](),
	"History": reflect.TypeFor[ChatHistory](), "MadeRoom": reflect.TypeFor[MadeRoom](), "Match": reflect.TypeFor[Match](),
	"MatchesOutputBody": reflect.TypeFor[MatchList](), "Me": reflect.TypeFor[Me](), "MemberWish": reflect.TypeFor[MemberWish](),
	"Message": reflect.TypeFor[ChatMessage](), "NewTicket": reflect.TypeFor[NewTicket](), "Notified": reflect.TypeFor[Notified](),
	"Muted": reflect.TypeFor[mutedPlayer](), "MuteInputBody": reflect.TypeFor[roomMute](),
	"NotifyBody": reflect.TypeFor[NewNotification](), "OtherPlayer": reflect.TypeFor[otherPlayer](), "Party": reflect.TypeFor[Party](),
	"PartyMember": reflect.TypeFor[PartyMember](), "Placement": reflect.TypeFor[proto.Placement](),
	"Published": reflect.TypeFor[Published](), "PublishBody": reflect.TypeFor[publish](), "PublishEvent": reflect.TypeFor[publishEvent](),
	"PlayedMatch": reflect.TypeFor[PlayedMatch](), "Player": reflect.TypeFor[Player](), "PutMeInputBody": reflect.TypeFor[Profile](),
	"Queue": reflect.TypeFor[Queue](), "RatingChange": reflect.TypeFor[RatingChange](), "Result": reflect.TypeFor[Result](),
	"ReplayControl": reflect.TypeFor[ReplayControl](), "ReplayMark": reflect.TypeFor[ReplayMark](),
	"ReplaySession": reflect.TypeFor[ReplaySession](), "ReplayState": reflect.TypeFor[ReplayState](),
	"RoomInfo": reflect.TypeFor[RoomInfo](), "RoomList": reflect.TypeFor[RoomList](), "RuleEffect": reflect.TypeFor[RuleEffect](),
	"Ticket": reflect.TypeFor[Ticket](), "Waits": reflect.TypeFor[Waits](),
}

type jsonField struct {
	typ      reflect.Type
	optional bool
}

func jsonFields(t reflect.Type) map[string]jsonField {
	list := map[string]jsonField{}
	for _, f := range reflect.VisibleFields(t) {
		tag := strings.Split(f.Tag.Get("json"), ",")
		if f.Anonymous || tag[0] == "-" {
			continue
		}
		list[tag[0]] = jsonField{f.Type, slices.Contains(tag, "omitempty") || slices.Contains(tag, "omitzero")}
	}
	return list
}

// fits says what is wrong with a Go type for a schema, or "".
func fits(t reflect.Type, s *apiSchema) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	ok := false
	switch {
	case s.Ref != "":
		ok = theTypes[s.name()] == t
	case s.is("array"):
		if t.Kind() == reflect.Slice {
			return fits(t.Elem(), s.Items)
		}
	case s.is("string") && s.Format == "date-time":
		ok = t == reflect.TypeFor[time.Time]()
	case s.is("string"):
		ok = t.Kind() == reflect.String
	case s.is("boolean"):
		ok = t.Kind() == reflect.Bool
	case s.is("integer"):
		ok = t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
	case s.is("number"):
		ok = t.Kind() == reflect.Float64
	case s.is("object"):
		ok = t.Kind() == reflect.Map
	case s.Type == nil: // anything
		ok = t.Kind() == reflect.Interface || t == reflect.TypeFor[json.RawMessage]()
	}
	if !ok {
		return fmt.Sprintf("a %s is no %v %s%s", t, s.Type, s.Format, s.Ref)
	}
	return ""
}

func TestTypesAreThoseOfTheDescription(t *testing.T) {
	api := theAPI(t)
	for name, typ := range theTypes {
		s := api.Components.Schemas[name]
		if s == nil {
			t.Errorf("%s: the description has no %s", typ, name)
			continue
		}
		fields := jsonFields(typ)
		if got, want := slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, want) {
			t.Errorf("%s has the fields %v, %s has %v", typ, got, name, want)
			continue
		}
		for field, f := range fields {
			if wrong := fits(f.typ, s.Properties[field]); wrong != "" {
				t.Errorf("%s.%s: %s", name, field, wrong)
			}
			lists := name == "RoomList" || name == "ErrorDetail" // a list that is there and may be null; an error's parts
			if must := slices.Contains(s.Required, field); must == f.optional && !lists {
				t.Errorf("%s.%s: required is %v, and the client may leave it out: %v", name, field, must, f.optional)
			}
		}
	}
	for name, s := range api.Components.Schemas {
		// What only operators ask for, the client has not. OpenReplayInputBody stands where it is used.
		if theTypes[name] == nil && len(s.Properties) > 1 && !strings.HasPrefix(name, "Admin") && name != "OpenReplayInputBody" && name != "Ordered" && name != "ErrorModel" {
			t.Errorf("the client has no %s", name)
		}
	}
}

// What is in an inbox is not in the description: it is held against what the lobby writes there.
func TestEventsAreThoseThatTheLobbyWrites(t *testing.T) {
	for ours, theirs := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[PartyNews]():   reflect.TypeFor[party.Event](),
		reflect.TypeFor[GroupNews]():   reflect.TypeFor[chat.Invitation](),
		reflect.TypeFor[RoomMuting]():  reflect.TypeFor[chat.Muting](),
		reflect.TypeFor[ChatMessage](): reflect.TypeFor[chat.Message](),
	} {
		if a, b := slices.Sorted(maps.Keys(jsonFields(ours))), slices.Sorted(maps.Keys(jsonFields(theirs))); !slices.Equal(a, b) {
			t.Errorf("%s has %v, %s has %v", ours, a, theirs, b)
		}
	}
}

// sample makes a value of a schema.
func (api *openAPI) sample(s *apiSchema) any {
	if s.Ref != "" {
		s = api.Components.Schemas[s.name()]
	}
	switch {
	case s.Properties != nil:
		o := map[string]any{}
		for name, p := range s.Properties {
			o[name] = api.sample(p)
		}
		return o
	case s.is("array"):
		return []any{api.sample(s.Items)}
	case s.Format == "date-time":
		return "2030-01-02T03:04:05Z"
	case s.is("string"):
		return "text"
	case s.is("boolean"):
		return true
	case s.is("integer"):
		return 7
	case s.is("number"):
		return 0.5
	case s.is("object"):
		one := map[string]any{}
		b, _ := json.Marshal(s.Additional)
		var each apiSchema
		if json.Unmarshal(b, &each) == nil {
			one["key"] = api.sample(&each)
		}
		return one
	}
	return map[string]any{"any": "thing"}
}

// operation finds what a request is.
func (api *openAPI) operation(method, path string) (string, *apiOperation) {
	parts := strings.Split(path, "/")
	for template, methods := range api.Paths {
		want := strings.Split(template, "/")
		same := slices.EqualFunc(parts, want, func(a, b string) bool { return a == b || strings.HasPrefix(b, "{") && a != "" })
		if o, ok := methods[strings.ToLower(method)]; ok && same {
			return template, &o
		}
	}
	return "", nil
}

// describedLobby answers each request with a sample of what the description says, and notes which were made.
func describedLobby(t *testing.T, asked map[string]bool) *Lobby {
	api := theAPI(t)
	return startLobby(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		template, o := api.operation(r.Method, r.URL.EscapedPath())
		if o == nil {
			t.Errorf("the description has no %s %s", r.Method, r.URL)
			reply(w, 404, `{}`)
			return
		}
		asked[o.ID] = true
		may := map[string]bool{}
		for _, p := range o.Parameters {
			may[p.In+" "+p.Name] = true
		}
		for name := range r.URL.Query() {
			if !may["query "+name] {
				t.Errorf("%s %s has no %s", r.Method, template, name)
			}
		}
		if may["header Idempotency-Key"] != (r.Header.Get("Idempotency-Key") != "") {
			t.Errorf("%s %s: Idempotency-Key %q", r.Method, template, r.Header.Get("Idempotency-Key"))
		}
		api.checkBody(t, r, o)
		for status, c := range o.Responses {
			if status[0] != '2' {
				continue
			}
			var code int
			_, _ = fmt.Sscan(status, &code)
			if s := c.schema(); s != nil {
				b, err := json.Marshal(api.sample(s))
				if err != nil {
					t.Error(err)
				}
				reply(w, code, string(b))
			} else {
				w.WriteHeader(code)
			}
			return
		}
	}))
}

func (api *openAPI) checkBody(t *testing.T, r *http.Request, o *apiOperation) {
	s := o.Body.schema()
	if s == nil {
		if r.ContentLength != 0 {
			t.Errorf("%s takes no body", o.ID)
		}
		return
	}
	if s.Ref != "" {
		s = api.Components.Schemas[s.name()]
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Errorf("%s: %v", o.ID, err)
	}
	for name := range body {
		if s.Properties[name] == nil {
			t.Errorf("%s has no %s", o.ID, name)
		}
	}
	for _, name := range s.Required {
		if _, ok := body[name]; !ok && name != "$schema" {
			t.Errorf("%s wants %s", o.ID, name)
		}
	}
}

func TestRequestsAreThoseOfTheDescription(t *testing.T) {
	asked := map[string]bool{}
	l, ctx := describedLobby(t, asked), t.Context()
	check := func(what string, err error, full ...any) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for _, v := range full { // each field of a sample is set
			if reflect.ValueOf(v).IsZero() {
				t.Errorf("%s: nothing in %T", what, v)
			}
		}
	}
	for _, ask := range []func(context.Context, *Lobby, checker){askTickets, askRooms, askParties, askPlayers, askChat, askReplays} {
		ask(ctx, l, check)
	}
	for path, methods := range theAPI(t).Paths {
		for method, o := range methods {
			if !asked[o.ID] && !strings.HasPrefix(path, "/v1/admin/") && o.ID != "get-replay" && o.ID != "open-replay-file" { // operators', and of files: muster replay's
				t.Errorf("the client has no call for %s %s (%s)", method, path, o.ID)
			}
		}
	}
}

// checker looks at what a call returned.
type checker func(what string, err error, full ...any)

func askTickets(ctx context.Context, l *Lobby, check checker) {
	g, err := l.Guest(ctx, "alice")
	check("guest", err, g.Token, g.Player, g.Expires)
	_, err = l.FreshToken(ctx)
	check("renew", err)
	k, err := l.Queue(ctx, NewTicket{
		Queue: "arena", Attributes: map[string]any{"a": 1}, Latency: map[string]float64{"eu": 1}, MaxLatency: 1, MaxSpread: 1,
		Roles: []string{"tank"}, NewOnly: true, Party: true, Members: map[string]MemberWish{"bob": {Roles: []string{"x"}}},
	})
	check("queue", err, k.ID, k.Players, k.Confirm, k.Match, k.Reason)
	k, err = l.Ticket(ctx, "t1")
	check("ticket", err, k.Created)
	e, err := l.Explain(ctx, "t1")
	check("explain", err, e.Text, e.Rules[0].Widens, e.Expected)
	check("confirm", l.ConfirmTicket(ctx, "t1", true))
	check("cancel", l.CancelTicket(ctx, "t1"))
	q, err := l.Queues(ctx)
	check("queues", err, q[0].Name, q[0].Expected[0].P90)
}

func askRooms(ctx context.Context, l *Lobby, check checker) {
	rooms := l.Rooms()
	public, title := true, "t"
	list, err := rooms.List(ctx, RoomFilter{Game: "arena", Region: "eu", Tags: map[string]string{"a": "b"}, OpenSeats: 1, Limit: 2, Cursor: "c"})
	check("list", err, list.Rooms[0].ID, list.Next)
	made, err := rooms.Create(ctx, NewRoom{
		Game: "arena", Config: map[string]int{"bots": 8}, Title: "t", Public: true, Region: "eu", Seats: 4,
		Tags: map[string]string{"a": "b"}, On: map[string]string{"disk": "fast"},
	})
	check("create", err, made.Match.Token, made.Room.Code)
	info, err := rooms.Get(ctx, "r1")
	check("get", err, info.Tags)
	info, err = rooms.Change(ctx, "r1", RoomChange{Public: &public, Title: &title, Tags: map[string]string{"a": "b"}})
	check("change", err, info.Seats)
	check("close", rooms.Close(ctx, "r1"))
	for what, f := range map[string]func() (Match, error){
		"join": func() (Match, error) { return rooms.Join(ctx, "r1") }, "code": func() (Match, error) { return rooms.JoinCode(ctx, "BCDFGH") },
		"named":    func() (Match, error) { return rooms.JoinNamed(ctx, "canvas", "a b") },
		"spectate": func() (Match, error) { return rooms.Spectate(ctx, "r1") }, "rejoin": func() (Match, error) { return l.Rejoin(ctx, "r1") },
	} {
		m, err := f()
		check(what, err, m)
	}
}

func askParties(ctx context.Context, l *Lobby, check checker) {
	parties := l.Parties()
	check("invite", parties.Invite(ctx, "p1", "bob"))
	check("leave", parties.Leave(ctx, "p1"))
	for what, f := range map[string]func() (Party, error){
		"create": func() (Party, error) { return parties.Create(ctx, 4) }, "mine": func() (Party, error) { return parties.Mine(ctx) },
		"get": func() (Party, error) { return parties.Get(ctx, "p1") }, "join": func() (Party, error) { return parties.Join(ctx, "p1") },
		"by code": func() (Party, error) { return parties.JoinCode(ctx, "ABCDEF") },
		"renew":   func() (Party, error) { return parties.RenewCode(ctx, "p1") },
		"ready":   func() (Party, error) { return parties.Ready(ctx, "p1", true) },
		"promote": func() (Party, error) { return parties.Promote(ctx, "p1", "bob") },
	} {
		p, err := f()
		check(what, err, p.ID, p.Members, p.Version)
	}
	check("kick", parties.Kick(ctx, "p1", "bob"))
}

func askPlayers(ctx context.Context, l *Lobby, check checker) {
	me, err := l.Me(ctx)
	check("me", err, me.ID, me.Watch, me.Tickets, me.Ratings)
	me, err = l.SetProfile(ctx, Profile{About: "a", Avatar: "https://x", Country: "NO", Status: "s", Watch: "party"})
	check("profile", err, me.About)
	p, err := l.Player(ctx, "bob")
	check("player", err, p.ID)
	m, err := l.Matches(ctx, "1-0", 5)
	check("matches", err, m.Next, m.Matches[0].Rating)
	r, err := l.Result(ctx, "r1")
	check("result", err, r.Placements, r.Started)
	b, err := l.Blocked(ctx)
	check("blocked", err, b)
	check("block", l.Block(ctx, "bob", true))
	check("unblock", l.Block(ctx, "bob", false))
	muted, err := l.Muted(ctx)
	check("muted", err, muted)
	check("mute", l.Mute(ctx, "bob", true))
	check("unmute", l.Mute(ctx, "bob", false))
	check("delete", l.DeleteMe(ctx))
}

func askChat(ctx context.Context, l *Lobby, check checker) {
	chat := l.Chat()
	s, err := chat.Send(ctx, "party:p1", "hello", "")
	check("send", err, s.ID, s.At)
	h, err := chat.History(ctx, "direct:bob", "1-0", 10)
	check("history", err, h.Next, h.Messages[0].Text)
	g, err := chat.CreateGroup(ctx, "g")
	check("group", err, g.ID, g.Members)
	g, err = chat.Group(ctx, "g1")
	check("get group", err, g)
	g, err = chat.JoinGroup(ctx, "g1")
	check("join group", err, g)
	check("invite to group", chat.InviteToGroup(ctx, "g1", "bob"))
	check("leave group", chat.LeaveGroup(ctx, "g1"))
	until, err := chat.MuteInRoom(ctx, "r1", "bob", 10, "enough")
	check("mute in a room", err, until)
	check("unmute in a room", chat.UnmuteInRoom(ctx, "r1", "bob"))
	in, err := l.Inbox(ctx, "1-0/1-0", 5, time.Second)
	check("inbox", err, in.Events, in.Missed)
	n, err := l.Notify(ctx, NewNotification{To: "all", Players: []string{"a"}, Kind: "k", Title: "t", Body: "b", Data: 1})
	check("notify", err, n)
	b := l.Backend()
	p, err := b.Feed(ctx, "r1", "k", map[string]int{"Score": 3})
	check("feed", err, p.ID, p.State)
	p, err = b.Emit(ctx, "r1", "k", RoomEvent{Type: "Hit", Fields: map[string]int{"By": 1}, Player: "a", Team: 1})
	check("emit", err, p.ID, p.State)
	p, err = b.Tell(ctx, "party:p", "", PlayerEvent{Kind: "x.score", Body: 1, Keep: true})
	check("tell", err, p.ID, p.State, p.To)
}

func askReplays(ctx context.Context, l *Lobby, check checker) {
	replays, tick, paused := l.Replays(), int64(0), false
	s, err := replays.Open(ctx, "m1", "seat:1")
	check("open", err, s.ID, s.Marks, s.Key, s.Match, s.Seat().Room, s.Seat().URL, s.Seat().Token)
	s, err = replays.Watch(ctx, "r1")
	check("watch", err, s.ID, s.Token)
	now, err := replays.Get(ctx, "r1")
	check("state", err, now.To, now.HashTick, now.Proof)
	now, err = replays.Control(ctx, "r1", ReplayControl{Tick: &tick, Paused: &paused, Speed: 2, Key: "k"})
	check("control", err, now.Speed, now.Target)
	check("close", replays.Close(ctx, "r1"))
}

package lobby_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/joincode"
	"muster/match/cluster"
)

// round is what rooms of the tests' game may be made with.
type round struct {
	Seconds int      `json:"seconds" minimum:"10" maximum:"180"`
	Mode    string   `json:"mode" enum:"ctf,dm"`
	Maps    []string `json:"maps" maxItems:"3"`
	Wind    struct {
		X float64 `json:"x"`
	} `json:"wind"`
}

func checkRound(config []byte) error {
	if strings.Contains(string(config), `"seconds":13`) {
		return errors.New("seconds is 13, which brings bad luck")
	}
	return nil
}

func withConfigs(c *lobby.Config) {
	c.Games = []lobby.Game{
		{Name: "arena", Rules: "7", Seats: 16, Config: round{}, CheckConfig: checkRound}, {Name: "chess", Rules: "1", Seats: 2},
	}
}

var everyGame = cluster.Node{ID: "n1", URL: "http://n1.example", Games: map[string]string{"arena": "7", "chess": "1"}}

func TestConfigOfARoomIsWhatItsGameTakes(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, withConfigs)
	defer p.Close()
	defer join(t, rdb, everyGame)()
	for config, kept := range map[string]string{
		`{"mode":"ctf","seconds":120}`:         `{"seconds":120,"mode":"ctf","maps":null,"wind":{"x":0}}`,
		`{ "wind" : {"x":1.5}, "maps":["a"] }`: `{"seconds":0,"mode":"","maps":["a"],"wind":{"x":1.5}}`,
		`{}`:                                   `{"seconds":0,"mode":"","maps":null,"wind":{"x":0}}`,
		`{"maps":["<script>","\u0000","日\n","\u202e"]}`:  "",
		`{"maps":["<script>","日\n","\u202e"],"wind":{}}`: `{"seconds":0,"mode":"","maps":["\u003cscript\u003e","日\n","` + "\u202e" + `"],"wind":{"x":0}}`,
	} {
		a := p.post("a"+cluster.NewID(), "/v1/rooms", `{"game":"arena","config":`+config+`}`)
		if kept == "" {
			wantProblem(t, a, http.StatusUnprocessableEntity, "body.config.maps")
			continue
		}
		m := want[made](t, a, http.StatusCreated)
		rec, err := cluster.NewDirectory(rdb, ns).Room(t.Context(), m.Room.ID)
		must(t, err)
		if string(rec.Config) != kept {
			t.Errorf("of config %s is kept %s, want %s", config, rec.Config, kept)
		}
	}
	rec, err := cluster.NewDirectory(rdb, ns).Room(t.Context(), p.makeRoom("bob", "").Room.ID)
	must(t, err)
	if rec.Config != nil {
		t.Errorf("without a config is kept %s", rec.Config)
	}
	long := strings.Repeat("x", 4100)
	for body, field := range map[string]string{
		`"arena","config":{"seconds":9}`:                        "body.config.seconds",
		`"arena","config":{"seconds":181}`:                      "body.config.seconds",
		`"arena","config":{"seconds":1.5}`:                      "body.config.seconds",
		`"arena","config":{"seconds":1e400}`:                    "body",
		`"arena","config":{"seconds":13}`:                       "body.config",
		`"arena","config":{"mode":"*"}`:                         "body.config.mode",
		`"arena","config":{"Seconds":20}`:                       "body.config.Seconds",
		`"arena","config":{"wind":{"x":0,"y":0}}`:               "body.config.wind.y",
		`"arena","config":{"__proto__":{"admin":true}}`:         "body.config.__proto__",
		`"arena","config":{"seconds":20,"Seconds":500}`:         "body.config.Seconds",
		`"arena","config":null`:                                 "body.config",
		`"arena","config":[]`:                                   "body.config",
		`"arena","config":"{}"`:                                 "body.config",
		`"arena","config":{"maps":["` + long + `"]}`:            "body.config",
		`"arena","config":` + strings.Repeat("[", 3000) + `"x"`: "body",
		`"chess","config":{}`:                                   "body.config",
		`"chess","config":{"seconds":20}`:                       "body.config",
	} {
		a := p.post("a"+cluster.NewID(), "/v1/rooms", `{"game":`+body+`}`)
		if a.status == http.StatusBadRequest && field == "body" {
			continue
		}
		if got := wantProblem(t, a, http.StatusUnprocessableEntity, field); len(a.body) > 600 {
			t.Errorf("%.60s: the error repeats much of the request: %.700s", body, got.Detail)
		}
	}
}

func TestGameWhoseConfigHasNoSchemaIsRefusedAtTheStart(t *testing.T) {
	_, err := lobby.New(lobby.Config{
		Redis: testredis.Embedded(t), Namespace: ns, Keys: testKeys(t),
		Games: []lobby.Game{{Name: "arena", Rules: "7", Seats: 1, Config: struct {
			Seconds int `json:"seconds" minimum:"ten"`
		}{}}},
	})
	if err == nil || !strings.Contains(err.Error(), "arena") {
		t.Errorf("got %v, want an error that names the game", err)
	}
}

func TestMalformedRequestsAboutRoomsAreRefusedAndTheFieldIsNamed(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, withConfigs)
	defer p.Close()
	p.serve()
	defer join(t, rdb, everyGame)()
	long := strings.Repeat("x", 5000)
	var nine []string
	for i := range 9 {
		nine = append(nine, fmt.Sprintf(`"t%d":"v"`, i))
	}
	made := func(more string) request {
		return request{method: "POST", path: "/v1/rooms", body: `{"game":"arena"` + more + `}`}
	}
	get := func(path string) request { return request{method: "GET", path: path} }
	post := func(path string) request { return request{method: "POST", path: path} }
	for i, c := range []struct {
		name   string
		r      request
		status int
		field  string
	}{
		{"an unknown field", made(`,"admin":true`), 422, "body.admin"},
		{"a prototype", made(`,"__proto__":{}`), 422, "body.__proto__"},
		{"an owner", made(`,"owner":"bob"`), 422, "body.owner"},
		{"a code of one's own", made(`,"code":"BCDF23"`), 422, "body.code"},
		{"no game", request{method: "POST", path: "/v1/rooms", body: `{}`}, 422, "body"},
		{"a game that is none", request{method: "POST", path: "/v1/rooms", body: `{"game":"none"}`}, 404, ""},
		{"a game that is a pattern", request{method: "POST", path: "/v1/rooms", body: `{"game":"*"}`}, 422, "body.game"},
		{"a game with a brace", request{method: "POST", path: "/v1/rooms", body: `{"game":"a}:x"}`}, 422, "body.game"},
		{"a body of 9 KB", made(`,"title":"` + long + long + `"`), 413, ""},
		{"a body of 1 MB", made(`,"title":"` + strings.Repeat("x", 1<<20) + `"`), 413, ""},
		{"a long title", made(`,"title":"` + long + `"`), 422, "body.title"},
		{"a title of 99 bytes", made(`,"title":"` + strings.Repeat("日", 33) + `"`), 422, "body.title"},
		{"a title with a newline", made(`,"title":"a\nb"`), 422, "body.title"},
		{"a title with CRLF", made(`,"title":"a\r\nSet-Cookie: x"`), 422, "body.title"},
		{"a title with NUL", made(`,"title":"a\u0000"`), 422, "body.title"},
		{"a title that turns text around", made(`,"title":"a\u202eb"`), 422, "body.title"},
		{"a title with a line separator", made(`,"title":"a\u2028b"`), 422, "body.title"},
		{"seats above the game's", made(`,"seats":17`), 422, "body.seats"},
		{"seats of a negative number", made(`,"seats":-1`), 422, "body.seats"},
		{"seats of a huge number", made(`,"seats":99999999999999999999`), 422, "body.seats"},
		{"seats in words", made(`,"seats":"all"`), 422, "body.seats"},
		{"a region with a brace", made(`,"region":"eu}"`), 422, "body.region"},
		{"another spelling", made(`,"Seats":99999`), 422, "body.Seats"},
		{"two spellings", made(`,"seats":2,"SEATS":99999`), 422, "body.SEATS"},
		{"nine tags in two lists", made(`,"tags":{` + strings.Join(nine[:5], ",") + `},"tags":{` + strings.Join(nine[5:], ",") + `}`), 400, "body"},
		{"nine tags", made(`,"tags":{` + strings.Join(nine, ",") + `}`), 422, "body.tags"},
		{"a tag of 5 KB", made(`,"tags":{"a":"` + long + `"}`), 422, "body.tags.a"},
		{"a tag's name of 5 KB", made(`,"tags":{"` + long + `":"a"}`), 422, "body.tags"},
		{"a tag that is a prototype", made(`,"tags":{"__proto__":"a"}`), 422, "body.tags"},
		{"a tag that is empty", made(`,"tags":{"a":""}`), 422, "body.tags.a"},
		{"a tag with ESC", made(`,"tags":{"a":"\u001b[31m"}`), 422, "body.tags.a"},
		{"a tag that is a list", made(`,"tags":{"a":["b"]}`), 422, "body.tags.a"},
		{"a room of capitals", get("/v1/rooms/" + strings.Repeat("A", 26)), 422, "path.id"},
		{"a room that is a pattern", post("/v1/rooms/*/join"), 422, "path.id"},
		{"a room with a brace", post("/v1/rooms/a%7db/spectate"), 422, "path.id"},
		{"a code of five", post("/v1/codes/BCDF2/join"), 422, "path.code"},
		{"a code that is a pattern", post("/v1/codes/BCDF2*/join"), 422, "path.code"},
		{"a code with a brace", post("/v1/codes/BCDF2%7d/join"), 422, "path.code"},
		{"a long code", post("/v1/codes/" + long + "/join"), 422, "path.code"},
		{"a limit of none", get("/v1/rooms?limit=0"), 422, "query.limit"},
		{"a limit of many", get("/v1/rooms?limit=101"), 422, "query.limit"},
		{"negative seats", get("/v1/rooms?open_seats=-1"), 422, "query.open_seats"},
		{"a tag without a value", get("/v1/rooms?tag=mode"), 422, "query.tag"},
		{"a tag of two values", get("/v1/rooms?tag=mode:a&tag=mode:b"), 422, "query.tag"},
		{"a tag of a prototype", get("/v1/rooms?tag=__proto__:a"), 422, "query.tag"},
		{"nine tags to look for", get("/v1/rooms?" + strings.Repeat("tag=a:b&", 9)), 422, "query.tag"},
		{"a cursor that is none", get("/v1/rooms?cursor=*"), 422, "query.cursor"},
		{"a cursor of another kind", get("/v1/rooms?cursor=YWJj"), 422, "query.cursor"},
		{"a long cursor", get("/v1/rooms?cursor=" + long), 422, "query.cursor"},
		{"a list of no game", get("/v1/rooms?game=*"), 404, ""},
		{"an unknown query", get("/v1/rooms?owner=alice"), 422, "query.owner"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.token = p.player(fmt.Sprint("alice", i)) // so that no limit is reached
			a := p.send(c.r)
			wantProblem(t, a, c.status, c.field)
			if len(a.body) > 800 {
				t.Errorf("the error repeats much of the request: %.900s", a.body)
			}
		})
	}
	if keys, err := rdb.Keys(t.Context(), ns+":{room:*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("rooms were made: %v, %v", keys, err)
	}
}

func TestHostileTitlesAndTagsStayWords(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, someNode)()
	for i, words := range []string{"<script>alert(1)</script>", "__proto__", "*", "a|b", "}{queue:duel", "a:b", "'; DROP TABLE x", "%n%s", "{}"} {
		player := fmt.Sprintf("%s%d", words, i)
		m := p.makeRoom(player, fmt.Sprintf(`,"public":true,"title":%q,"tags":{"a":%q}`, words, words))
		got := want[lobby.RoomInfo](t, p.get("bob"+fmt.Sprint(i), "/v1/rooms/"+m.Room.ID), 200)
		if got.Title != words || got.Tags["a"] != words {
			t.Errorf("%q came back as %+v", words, got)
		}
	}
	must(t, each(rdb, "*", func(key string) {
		if strings.ContainsAny(key, "<>|*;%'") || strings.Contains(key, "__proto__") {
			t.Errorf("a player's words are in key %q", key)
		}
	}))
}

func TestCodesCannotBeGuessed(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		places := []*place{open(t, rdb, nil), open(t, rdb, nil)}
		for _, p := range places {
			defer p.Close()
		}
		defer join(t, rdb, someNode)()
		m := places[0].makeRoom("alice", "")
		try := func(player, code string, n int) (statuses map[int]int) {
			statuses = map[int]int{}
			for i := range n {
				a := places[i%2].post(player, "/v1/codes/"+code+"/join", "")
				if statuses[a.status]++; a.status == http.StatusTooManyRequests {
					wantProblem(t, a, a.status, "")
				}
				time.Sleep(100 * time.Millisecond)
			}
			return statuses
		}
		if got := try("mallory", "BBBBBB", 30); got[404] < 9 || got[404] > 11 || got[429] != 30-got[404] {
			t.Errorf("30 guesses of a player got %v, want 10 of them answered", got)
		}
		if got := try("mallory", m.Room.Code, 1); got[429] != 1 {
			t.Errorf("a right code among too many guesses got %v", got)
		}
		if got := try("bob", m.Room.Code, 1); got[200] != 1 {
			t.Errorf("another player suffers for it: %v", got)
		}
		answered := 0
		for i := range 30 { // with an account for each few guesses, from one address
			answered += try(fmt.Sprint("m", i), "CCCCCC", 5)[404]
		}
		if answered < 40 || answered > 70 {
			t.Errorf("%d guesses from one address were answered within 15 s, want about 60", answered)
		}
		time.Sleep(time.Minute)
		if got := try("mallory", m.Room.Code, 1); got[404] != 1 { // nobody came to the room
			t.Errorf("a minute later: %v", got)
		}
	})
}

func TestCodesHaveNoLettersThatLookAlikeAndDiffer(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, someNode)()
	var codes []string
	for i := range 20 {
		m := p.makeRoom(fmt.Sprint("p", i), "")
		if len(m.Room.Code) != joincode.Len || strings.Trim(m.Room.Code, joincode.Letters) != "" || slices.Contains(codes, m.Room.Code) {
			t.Errorf("code %q after %v", m.Room.Code, codes)
		}
		codes = append(codes, m.Room.Code)
	}
}

// A code that another room has is passed over.
func TestRoomWhoseCodeIsTakenGetsAnother(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, someNode)()
	ask := func() made {
		a := p.send(request{
			method: "POST", path: "/v1/rooms", token: p.player("alice"), body: `{"game":"arena"}`, header: http.Header{"Idempotency-Key": {"k"}},
		})
		return want[made](t, a, http.StatusCreated)
	}
	first := ask() // what follows from the key is known from here on
	must(t, rdb.FlushAll(t.Context()).Err())
	defer join(t, rdb, someNode)()
	must(t, rdb.Set(t.Context(), ns+":{code:"+first.Room.Code+"}", "another", 0).Err())
	second := ask()
	if second.Room.ID != first.Room.ID || second.Room.Code == first.Room.Code {
		t.Errorf("room %s got code %s, then %s as %s", first.Room.ID, first.Room.Code, second.Room.Code, second.Room.ID)
	}
	if again := ask(); again.Room.Code != second.Room.Code {
		t.Errorf("asked again, its code is %s, was %s", again.Room.Code, second.Room.Code)
	}
	got := want[lobby.Match](t, p.post("bob", "/v1/codes/"+second.Room.Code+"/join", ""), 200)
	if got.Room != second.Room.ID {
		t.Errorf("the code leads to %s, want %s", got.Room, second.Room.ID)
	}
}

// brokenRooms fails whatever asks for a room, alone or among others.
type brokenRooms struct{}

func (brokenRooms) DialHook(next redis.DialHook) redis.DialHook { return next }

func (brokenRooms) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := fmt.Sprint(cmd.Args()...); strings.Contains(args, "{room") || strings.Contains(args, "{code:") {
			err := fmt.Errorf("WRONGTYPE secret detail of %s", cmd.Name())
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (b brokenRooms) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		one := b.ProcessHook(func(context.Context, redis.Cmder) error { return nil })
		for _, cmd := range cmds {
			if err := one(ctx, cmd); err != nil {
				return err
			}
		}
		return next(ctx, cmds)
	}
}

func TestErrorsOfRedisAboutRoomsStayInTheLog(t *testing.T) {
	rdb := testredis.Embedded(t)
	defer join(t, rdb, someNode)()
	rdb.AddHook(brokenRooms{})
	room := strings.Repeat("a", 26)
	for i, r := range []request{
		{method: "GET", path: "/v1/rooms"},
		{method: "POST", path: "/v1/rooms", body: `{"game":"arena"}`},
		{method: "GET", path: "/v1/rooms/" + room},
		{method: "PATCH", path: "/v1/rooms/" + room, body: `{"public":true}`},
		{method: "DELETE", path: "/v1/rooms/" + room},
		{method: "POST", path: "/v1/rooms/" + room + "/join"},
		{method: "POST", path: "/v1/rooms/" + room + "/rejoin"},
		{method: "POST", path: "/v1/rooms/" + room + "/spectate"},
		{method: "POST", path: "/v1/codes/BCDF23/join"},
	} {
		p := open(t, rdb, nil) // one that has logged nothing yet
		r.token = p.player(fmt.Sprint("alice", i))
		a := p.send(r)
		wantProblem(t, a, http.StatusServiceUnavailable, "")
		if lines := p.logs.FilterMessageSnippet(" failed").Len(); strings.Contains(string(a.body), "secret") || lines != 1 {
			t.Errorf("%s %s: answered %s, and %d lines were logged", r.method, r.path, a.body, lines)
		}
		p.Close()
	}
}

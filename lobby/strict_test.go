package lobby_test

import (
	"net/http"
	"strings"
	"testing"

	"muster/internal/testredis"
)

// What is looked at must be what is used: encoding/json mixes two objects of one name, and of two texts uses the last.
func TestBodyInWhichAKeyStandsTwiceIsRefused(t *testing.T) {
	p := open(t, testredis.Embedded(t), withConfigs)
	defer p.Close()
	defer join(t, p.rdb, everyGame)()
	for _, c := range [][2]string{
		{"/v1/rooms", `{"game":"arena","config":{"seconds":10,"seconds":120}}`},
		{"/v1/rooms", `{"game":"arena","config":{"wind":{"x":9},"wind":{}}}`},
		{"/v1/rooms", `{"game":"arena","tags":{"a":"1","b":"2"},"tags":{"c":"3"}}`},
		{"/v1/tickets", `{"queue":"duel","queue":"arena"}`},
		{"/v1/parties", `{"max":4,"max":5}`},
		{"/v1/groups", `{"title":"a","t\u0069tle":"b"}`},
		{"/v1/chat/direct:bob/messages", `{"text":"a","text":"b"}`},
		{"/v1/notifications", `{"to":"all","kind":"a","title":"b","data":{"x":[{"y":1,"y":2}]}}`},
		{"/v1/parties", `{"max":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`},
	} {
		a := p.post("alice", c[0], c[1])
		if c[0] == "/v1/notifications" {
			a = p.backend("feed", "POST", c[0], c[1], "", "service")
		}
		wantProblem(t, a, http.StatusBadRequest, "body")
		if len(a.body) > 1000 {
			t.Errorf("the answer to %s has %d bytes", c[1], len(a.body))
		}
	}
	if a := p.post("alice", "/v1/rooms", `{"game":"arena","config":{"wind":{"x":9}},"tags":{"a":"1","b":"1"}}`); a.status != http.StatusCreated {
		t.Errorf("a body with each key once: %d %s", a.status, a.body)
	}
}

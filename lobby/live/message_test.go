package live

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

func TestMessagesAreReadAsTheyAreWritten(t *testing.T) {
	nested := strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1)
	for _, c := range []struct {
		text string
		want request
	}{
		{`{"do":"hello"}`, request{Do: "hello"}},
		{
			` { "n" : 7 , "body" : {"a":[1,{"a":null}]} , "do" : "ticket.confirm" } `,
			request{N: 7, Do: "ticket.confirm", Body: json.RawMessage(`{"a":[1,{"a":null}]}`)},
		},
		{`{"n":4294967295,"do":"a_1"}`, request{N: 1<<32 - 1, Do: "a_1"}},
		{`{"do":"a","body":` + nested + `}`, request{Do: "a", Body: json.RawMessage(nested)}},
	} {
		text, want := c.text, c.want
		q, err := parse([]byte(text))
		if err != nil || q.N != want.N || q.Do != want.Do || string(q.Body) != string(want.Body) {
			t.Errorf("%s: %+v, %v", text, q, err)
		}
	}
}

// FuzzClientMessage holds what is read of clients to its bounds: nothing panics, errors repeat nothing, and what is
// taken is what encoding/json reads of it, once and for all.
func FuzzClientMessage(f *testing.F) {
	for _, s := range []string{
		`{"do":"hello","body":{"after":"1700000000000-5/0-0"}}`, `{"n":1,"do":"refresh","body":{"token":"x"}}`, `{"n":1,"do":"a","body":[[[]]]}`,
		`{"n":1,"n":2}`, `{"do":"a"}{}`, `{"do":"é"}`, `[]`, `{"body":{"a":{"a":1},"a":2}}`, "\xff", `{"n":1e9,"do":"a"}`, "",
		`{"n":1,"do":"presence.watch","body":{"players":["a","b"]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		q, err := parse(msg)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%d bytes are allocated for %d", grown, len(msg))
		}
		if err != nil {
			if len(err.Error()) > maxReason {
				t.Errorf("the error is long: %v", err)
			}
			return
		}
		var again struct {
			N    uint32
			Do   string
			Body json.RawMessage
		}
		if err := json.Unmarshal(msg, &again); err != nil || again.N != q.N || again.Do != q.Do || string(again.Body) != string(q.Body) {
			t.Errorf("%+v, but %+v, %v", q, again, err)
		}
		text, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if len(q.Body) > 0 && len(text) <= MaxMessage {
			if _, err := parse(text); err != nil {
				t.Errorf("what was taken is refused when it is written again: %v: %s", err, text)
			}
		}
		for _, body := range []any{&watchBody{}, &refreshBody{}} {
			_ = decode(q.Body, body) // must not panic
		}
	})
}

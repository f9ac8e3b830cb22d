package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestKeyThatStandsTwiceInAnObjectIsFoundAtAnyDepth(t *testing.T) {
	for doc, want := range map[string]error{
		`{}`: nil, `[]`: nil, `1`: nil, ` "a" `: nil, `null`: nil, `{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}`: nil, `{"a":1,"A":2}`: nil,
		`{"a":"b","b":"a"}`: nil, `["a","a"]`: nil, `{"a":["a","a"],"b":1}`: nil,
		`{"a":1,"a":1}`: ErrTwice, `[[{"b":{},"a":{"c":1,"d":[],"c":1}}]]`: ErrTwice, `{"a":{"x":1},"b":2,"a":{"y":1}}`: ErrTwice,
		`{"a":1,"\u0061":1}`: ErrTwice, `{"":1,"":1}`: ErrTwice, `{"a":[],"a":[]}`: ErrTwice,
		``: ErrNoJSON, `{`: ErrNoJSON, `{"a"}`: ErrNoJSON, `{1:1}`: ErrNoJSON, `[1,]`: ErrNoJSON, "\xff": ErrNoJSON, `}`: ErrNoJSON,
		`{}{}`: ErrMore, `1 2`: ErrMore, `{}]`: ErrMore,
	} {
		if err := Check([]byte(doc), 8); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", doc, err, want)
		}
	}
}

func TestDocumentIsRefusedThatIsDeeperThanItMayBe(t *testing.T) {
	for depth := range 20 {
		doc := strings.Repeat(`{"a":[`, depth/2) + strings.Repeat("[", depth%2) + strings.Repeat("]", depth%2) + strings.Repeat("]}", depth/2)
		if depth == 0 {
			doc = "0"
		}
		if err := Check([]byte(doc), 9); (err != nil) != (depth > 9) {
			t.Errorf("%d levels: %v", depth, err)
		}
	}
}

// What encoding/json writes has no key twice, and what is refused for one does.
func TestWhatIsWrittenFromAValueIsTaken(t *testing.T) {
	var value *rapid.Generator[any]
	value = rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return rapid.MapOfN(rapid.String(), rapid.Just[any](1), 0, 5).Draw(t, "object")
		case 1:
			return rapid.SliceOfN(value, 0, 3).Draw(t, "list")
		case 2:
			return map[string]any{"a": value.Draw(t, "a"), "b": value.Draw(t, "b")}
		}
		return rapid.String().Draw(t, "text")
	})
	rapid.Check(t, func(t *rapid.T) {
		doc, err := json.Marshal(value.Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(doc, 1000); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
		if err := Check([]byte(`{"x":`+string(doc)+`,"y":0,"x":`+string(doc)+`}`), 1000); !errors.Is(err, ErrTwice) {
			t.Errorf("%s twice: %v", doc, err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":1,"a":1}`, `[[[]]]`, `{"a":{"b":[{}]}}`, "", `{"a"`, "\xff", `{}{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if err := Check(doc, 16); err == nil && !json.Valid(doc) {
			t.Errorf("%q is taken", doc)
		}
	})
}

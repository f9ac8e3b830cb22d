package lobby

import (
	"bytes"
	"encoding/json"
	"testing"
)

// fuzzed has one field of each kind that a config may have.
type fuzzed struct {
	N    int                `json:"n" minimum:"-5" maximum:"5"`
	U    uint64             `json:"u"`
	F    float64            `json:"f" minimum:"0"`
	S    string             `json:"s" maxLength:"8" pattern:"^[a-z]*$"`
	B    bool               `json:"b"`
	List []struct{ X int8 } `json:"list" maxItems:"2"`
	In   struct {
		Deep [2]int `json:"deep"`
	} `json:"in"`
}

// What is kept of a config is within the schema's bounds, however it was written, and read again it is the same.
func FuzzConfig(f *testing.F) {
	c, err := newConfig(&Game{Name: "arena", Config: fuzzed{}})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		`{}`, `{"n":5,"u":18446744073709551615,"f":0.5,"s":"abc","b":true,"list":[{"X":1}],"in":{"deep":[1,2]}}`,
		`{"n":1,"n":500}`, `{"in":{"deep":[1,2]},"in":{}}`, `{"N":7}`, `{"s":null}`, `{"n":5.0}`, `{"n":1e0}`, `{"u":-1}`, `[`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		kept, errs := c.read(text)
		if len(errs) > 0 || kept == nil {
			return
		}
		var got fuzzed
		if err := json.Unmarshal(kept, &got); err != nil {
			t.Fatalf("of %q is kept %q: %v", text, kept, err)
		}
		if got.N < -5 || got.N > 5 || got.F < 0 || len(got.S) > 8 || len(got.List) > 2 || len(kept) > maxConfig {
			t.Errorf("of %q is kept %s", text, kept)
		}
		if again, errs := c.exact(kept); errs != nil || !bytes.Equal(again, kept) {
			t.Errorf("kept is %s, read again it is %s, %v", kept, again, errs)
		}
	})
}

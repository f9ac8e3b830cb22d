package strictjson

import (
	"encoding/json"
	"testing"
)

func TestPlainLeavesMarkupAsItIs(t *testing.T) {
	raw := json.RawMessage(`{"a":"<b>&</b>"}`)
	if got, err := Plain(struct{ X json.RawMessage }{raw}); err != nil || string(got) != `{"X":{"a":"<b>&</b>"}}` {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Plain(json.RawMessage(`{`)); err == nil {
		t.Error("what is no JSON is written")
	}
}

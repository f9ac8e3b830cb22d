package strictjson

import (
	"bytes"
	"encoding/json"
)

// Plain is a value as JSON that is not for HTML: markup stands in it as it is. json.Marshal writes six bytes for each <, >
// and &, so that what was within its bound when it came would be out of it when it goes on.
func Plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err //nolint:wrapcheck // it stands for json.Marshal
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

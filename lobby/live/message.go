package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"muster/internal/strictjson"
)

// Bounds of what a client sends.
const (
	// MaxMessage bounds a client's message, in bytes.
	MaxMessage = 8 << 10
	// maxDepth bounds how deep objects and lists stand in each other, the message itself included.
	maxDepth = 16
)

// request is a client's message.
type request struct {
	N    uint32          `json:"n"` // names the answer; 0 is none
	Do   string          `json:"do"`
	Body json.RawMessage `json:"body"`
}

var requestName = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,47}$`)

var requestFields = []string{"n", "do", "body"}

// parse reads a client's message. The error's text has nothing of the message.
func parse(msg []byte) (q request, err error) {
	if len(msg) > MaxMessage || !utf8.Valid(msg) {
		return q, errors.New("not UTF-8, or too long")
	}
	if err := strictjson.Check(msg, maxDepth); err != nil {
		return q, err //nolint:wrapcheck // it is what the client is told
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(msg, &fields); err != nil {
		return q, errors.New("not an object")
	}
	for f := range fields { // encoding/json would take them in other letters too
		if !slices.Contains(requestFields, f) {
			return q, fmt.Errorf("the fields are %v", requestFields)
		}
	}
	if err := json.Unmarshal(msg, &q); err != nil {
		return request{}, errors.New("the fields are n, a number, do, a text, and body")
	}
	if !requestName.MatchString(q.Do) {
		return request{}, errors.New("do names no request")
	}
	return q, nil
}

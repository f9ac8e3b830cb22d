package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// APIError is a lobby's refusal: its problem document (RFC 9457).
type APIError struct {
	Status     int           `json:"status"`
	Title      string        `json:"title"`
	Detail     string        `json:"detail"`
	Errors     []FieldError  `json:"errors"`
	RetryAfter time.Duration `json:"-"` // from the Retry-After header; 0 when absent
}

// FieldError names one field that was wrong.
type FieldError struct {
	Message  string `json:"message"`
	Location string `json:"location"`
	// Value is what stood there, shortened, or what Message says that it is: of a refused ticket's body.queue the id of the
	// ticket with which the player waits already, a JSON text. Nil where the lobby says none.
	Value json.RawMessage `json:"value,omitempty"`
}

// Error implements error.
func (e *APIError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "the lobby answered %d", e.Status)
	if text := e.text(); text != "" {
		s.WriteString(": " + text)
	}
	for _, f := range e.Errors {
		fmt.Fprintf(&s, "; %s: %s", f.Location, f.Message)
	}
	return s.String()
}

func (e *APIError) text() string {
	if e.Detail != "" {
		return e.Detail
	}
	return e.Title
}

// Temporary says whether the same request may succeed later: 429 and 5xx.
func (e *APIError) Temporary() bool { return temporary(e.Status) }

// maxErrorText bounds what is kept of a refusal's words, in bytes.
const maxErrorText = 300

// apiError makes an error of a refusal and its body, which need not be a problem document.
func apiError(res *http.Response, body []byte) *APIError {
	e := &APIError{}
	if json.Unmarshal(body, e) != nil {
		e = &APIError{}
	}
	e.Status = res.StatusCode
	if e.text() == "" {
		e.Title = http.StatusText(res.StatusCode)
	}
	e.Title, e.Detail = cut(e.Title), cut(e.Detail)
	e.RetryAfter = retryAfter(res.Header)
	return e
}

func cut(s string) string {
	if len(s) > maxErrorText {
		return strings.ToValidUTF8(s[:maxErrorText], "") + "…"
	}
	return s
}

// retryAfter reads the header's form in seconds, the one that Muster sends; at most one minute counts.
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s < 0 {
		return 0
	}
	return time.Duration(min(s, 60)) * time.Second
}

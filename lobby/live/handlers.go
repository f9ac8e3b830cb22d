package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"go.uber.org/zap"

	"muster/proto/token"
)

// Caller is who makes a request on a socket, and how that socket reached the server.
type Caller struct {
	Player token.Player
	Host   string // that the client asked, as the request's Host header
	Secure bool   // by TLS, see door.Secure
}

// Handler carries out a client's request. What it returns is the answer, as encoding/json writes it. An error that has a
// status, as [Problem] and huma's errors do, is told to the client; of any other the client hears that the lobby cannot
// answer now. ctx ends with the socket, and after five seconds. It runs on the socket's reader: the client's next
// request waits for it.
type Handler func(ctx context.Context, c Caller, body json.RawMessage) (any, error)

// Handlers are requests by their names, like ticket.confirm: small letters, digits, points and underscores.
type Handlers map[string]Handler

// Typed makes a handler of a function with a body of its own type. The body is read strictly, as REST does: unknown
// fields are refused, and so is what the body's own Check() error, if it has one, does not like.
func Typed[B any](f func(ctx context.Context, c Caller, body *B) (any, error)) Handler {
	return func(ctx context.Context, c Caller, raw json.RawMessage) (any, error) {
		var body B
		if err := decode(raw, &body); err != nil {
			return nil, err
		}
		return f(ctx, c, &body)
	}
}

// decode reads a body strictly; without one it is {}.
func decode(raw json.RawMessage, body any) error {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(body)
	if c, ok := body.(interface{ Check() error }); ok && err == nil {
		err = c.Check()
	}
	if err != nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Detail: "the body: " + shorten(err.Error())}
	}
	return nil
}

// maxEcho bounds what an error repeats of a request, in bytes.
const maxEcho = 120

func shorten(s string) string {
	if len(s) <= maxEcho {
		return s
	}
	return string(bytes.ToValidUTF8([]byte(s[:maxEcho]), nil)) + "…"
}

// Problem is an error as a client reads it: a problem document (RFC 9457).
type Problem struct {
	Title  string `json:"title"` // "" becomes the status's
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Errors are the details that REST has there too.
	Errors json.RawMessage `json:"errors,omitempty"`
	// RetryAfter is in how many seconds it is worth trying again; 0 is not said.
	RetryAfter int `json:"retry_after,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the status, as huma's errors do.
func (p *Problem) GetStatus() int { return p.Status }

const notNow = "the lobby cannot answer now"

// problemOf makes the answer of an error.
func problemOf(err error) *Problem {
	var own *Problem
	var status interface {
		error
		GetStatus() int
	}
	p := &Problem{Status: http.StatusServiceUnavailable, Detail: notNow, RetryAfter: 1}
	switch {
	case errors.As(err, &own):
		copied := *own
		p = &copied
	case errors.As(err, &status):
		p = &Problem{}
		if doc, err := json.Marshal(status); err == nil {
			_ = json.Unmarshal(doc, p) // what is no document leaves it empty
		}
		p.Status, p.Detail = status.GetStatus(), shorten(status.Error())
		var headers interface{ GetHeaders() http.Header }
		if errors.As(err, &headers) {
			p.RetryAfter, _ = strconv.Atoi(headers.GetHeaders().Get("Retry-After"))
		}
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	return p
}

// known says whether an error is one that clients are told.
func known(err error) bool {
	var status interface{ GetStatus() int }
	return errors.As(err, &status)
}

// call runs a handler. One that panics has failed.
func (s *Server) call(ctx context.Context, h Handler, c Caller, q *request) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a request on a socket panicked", zap.String("do", q.Do), zap.Any("panic", p), zap.Stack("stack"))
			answer, err = nil, &Problem{Status: http.StatusInternalServerError, Detail: "the server failed"}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if s.cfg.Count != nil {
		if err := s.cfg.Count(ctx, c.Player.ID); err != nil {
			return nil, err
		}
	}
	answer, err = h(ctx, c, q.Body)
	if err != nil && !known(err) && ctx.Err() == nil {
		s.log.Warn("a request on a socket failed", zap.String("do", q.Do), zap.Error(err))
	}
	return answer, err
}

package live

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/lxzan/gws"
	"go.uber.org/zap"

	"muster/lobby/inbox"
	"muster/proto"
	"muster/proto/token"
)

// receive takes one message of the client. Nothing of a malformed one is used.
func (c *conn) receive(op gws.Opcode, msg []byte) {
	within := c.allow()
	if c.ended.Load() {
		return
	}
	if op != gws.OpcodeText {
		c.Close(proto.Close{Code: proto.CodeWrongType, Reason: "binary message; only text is understood"})
		return
	}
	q, err := parse(msg)
	switch {
	case err != nil:
		c.Close(proto.Close{Code: proto.CodeBadPayload, Reason: err.Error()})
	case (q.Do == "hello") == c.greeted.Load():
		c.Close(proto.Close{Code: proto.CodeProtocol, Reason: "hello is the first message, and comes once"})
	case q.Do == "hello":
		c.hello(q.Body)
	case q.N == 0:
		c.Close(proto.Close{Code: proto.CodeBadPayload, Reason: "n is missing"})
	case !within:
		c.answer(&q, nil, &Problem{Status: http.StatusTooManyRequests, Detail: "too many messages", RetryAfter: 1})
	default:
		answer, err := c.carryOut(&q)
		c.answer(&q, answer, err)
	}
}

// hello begins what the server tells: the events after the last one that the client has.
func (c *conn) hello(raw json.RawMessage) {
	var body struct {
		After string `json:"after"`
	}
	err := decode(raw, &body)
	if err != nil || body.After != "" && !inbox.IsPlace(body.After) {
		c.Close(proto.Close{Code: proto.CodeBadPayload, Reason: "after is the id of an event, or empty"})
		return
	}
	c.after = body.After
	c.greeted.Store(true)
	c.server.mark(c, wantInbox)
}

// carryOut makes the answer to a request.
func (c *conn) carryOut(q *request) (any, error) {
	h := c.server.cfg.Handlers[q.Do]
	switch {
	case q.Do == "ping": // the reader's answer that it is there costs nothing else, so it is not counted
		return struct{}{}, nil
	case q.Do == "refresh":
		h = Typed(c.refresh)
	case q.Do == "presence.watch" && c.server.cfg.Presence != nil:
		h = Typed(c.watch)
	case h == nil:
		return nil, &Problem{Status: http.StatusNotFound, Detail: "there is no such request"}
	}
	return c.server.call(c.ctx, h, *c.caller.Load(), q)
}

// answer writes the answer to a request.
func (c *conn) answer(q *request, ok any, err error) {
	outcome := "ok"
	if err == nil {
		if err = c.reply(okMessage{q.N, ok}); err != nil && !errors.Is(err, errEnded) && !c.ended.Load() {
			c.server.log.Error("an answer cannot be written", zap.String("do", q.Do), zap.Error(err))
			err = &Problem{Status: http.StatusInternalServerError, Detail: "the server failed"}
		}
	}
	if err != nil {
		p := problemOf(err)
		if outcome = "refused"; p.Status >= http.StatusInternalServerError {
			outcome = "failed"
		}
		_ = c.reply(errorMessage{q.N, p}) // an error ends the reader
	}
	name := q.Do
	if c.server.cfg.Handlers[name] == nil && !slices.Contains(ownRequests, name) {
		name = "unknown"
	}
	c.server.metrics.requests.WithLabelValues(name, outcome).Inc()
}

// ownRequests are those that every socket takes, hello aside.
var ownRequests = []string{"ping", "refresh", "presence.watch"}

type refreshBody struct {
	Token string `json:"token"`
}

var tokenEnded = proto.Close{Code: proto.CodeTokenExpiry, Reason: "the player's token has ended"}

// refresh takes a newer token of the socket's player.
func (c *conn) refresh(_ context.Context, _ Caller, body *refreshBody) (any, error) {
	p, err := c.server.cfg.Authenticate(body.Token)
	switch {
	case errors.Is(err, token.ErrExpired): // a provider's cache: as if none had come in time
		return nil, &Problem{Status: http.StatusUnauthorized, Detail: "the newer token has ended"}
	case err != nil:
		c.Close(proto.Close{Code: proto.CodeTokenBad, Reason: "the newer token is not good"})
		return nil, errEnded
	case p.ID != c.player:
		c.Close(proto.Close{Code: proto.CodeNotYourSeat, Reason: "the newer token is another player's"})
		return nil, errEnded
	}
	caller := *c.caller.Load()
	caller.Player = p
	c.caller.Store(&caller)
	c.expires.Set(p.Expires)
	return map[string]uint32{"expires": c.expires.Left(c.server.cfg.Keys)}, nil
}

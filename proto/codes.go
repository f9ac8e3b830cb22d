package proto

import "strconv"

// Code is a WebSocket close code. The range of an own code says what a client does next, so an old client handles a
// code that it has never heard of; see [Code.Action].
type Code uint16

// Action is what a client does after a close.
type Action uint8

// The four things that a client can do when its socket was closed.
const (
	ActionStop      Action = iota // tell the player; do not come back by itself
	ActionReconnect               // reconnect and resume, after the delay that the bye names
	ActionRequeue                 // ask the lobby for a new ticket
	ActionDone                    // the match is over; nothing is wrong
)

// String returns the action's name as the documentation spells it.
func (a Action) String() string {
	switch a {
	case ActionReconnect:
		return "reconnect"
	case ActionRequeue:
		return "requeue"
	case ActionDone:
		return "done"
	case ActionStop:
	}
	return "stop"
}

// Standard codes (RFC 6455) and ours. [Codes] is the table with their meanings.
const (
	CodeDone        Code = 1000
	CodeProtocol    Code = 1002
	CodeWrongType   Code = 1003
	CodeBadPayload  Code = 1007
	CodePolicy      Code = 1008
	CodeTooBig      Code = 1009
	CodeInternal    Code = 1011
	CodeMoved       Code = 4001
	CodeNodeLeaving Code = 4002
	CodeSlowReader  Code = 4003
	CodeIdle        Code = 4004
	CodeOverloaded  Code = 4005
	CodeMatchGone   Code = 4201
	CodeMatchFull   Code = 4202
	CodeSeatExpired Code = 4203
	CodeRulesFailed Code = 4204
	CodeTokenExpiry Code = 4205
	CodeTokenBad    Code = 4401
	CodeNotYourSeat Code = 4403
	CodeReplaced    Code = 4406
	CodeKicked      Code = 4410
	CodeVersion     Code = 4426
	CodeRate        Code = 4429
)

// CodeInfo is one row of the table of close codes.
type CodeInfo struct {
	Code    Code
	Name    string // snake_case; the value of the metric's label and the SDKs' constants
	Meaning string
}

// Codes is the one table of close codes: documentation, metrics and SDKs are made from it. It is ordered by code and
// must not be changed by its readers.
var Codes = []CodeInfo{
	{CodeDone, "done", "the match is over, or the player left"},
	{CodeProtocol, "protocol", "the client broke the protocol: unknown kind, wrong order, bad framing"},
	{CodeWrongType, "wrong_type", "a text message; Muster speaks binary"},
	{CodeBadPayload, "bad_payload", "a message that is not the MessagePack that its kind asks for"},
	{CodePolicy, "policy", "a well-formed message that claims what cannot be"},
	{CodeTooBig, "too_big", "a message above the size limit"},
	{CodeInternal, "internal", "the server failed; the text stays in its log"},
	{CodeMoved, "moved", "the match is on another node; the bye says where"},
	{CodeNodeLeaving, "node_leaving", "this node is shutting down"},
	{CodeSlowReader, "slow_reader", "the client reads more slowly than the match needs"},
	{CodeIdle, "idle", "nothing was heard from the client for too long"},
	{CodeOverloaded, "overloaded", "the node has no room for this socket now"},
	{CodeMatchGone, "match_gone", "the match does not exist, or exists no longer"},
	{CodeMatchFull, "match_full", "no seat is free"},
	{CodeSeatExpired, "seat_expired", "the seat was not taken, or not taken back, in time"},
	{CodeRulesFailed, "rules_failed", "the game's rules failed"},
	{CodeTokenExpiry, "token_expired", "the player's token expired and was not refreshed"},
	{CodeTokenBad, "token_bad", "the token is not acceptable"},
	{CodeNotYourSeat, "not_your_seat", "the token was used already, or is for another match or seat"},
	{CodeReplaced, "replaced", "the same player opened a newer socket"},
	{CodeKicked, "kicked", "the player was removed from the match"},
	{CodeVersion, "version", "client and server speak different versions"},
	{CodeRate, "rate", "far too many messages"},
}

// Info returns the table's row for c; a code that is not in the table gets the name "unknown".
func (c Code) Info() CodeInfo {
	for _, row := range Codes {
		if row.Code == c {
			return row
		}
	}
	return CodeInfo{Code: c, Name: "unknown", Meaning: "close code " + strconv.Itoa(int(c))}
}

// Action says what a client does after a close with c. Of the standard codes 1000 is the match's end; after 1001, 1005
// and 1006 (the connection was lost) and 1011–1014 (the server's fault) a client reconnects; all others stop it.
func (c Code) Action() Action {
	switch {
	case c == CodeDone:
		return ActionDone
	case c == 1001, c == 1005, c == 1006, c >= CodeInternal && c <= 1014:
		return ActionReconnect
	case c >= 4000 && c < 4200:
		return ActionReconnect
	case c >= 4200 && c < 4400:
		return ActionRequeue
	}
	return ActionStop
}

// Close is a reason to end a socket. It is an error so that parsers can return it and an edge can act on it.
type Close struct {
	Code   Code
	Reason string // for people; at most 120 bytes, no secret, nothing that the peer sent
}

// Error implements error.
func (c *Close) Error() string {
	return strconv.Itoa(int(c.Code)) + " " + c.Code.Info().Name + ": " + c.Reason
}

package lobby

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/chat"
	"muster/lobby/party"
	"muster/match/cluster"
	"muster/proto/token"
)

// chatLimit is how much a player may write, over REST and sockets together; all lobbies count together.
var chatLimit = rate{Rate: 5, Burst: 10, Period: time.Second}

// talkLimit is with how many others, with whom he has not lately, a player may begin to talk.
var talkLimit = rate{Rate: 60, Burst: 60, Period: time.Hour}

// beginsToTalk counts a talk that a player begins.
func (l *Lobby) beginsToTalk(ctx context.Context, player string) error {
	return l.count(ctx, limitKeyOf(player)+":talks", talkLimit, "you begin to talk with too many players")
}

// Message is a chat message as the API shows it.
type Message struct {
	Channel string    `json:"channel" example:"direct:bob" doc:"As the player who asks sees it."`
	ID      string    `json:"id" example:"1767323045678-0" doc:"Its place in the channel."`
	From    string    `json:"from" example:"alice" doc:"The player who wrote it."`
	Name    string    `json:"name" example:"Alice"`
	Text    string    `json:"text" example:"Shall we play?" doc:"Plain text: what looks like markup is shown as it is."`
	At      time.Time `json:"at" example:"2026-01-02T03:04:05.678Z"`
}

// ChatChannel is embedded in inputs; its name is exported because the library fills nothing else.
type ChatChannel struct {
	Channel string `path:"channel" maxLength:"80" pattern:"^(direct|party|room|group):." example:"direct:bob" doc:"direct:PLAYER, party:ID, room:ID or group:ID."`
}

// newMessage is what a player writes.
type newMessage struct {
	Text string `json:"text" minLength:"1" maxLength:"500" example:"Shall we play?" doc:"Plain text of 1 to 500 characters; newlines are the only control characters."`
}

type sendInput struct {
	ChatChannel
	Keyed
	Body newMessage
}

type messageOutput struct{ Body Message }

type historyInput struct {
	ChatChannel
	Before string `query:"before" maxLength:"26" pattern:"^[0-9]{1,15}-[0-9]{1,10}$" example:"1767323045678-0" doc:"Only messages from before this one."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" example:"50" doc:"How many at most."`
}

type historyOutput struct {
	Body History
}

// History is a page of a channel's messages.
type History struct {
	Messages []Message `json:"messages" nullable:"false" doc:"The newest first."`
	Next     string    `json:"next,omitempty" example:"1767323045678-0" doc:"Before which message to go on; absent where there is nothing more."`
}

func (l *Lobby) registerChat(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "send-message", Method: http.MethodPost, Path: "/v1/chat/{channel}/messages", DefaultStatus: http.StatusCreated,
		Summary: "Write a message", Tags: []string{"Chat"}, Errors: append([]int{http.StatusNotFound}, withBody...),
		Description: "Every member of the channel finds it in his inbox. To a player who has blocked one, a direct message " +
			"seems to go and does not arrive.",
	}), l.sendMessage)
	huma.Register(api, operation(huma.Operation{
		OperationID: "read-messages", Method: http.MethodGet, Path: "/v1/chat/{channel}/messages",
		Summary: "Read what was written in a channel", Tags: []string{"Chat"}, Errors: []int{http.StatusNotFound},
		Description: "About the last 500 messages are kept, for 30 days after the last one.",
	}), l.readMessages)
}

func (l *Lobby) sendMessage(ctx context.Context, in *sendInput) (*messageOutput, error) {
	m, err := l.chatSend(ctx, playerOf(ctx), in.Channel, in.Body.Text, in.Key)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Message(m)}, nil
}

// chatSend writes a message of a player, over REST or a socket. Its error is one for clients.
func (l *Lobby) chatSend(ctx context.Context, p token.Player, channel, text, key string) (chat.Message, error) {
	err := l.count(ctx, limitKeyOf(p.ID)+":chat", chatLimit, "you write too much")
	var m chat.Message
	if err == nil {
		m, err = l.chat.Send(ctx, asAuthor(p), channel, text, key)
	}
	if err != nil {
		return m, l.chatProblem("writing a message", err)
	}
	return m, nil
}

func (l *Lobby) readMessages(ctx context.Context, in *historyInput) (*historyOutput, error) {
	h, err := l.chatHistory(ctx, playerOf(ctx), in.Channel, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	return &historyOutput{*h}, nil
}

// chatHistory reads a channel for a player, over REST or a socket. Its error is one for clients.
func (l *Lobby) chatHistory(ctx context.Context, p token.Player, channel, before string, limit int) (*History, error) {
	list, next, err := l.chat.History(ctx, p.ID, channel, before, limit)
	if err != nil {
		return nil, l.chatProblem("reading a channel", err)
	}
	h := &History{Messages: make([]Message, len(list)), Next: next}
	for i, m := range list {
		h.Messages[i] = Message(m)
	}
	return h, nil
}

// chatProblem is the answer of an error of chat and of groups.
func (l *Lobby) chatProblem(doing string, err error) error {
	text := func(message string) error {
		return huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Message: message, Location: "body.text"})
	}
	switch {
	case errors.Is(err, chat.ErrNone):
		return huma.Error404NotFound("there is no such channel")
	case errors.Is(err, chat.ErrNoGroup):
		return huma.Error404NotFound("there is no such group")
	case errors.Is(err, chat.ErrText):
		return text("expected text that is not blank, with no control characters but newlines")
	case errors.Is(err, chat.ErrRefused):
		return text("this is not said here")
	case errors.Is(err, chat.ErrFull):
		return huma.Error409Conflict("the group is full")
	case errors.Is(err, chat.ErrInvites):
		return huma.Error409Conflict("the group has too many open invitations")
	case errors.Is(err, chat.ErrLeft):
		return huma.Error409Conflict("you have left the group that this request made")
	case errors.Is(err, chat.ErrOtherRequest):
		return otherRequest()
	}
	return l.problem(doing, err)
}

// partyCircle returns the members of a party to one of them.
func (l *Lobby) partyCircle(ctx context.Context, id, player string) (chat.Circle, error) {
	p, err := l.parties.Get(ctx, id, player)
	if errors.Is(err, party.ErrNone) {
		return chat.Circle{}, nil
	}
	if err != nil {
		return chat.Circle{}, err //nolint:wrapcheck // says what it did
	}
	return chat.Circle{Players: p.Players(), Born: p.Born}, nil
}

// roomID is what the id of a room may be.
var roomID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// roomCircle returns who has seats in a room to one of them. No two rooms have the same seed.
func (l *Lobby) roomCircle(ctx context.Context, id, player string) (chat.Circle, error) {
	if !roomID.MatchString(id) {
		return chat.Circle{}, nil
	}
	list, err := l.rooms.Players(ctx, id)
	if err != nil || !slices.Contains(list, player) {
		return chat.Circle{}, err //nolint:wrapcheck // says what it did
	}
	r, err := l.rooms.Room(ctx, id)
	if errors.Is(err, cluster.ErrNoRoom) {
		return chat.Circle{}, nil
	}
	if err != nil {
		return chat.Circle{}, err //nolint:wrapcheck // says what it did
	}
	return chat.Circle{Players: list, Born: strconv.FormatUint(r.Seed, 36)}, nil
}

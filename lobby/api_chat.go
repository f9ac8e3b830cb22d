package lobby

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/chat"
	"muster/lobby/party"
	"muster/match/cluster"
	"muster/proto/token"
)

// chatLimit is how much a player may write, over REST and sockets together; all lobbies count together.
var chatLimit = rate{Rate: 5, Burst: 10, Period: time.Second}

// notSaid is the answer to what the filter refuses.
const notSaid = "this is not said here"

// talkLimit is with how many others, with whom he has not lately, a player may begin to talk.
var talkLimit = rate{Rate: 60, Burst: 60, Period: time.Hour}

// beginsToTalk counts a talk that a player begins.
func (l *Lobby) beginsToTalk(ctx context.Context, player string) error {
	return l.count(ctx, limitKeyOf(player)+":talks", talkLimit, "you begin to talk with too many players")
}

// What a channel takes is bounded by what it costs: each message goes to every member's inbox. A channel has deliveries a
// second, all its authors together, but takes no more than most messages; where that is less than one player may write,
// each author has a quarter of it.
const (
	deliveries = 2000
	most       = 20
	spare      = 5 // so many seconds of it may come at once
	share      = 4
)

// paces returns how often may be written to a channel with so many members, by all and by each; whole says that the former
// leaves each what he may write anyhow.
func paces(members int) (all, each rate, whole bool) {
	every := max(time.Second/most, time.Duration(members)*time.Second/deliveries)
	all = rate{Rate: 1, Burst: max(1, int(spare*time.Second/every)), Period: every}
	each = rate{Rate: 1, Burst: max(1, all.Burst/2), Period: share * every}
	return all, each, every <= time.Second/most
}

// paceChat counts a message to a channel. An author who writes too much there takes nothing from others.
func (l *Lobby) paceChat(ctx context.Context, channel, author string, members int) error {
	all, each, whole := paces(members)
	if members*chatLimit.Rate <= most {
		return nil
	}
	if !whole {
		if err := l.count(ctx, channel+":"+digest(author), each, "you write too much in a channel with so many"); err != nil {
			return err
		}
	}
	return l.count(ctx, channel, all, "too much is written in this channel")
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

func shownMessage(m *chat.Message) Message {
	return Message{Channel: m.Channel, ID: m.ID, From: m.From, Name: m.Name, Text: m.Text, At: m.At}
}

// ChatChannel is embedded in inputs; its name is exported because the library fills nothing else.
type ChatChannel struct {
	Channel string `path:"channel" maxLength:"80" pattern:"^(direct|party|room|team|group):." example:"direct:bob" doc:"direct:PLAYER, party:ID, room:ID, team:ID (of a room: who is in one's team there) or group:ID."`
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
		Summary: "Write a message", Tags: []string{"Chat"}, Errors: append([]int{http.StatusForbidden, http.StatusNotFound}, withBody...),
		Description: "Every member of the channel finds it in his inbox, but for those who mute one. To a player who has blocked one, " +
			"a direct message seems to go and does not arrive. 403: one is muted in the room, until when the errors say.",
	}), l.sendMessage)
	huma.Register(api, operation(huma.Operation{
		OperationID: "read-messages", Method: http.MethodGet, Path: "/v1/chat/{channel}/messages",
		Summary: "Read what was written in a channel", Tags: []string{"Chat"}, Errors: []int{http.StatusNotFound},
		Description: "About the last 500 messages are kept, for 30 days after the last one. Those of players whom one mutes are left out.",
	}), l.readMessages)
	l.registerChatMutes(api)
}

func (l *Lobby) sendMessage(ctx context.Context, in *sendInput) (*messageOutput, error) {
	m, err := l.chatSend(ctx, playerOf(ctx), in.Channel, in.Body.Text, in.Key)
	if err != nil {
		return nil, err
	}
	return &messageOutput{shownMessage(&m)}, nil
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
		h.Messages[i] = shownMessage(&m)
	}
	return h, nil
}

// chatProblem is the answer of an error of chat and of groups.
func (l *Lobby) chatProblem(doing string, err error) error {
	text := func(message string) error {
		return huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Message: message, Location: "body.text"})
	}
	var muted *chat.MutedError
	switch {
	case errors.As(err, &muted):
		return mutedProblem(muted)
	case errors.Is(err, chat.ErrNone):
		return huma.Error404NotFound("there is no such channel")
	case errors.Is(err, chat.ErrNoGroup):
		return huma.Error404NotFound("there is no such group")
	case errors.Is(err, chat.ErrText):
		return text("expected text that is not blank, with no control characters but newlines")
	case errors.Is(err, chat.ErrRefused):
		return text(notSaid)
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
	c, _, err := l.circle(ctx, id, player)
	return c, err
}

// teamCircle returns to a player who has a seat in a room who is in his team there; nobody where he is in none.
func (l *Lobby) teamCircle(ctx context.Context, id, player string) (chat.Circle, error) {
	c, in, err := l.circle(ctx, id, player)
	if err != nil || len(c.Players) == 0 {
		return c, err
	}
	c.Players = nil
	for _, s := range in {
		switch {
		case s.Player == player && s.Team == 0:
			return chat.Circle{}, nil
		case s.Player == player:
			c.Team = int(s.Team)
		}
	}
	for _, s := range in {
		if int(s.Team) == c.Team {
			c.Players = append(c.Players, s.Player)
		}
	}
	return c, nil
}

// circle returns who has seats in a room to one of them, and their seats.
func (l *Lobby) circle(ctx context.Context, id, player string) (chat.Circle, []cluster.Seated, error) {
	if !roomID.MatchString(id) {
		return chat.Circle{}, nil, nil
	}
	in, err := l.rooms.Company(ctx, id)
	if errors.Is(err, cluster.ErrNoRoom) || err == nil && !sits(&in, player) {
		return chat.Circle{}, nil, nil
	}
	if err != nil {
		return chat.Circle{}, nil, err //nolint:wrapcheck // says what it did
	}
	c := chat.Circle{Born: bornAs(&in), Game: in.Game}
	for _, s := range in.Seats {
		c.Players = append(c.Players, s.Player)
	}
	return c, in.Seats, nil
}

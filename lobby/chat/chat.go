// Package chat keeps what players write to each other, in Redis: a stream for each channel, capped, and an event in the
// inbox of each who may read it.
//
// A channel is named as the player who asks sees it: "direct:PLAYER" is what he and another write to each other,
// "party:ID", "room:ID" and "group:ID" what the members of one do, "team:ID" what those do who are in the same team as the
// asker in a room. For who is no member there is no such channel.
package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/proto"
)

// Kinds of channels.
const (
	direct = "direct"
	party  = "party"
	room   = "room"
	team   = "team"
	group  = "group"
)

// Kind is the kind of a message's event in inboxes; its body is the Message.
const Kind = "chat"

// Bounds.
const (
	// MaxText bounds a message, in runes.
	MaxText = 500
	// Cap is about how many messages of a channel are kept; the oldest go.
	Cap = 500
	// MaxPage is how many messages History returns at most.
	MaxPage = 100
	keepFor = 30 * 24 * time.Hour
	// keyFor is how long a message's key keeps it from being written twice.
	keyFor = time.Hour
	// retryFor is the same for one without a key, whose script may run again when its answer is lost.
	retryFor = 10 * time.Second
)

// Errors that callers decide on.
var (
	ErrNone         = errors.New("no such channel") // also for who is no member
	ErrText         = errors.New("the text is not usable")
	ErrRefused      = errors.New("the filter refuses the message")
	ErrOtherRequest = errors.New("the key was used for another message")
)

// Message is what somebody wrote.
type Message struct {
	Channel string    `json:"channel"` // as its reader sees it
	ID      string    `json:"id"`      // its place in the channel
	From    string    `json:"from"`
	Name    string    `json:"name,omitempty"` // of From; in an inbox absent where the event would be too large
	Text    string    `json:"text"`
	At      time.Time `json:"at"` // by Redis's clock

	// For a filter: of "room:" and "team:" channels the room's id and its game. Else "", and nobody else is told.
	Room string `json:"-"`
	Game string `json:"-"`
}

// Author is who writes.
type Author struct{ ID, Name string }

// Circle is who is in a party, a room or a team; the zero value is nobody.
type Circle struct {
	Players []string
	// Born tells it from those of the same id that ended before it. What was written in them is not its.
	Born string
	Team int    // of a team: which, from 1 on
	Game string // of a room or a team: the room's
}

// Config is what a Store needs. Party, Room and Team return who is in one; where the player is not, or there is none, that
// is nobody.
type Config struct {
	Redis     redis.UniversalClient // required
	Namespace string                // required
	// Post puts an event into players' inboxes, as inbox.Store does. Required.
	Post func(ctx context.Context, key, kind string, body any, players ...string) error
	// Party returns the members of a party, Room the players with seats in a room, Team those of them who are in the
	// player's team. Required.
	Party func(ctx context.Context, id, player string) (Circle, error)
	Room  func(ctx context.Context, id, player string) (Circle, error)
	Team  func(ctx context.Context, room, player string) (Circle, error)
	// Blocked says whether a player has blocked another. nil means that nobody has.
	Blocked func(ctx context.Context, player, other string) (bool, error)
	// Muters returns those of some players who mute another, Mutes all whom a player mutes. nil means that nobody does.
	Muters func(ctx context.Context, whom string, of []string) ([]string, error)
	Mutes  func(ctx context.Context, player string) ([]string, error)
	// Filter may change a message's text, or refuse the message. nil lets everything through.
	Filter func(ctx context.Context, m Message) (text string, ok bool)
	// Begins is asked before a player writes to another with whom nothing was written lately, and may refuse it. nil lets
	// all begin.
	Begins func(ctx context.Context, player string) error
	// Pace is asked before a message is written to a channel with so many members, and may refuse it. channel is like
	// "{chat:0123456789abcdef0123456789abcdef}:all". nil lets all through.
	Pace func(ctx context.Context, channel, author string, members int) error
}

// Store keeps the channels and the groups. Any number of stores may work on one Redis, and any goroutine may use one.
type Store struct{ cfg Config }

// New returns a Store.
func New(cfg Config) *Store { return &Store{cfg} }

// channel is a channel as it lies in Redis.
type channel struct {
	kind, id string
	key      string   // the beginning of its keys
	place    string   // what of it shares a hash tag: a room and its teams
	pace     string   // by what its messages are counted
	members  []string // the asking player among them
	game     string
}

// open finds a channel of a player. Errors: ErrNone.
func (s *Store) open(ctx context.Context, player, name string) (*channel, error) {
	kind, id, _ := strings.Cut(name, ":")
	c := &channel{kind: kind, id: id}
	var in Circle
	var err error
	switch kind {
	case direct:
		if isPlayer(id) && id != player {
			in.Players = []string{player, id}
			id = pair(player, id)
		}
	case party:
		in, err = s.cfg.Party(ctx, id, player)
	case room:
		in, err = s.cfg.Room(ctx, id, player)
	case team:
		kind = room
		in, err = s.cfg.Team(ctx, id, player)
	case group:
		in, err = s.groupCircle(ctx, id, player)
	}
	if err == nil && len(in.Players) == 0 {
		err = ErrNone
	}
	c.members, c.game = in.Players, in.Game
	tag := tagOf(kind, id, in.Born)
	c.place = s.cfg.Namespace + ":" + tag
	c.key, c.pace = c.place, tag+":all"
	if c.kind == team {
		c.key, c.pace = fmt.Sprintf("%s:team:%d", c.place, in.Team), fmt.Sprintf("%s:t%d", tag, in.Team)
	}
	return c, err
}

// tagOf is the hash tag of what is written in a party, room or group, or by two players.
func tagOf(kind, id, born string) string {
	return "{chat:" + keyspace.Digest(kind+":"+id+":"+born) + "}"
}

// isPlayer says whether a text can be a player's id.
func isPlayer(id string) bool {
	return id != "" && len(id) <= proto.MaxID && utf8.ValidString(id) && !strings.Contains(id, "\n") && strings.IndexFunc(id, unusable) < 0
}

// pair stands for two players, whichever of them asks.
func pair(a, b string) string {
	a, b = keyspace.Digest(a), keyspace.Digest(b)
	if a > b {
		a, b = b, a
	}
	return a + b
}

// as is the channel's name as a player sees it.
func (c *channel) as(player string) string {
	if c.kind != direct {
		return c.kind + ":" + c.id
	}
	if c.members[0] == player {
		return direct + ":" + c.members[1]
	}
	return direct + ":" + c.members[0]
}

// Usable says whether a text can be a message: 1 to 500 runes of UTF-8 that are not all blank, with no control
// characters but newlines, and none that turn text around. Markup is text like any other.
func Usable(text string) bool {
	return text != "" && len(text) <= MaxText*utf8.UTFMax && utf8.ValidString(text) && utf8.RuneCountInString(text) <= MaxText &&
		strings.TrimSpace(text) != "" && strings.IndexFunc(text, unusable) < 0
}

func unusable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

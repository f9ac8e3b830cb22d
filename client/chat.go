package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Chat are the calls about chat and groups: see [Lobby.Chat]. A channel is direct:PLAYER, party:ID, room:ID, group:ID
// or team:ID, which are those in the player's team in a room.
type Chat struct{ l *Lobby }

// Chat returns the calls about chat.
func (l *Lobby) Chat() Chat { return Chat{l} }

// ChatMessage is a message of a channel. Text is plain: markup in it is to be shown as it is.
type ChatMessage struct {
	ID      string    `json:"id"`
	Channel string    `json:"channel"`
	From    string    `json:"from"`
	Name    string    `json:"name"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// ChatHistory is a page of a channel's messages, the newest first.
type ChatHistory struct {
	Messages []ChatMessage `json:"messages"`
	Next     string        `json:"next,omitempty"` // before what to go on, "" at the end
}

// Group is a group of players, who chat in group:ID.
type Group struct {
	ID      string        `json:"id"`
	Title   string        `json:"title"`
	Members []GroupMember `json:"members"`
}

// GroupMember is a member of a group.
type GroupMember struct {
	Player string `json:"player"`
	Name   string `json:"name"`
}

// Send writes a message of 1 to 500 characters. A program that repeats a call which may have failed gives all of them
// the same key: then it is written once. "" makes one up.
func (c Chat) Send(ctx context.Context, channel, text, idempotencyKey string) (ChatMessage, error) {
	body := struct {
		Text string `json:"text"`
	}{text}
	var out ChatMessage
	if err := c.l.create(ctx, http.MethodPost, chatPath(channel), key(idempotencyKey), body, &out); err != nil {
		return ChatMessage{}, fmt.Errorf("writing to %s: %w", channel, err)
	}
	return out, nil
}

// History reads a channel. before is a message's id, ChatHistory.Next, or "" for the newest; limit is 1 to 100, 0 is 50.
func (c Chat) History(ctx context.Context, channel, before string, limit int) (ChatHistory, error) {
	var out ChatHistory
	path := chatPath(channel) + query(url.Values{"before": {before}, "limit": {number(limit)}})
	if err := c.l.call(ctx, http.MethodGet, path, nil, &out); err != nil {
		return ChatHistory{}, fmt.Errorf("reading %s: %w", channel, err)
	}
	return out, nil
}

// MuteInRoom has a player not write in a room, nor in its teams, for some minutes, 1 to 1440, and returns until when. He
// is told the reason, a line or "". It is for who made the room, and for tokens with the role moderator or admin.
func (c Chat) MuteInRoom(ctx context.Context, room, player string, minutes int, reason string) (until time.Time, err error) {
	body := roomMute{player, minutes, reason}
	var out mutedPlayer
	if err := c.l.call(ctx, http.MethodPost, "/v1/chat/"+url.PathEscape("room:"+room)+"/mute", body, &out); err != nil {
		return time.Time{}, fmt.Errorf("muting player %s in room %s: %w", player, room, err)
	}
	return out.Until, nil
}

type roomMute struct {
	Player  string `json:"player"`
	Minutes int    `json:"minutes"`
	Reason  string `json:"reason,omitempty"`
}

type mutedPlayer struct {
	Player string    `json:"player"`
	Until  time.Time `json:"until"`
}

// UnmuteInRoom lets a player write in a room again.
func (c Chat) UnmuteInRoom(ctx context.Context, room, player string) error {
	path := "/v1/chat/" + url.PathEscape("room:"+room) + "/mute/" + url.PathEscape(player)
	if err := c.l.call(ctx, http.MethodDelete, path, nil, nil); err != nil {
		return fmt.Errorf("unmuting player %s in room %s: %w", player, room, err)
	}
	return nil
}

// RoomMuting is the body of an event of kind mute: the player may not write in a room until a time, nil for that he may again.
type RoomMuting struct {
	Channel string     `json:"channel"` // room:ID
	Until   *time.Time `json:"until,omitempty"`
	Reason  string     `json:"reason,omitempty"`
}

// CreateGroup makes a group of which the player is the first member.
func (c Chat) CreateGroup(ctx context.Context, title string) (Group, error) {
	body := struct {
		Title string `json:"title"`
	}{title}
	var out Group
	if err := c.l.create(ctx, http.MethodPost, "/v1/groups", key(""), body, &out); err != nil {
		return Group{}, fmt.Errorf("making a group: %w", err)
	}
	return out, nil
}

// Group returns a group in which the player is.
func (c Chat) Group(ctx context.Context, id string) (Group, error) {
	return c.group(ctx, http.MethodGet, "asking for group "+id, groupPath(id, ""))
}

// InviteToGroup tells a player that he may join.
func (c Chat) InviteToGroup(ctx context.Context, id, player string) error {
	if err := c.l.call(ctx, http.MethodPost, groupPath(id, "/invite"), otherPlayer{player}, nil); err != nil {
		return fmt.Errorf("inviting to group %s: %w", id, err)
	}
	return nil
}

// JoinGroup joins a group to which the player is invited.
func (c Chat) JoinGroup(ctx context.Context, id string) (Group, error) {
	return c.group(ctx, http.MethodPost, "joining group "+id, groupPath(id, "/join"))
}

// LeaveGroup leaves a group.
func (c Chat) LeaveGroup(ctx context.Context, id string) error {
	if err := c.l.call(ctx, http.MethodPost, groupPath(id, "/leave"), nil, nil); err != nil {
		return fmt.Errorf("leaving group %s: %w", id, err)
	}
	return nil
}

func (c Chat) group(ctx context.Context, method, doing, path string) (Group, error) {
	var out Group
	if err := c.l.call(ctx, method, path, nil, &out); err != nil {
		return Group{}, fmt.Errorf("%s: %w", doing, err)
	}
	return out, nil
}

func chatPath(channel string) string { return "/v1/chat/" + url.PathEscape(channel) + "/messages" }

func groupPath(id, what string) string { return "/v1/groups/" + url.PathEscape(id) + what }

// Inbox is a page of what a player must hear of, the oldest first.
type Inbox struct {
	Events []LiveEvent `json:"events"`
	Missed bool        `json:"missed"` // events after the given place are gone: what they were about is to be read anew
}

// Inbox reads the player's events without a socket, those after a place, "" for all that are kept. limit is 1 to 100, 0
// is 50. With wait, at most 30 s, the answer comes when there is an event or the time is over.
func (l *Lobby) Inbox(ctx context.Context, after string, limit int, wait time.Duration) (Inbox, error) {
	text := ""
	if wait > 0 {
		text = wait.String()
	}
	var out Inbox
	path := "/v1/me/inbox" + query(url.Values{"after": {after}, "limit": {number(limit)}, "wait": {text}})
	if err := l.call(ctx, http.MethodGet, path, nil, &out); err != nil {
		return Inbox{}, fmt.Errorf("reading the inbox: %w", err)
	}
	return out, nil
}

// NewNotification is a notification to be sent. To is all, player:ID, party:ID or group:ID, or Players names up to 1000.
type NewNotification struct {
	To      string   `json:"to,omitempty"`
	Players []string `json:"players,omitempty"`
	Kind    string   `json:"kind"`           // what it is about, for clients
	Title   string   `json:"title"`          // a line of plain text
	Body    string   `json:"body,omitempty"` // plain text
	Data    any      `json:"data,omitempty"` // anything, encoded as JSON

	Key string `json:"-"` // the Idempotency-Key, for a program that repeats the call itself; "" makes one up
}

// Notified says to how many players a notification went.
type Notified struct {
	ID string `json:"id"`
	To int    `json:"to"`
}

// Notify sends a notification; it needs a token with the role service or admin.
func (l *Lobby) Notify(ctx context.Context, n NewNotification) (Notified, error) {
	var out Notified
	if err := l.create(ctx, http.MethodPost, "/v1/notifications", key(n.Key), n, &out); err != nil {
		return Notified{}, fmt.Errorf("notifying of %q: %w", n.Title, err)
	}
	return out, nil
}

// Notification is the body of an event of kind notification.
type Notification struct {
	ID    string          `json:"id"`
	Kind  string          `json:"kind"`
	Title string          `json:"title"`
	Body  string          `json:"body"`
	Data  json.RawMessage `json:"data,omitempty"`
}

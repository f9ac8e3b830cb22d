package chat

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"muster/lobby/keyspace"
)

// MuteKind is the kind of the event by which a player hears that he may not write in a room for a while, or again; its
// body is a Muting.
const MuteKind = "mute"

// Bounds of a mute in a room.
const (
	MaxMute   = 24 * time.Hour
	MaxReason = 200 // runes
)

// MutedError says that a player may not write in a room's channels now.
type MutedError struct {
	For    time.Duration // from now on
	Reason string        // for people; may be ""
}

// Error implements error.
func (e *MutedError) Error() string { return "the author is muted in the room for " + e.For.String() }

// Muting is what a player is told who is muted in a room.
type Muting struct {
	Channel string     `json:"channel"`          // room:ID
	Until   *time.Time `json:"until,omitempty"`  // nil: he may write again
	Reason  string     `json:"reason,omitempty"` // plain text
}

// inRoom says whether a channel is a room's: what all write there, or a team.
func (c *channel) inRoom() bool { return c.kind == room || c.kind == team }

// mute is the key of a player's mute in a room, which holds the reason.
func mute(place, player string) string { return place + ":muted:" + keyspace.Digest(player) }

// muted returns a MutedError where a player may not write in a room.
func (s *Store) muted(ctx context.Context, c *channel, player string) error {
	pipe := s.cfg.Redis.Pipeline()
	reason, left := pipe.Get(ctx, mute(c.place, player)), pipe.PTTL(ctx, mute(c.place, player))
	_, _ = pipe.Exec(ctx) // there is no such key, usually
	if err := left.Err(); err != nil {
		return fmt.Errorf("asking whether a player is muted: %w", err)
	}
	if left.Val() <= 0 {
		return nil
	}
	return &MutedError{left.Val(), reason.Val()}
}

// UsableReason says whether a text can be why a player is muted: nothing, or one line of at most MaxReason runes that a
// message could be.
func UsableReason(text string) bool {
	return text == "" || Usable(text) && !strings.Contains(text, "\n") && utf8.RuneCountInString(text) <= MaxReason
}

// Reason returns why a player of a room is muted, as the room's filter leaves it: it is told to one who cannot answer, so what
// is not said in the room is not said so. Errors: ErrText, ErrRefused.
func (s *Store) Reason(ctx context.Context, by Author, id, game, text string) (string, error) {
	if !UsableReason(text) {
		return "", ErrText
	}
	if s.cfg.Filter == nil || text == "" {
		return text, nil
	}
	text, ok := s.cfg.Filter(ctx, Message{Channel: room + ":" + id, From: by.ID, Name: by.Name, Text: text, Room: id, Game: game})
	if !ok || !UsableReason(text) {
		return "", ErrRefused
	}
	return text, nil
}

// Mute has a player not write in a room's channels for a time of at most MaxMute, in the place of what was said before,
// and tells him. born is that of the room's Circle. Who calls it has checked that it is for the caller to say; the
// reason is Reason's. After an error it may be muted.
func (s *Store) Mute(ctx context.Context, id, born, player, reason string, last time.Duration) (until time.Time, err error) {
	place := s.cfg.Namespace + ":" + tagOf(room, id, born)
	until = time.Now().UTC().Add(last).Truncate(time.Second)
	if err := s.cfg.Redis.Set(ctx, mute(place, player), reason, last).Err(); err != nil {
		return time.Time{}, fmt.Errorf("muting a player: %w", err)
	}
	err = s.tellMuted(ctx, Muting{room + ":" + id, &until, reason}, player)
	return until, err
}

// Unmute lets a player write in a room again, and tells him where he was muted.
func (s *Store) Unmute(ctx context.Context, id, born, player string) error {
	n, err := s.cfg.Redis.Del(ctx, mute(s.cfg.Namespace+":"+tagOf(room, id, born), player)).Result()
	if err != nil {
		return fmt.Errorf("unmuting a player: %w", err)
	}
	if n == 0 {
		return nil
	}
	return s.tellMuted(ctx, Muting{Channel: room + ":" + id}, player)
}

func (s *Store) tellMuted(ctx context.Context, m Muting, player string) error {
	if err := s.cfg.Post(ctx, "", MuteKind, m, player); err != nil {
		return fmt.Errorf("telling a player that he is muted: %w", err)
	}
	return nil
}

package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"muster/lobby/inbox"
	"muster/lobby/keyspace"
	"muster/match/cluster"
	"muster/proto"
)

// Send writes a message. A key that is not "" is the message's own: sent again within an hour, it is written once, and
// told to who may have missed it. To a player who has blocked the author a direct message seems to go, and does not
// arrive; to who has muted him no message does. Errors: ErrNone, ErrText, ErrRefused, ErrOtherRequest, a MutedError, those
// of Begins and Pace; after any other the message may be written or not, and
// sending it again with the same key is right.
func (s *Store) Send(ctx context.Context, by Author, name, text, key string) (Message, error) {
	c, err := s.open(ctx, by.ID, name)
	if err != nil {
		return Message{}, err
	}
	if !Usable(text) {
		return Message{}, ErrText
	}
	sum := sha256.Sum256([]byte(text))
	m := Message{Channel: c.as(by.ID), From: by.ID, Name: by.Name, Text: text}
	if c.inRoom() {
		if err := s.muted(ctx, c, by.ID); err != nil {
			return Message{}, err
		}
		m.Room, m.Game = c.id, c.game
	}
	if s.cfg.Filter != nil {
		var ok bool
		if m.Text, ok = s.cfg.Filter(ctx, m); !ok || !Usable(m.Text) {
			return Message{}, ErrRefused
		}
		m.Room, m.Game = "", ""
	}
	if s.cfg.Pace != nil {
		if err := s.cfg.Pace(ctx, c.pace, by.ID, len(c.members)); err != nil {
			return Message{}, err
		}
	}
	blocked, err := s.blocked(ctx, c, by.ID)
	if err != nil {
		return Message{}, err
	}
	if err := s.begins(ctx, c, by.ID); err != nil {
		return Message{}, err
	}
	hidden, keep := "", keyFor
	if blocked {
		hidden = "1"
	}
	if key == "" {
		key, keep = "!"+cluster.NewID(), retryFor
	}
	sent := c.key + ":sent:" + keyspace.Digest(by.ID+"\n"+key) // no id has a newline
	id, err := sendScript.Run(ctx, s.cfg.Redis, []string{c.key + ":log", sent},
		hex.EncodeToString(sum[:8]), m.From, m.Name, m.Text, hidden, Cap, keepFor.Milliseconds(), keep.Milliseconds()).Text()
	if err != nil {
		return Message{}, fmt.Errorf("writing a message: %w", err)
	}
	if id == "other" {
		return Message{}, ErrOtherRequest
	}
	m.ID, m.At = id, timeOf(id)
	return m, s.deliver(ctx, c, m, blocked)
}

// The mark of a key holds the message's id and what stands for its text.
var sendScript = redis.NewScript(`
local was = redis.call('GET', KEYS[2])
if was then
	local id, text = string.match(was, '^(%S+) (%S+)$')
	if text == ARGV[1] then return id end
	return 'other'
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[6], '*', 'from', ARGV[2], 'name', ARGV[3], 'text', ARGV[4], 'hidden', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('SET', KEYS[2], id .. ' ' .. ARGV[1], 'PX', ARGV[8])
return id`)

// blocked says whether a direct message of a player must not arrive.
func (s *Store) blocked(ctx context.Context, c *channel, from string) (bool, error) {
	if c.kind != direct || s.cfg.Blocked == nil {
		return false, nil
	}
	blocked, err := s.cfg.Blocked(ctx, c.id, from)
	if err != nil {
		return false, fmt.Errorf("writing a message: %w", err)
	}
	return blocked, nil
}

// begins asks whether a player may write to another with whom nothing was written lately: each such channel is kept for
// weeks, whether there is such a player or not.
func (s *Store) begins(ctx context.Context, c *channel, from string) error {
	if c.kind != direct || s.cfg.Begins == nil {
		return nil
	}
	n, err := s.cfg.Redis.Exists(ctx, c.key+":log").Result()
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	if n > 0 {
		return nil
	}
	return s.cfg.Begins(ctx, from)
}

// deliver puts a message into the inboxes of those who may read it, its author's too: he may have several clients.
func (s *Store) deliver(ctx context.Context, c *channel, m Message, blocked bool) error {
	key := Kind + ":" + keyspace.Digest(c.key) + ":" + m.ID
	deaf, err := s.deaf(ctx, c, m.From)
	if err != nil {
		return err
	}
	if c.kind != direct {
		players := slices.DeleteFunc(slices.Clone(c.members), func(p string) bool { return slices.Contains(deaf, p) })
		return s.post(ctx, key, m, players...)
	}
	err = s.post(ctx, key, m, m.From)
	if !blocked && len(deaf) == 0 {
		m.Channel = c.as(c.id)
		err = errors.Join(err, s.post(ctx, key, m, c.id))
	}
	return err
}

// deaf are those of a channel who mute the author of a message.
func (s *Store) deaf(ctx context.Context, c *channel, from string) ([]string, error) {
	if s.cfg.Muters == nil {
		return nil, nil
	}
	list, err := s.cfg.Muters(ctx, from, slices.DeleteFunc(slices.Clone(c.members), func(p string) bool { return p == from }))
	if err != nil {
		return nil, fmt.Errorf("delivering a message: %w", err)
	}
	return list, nil
}

func (s *Store) post(ctx context.Context, key string, m Message, players ...string) error {
	if text, err := json.Marshal(m); err == nil && len(text) > inbox.MaxBody {
		m.Name = ""
	}
	if err := s.cfg.Post(ctx, key, Kind, m, players...); err != nil {
		return fmt.Errorf("delivering a message: %w", err)
	}
	return nil
}

var messageID = regexp.MustCompile(`^\d{1,15}-\d{1,10}$`)

// IsID says whether a text can be a message's id.
func IsID(s string) bool { return messageID.MatchString(s) }

// History returns messages of a channel that stand before the one with this id ("" is the end), the newest first, at
// most limit, which is 1 to MaxPage; without those of whom the player mutes. next is before which to go on; "" means that there is nothing more. Errors: ErrNone.
func (s *Store) History(ctx context.Context, player, name, before string, limit int) (list []Message, next string, err error) {
	c, err := s.open(ctx, player, name)
	if err != nil {
		return nil, "", err
	}
	from := "+"
	if before != "" {
		if strings.Trim(before, "0-") == "" { // nothing is before the first id there can be: Redis calls it an error
			return nil, "", nil
		}
		from = "(" + before
	}
	var mutes []string
	if s.cfg.Mutes != nil {
		if mutes, err = s.cfg.Mutes(ctx, player); err != nil {
			return nil, "", fmt.Errorf("reading a channel: %w", err)
		}
	}
	entries, err := s.cfg.Redis.XRevRangeN(ctx, c.key+":log", from, "-", int64(limit)).Result()
	if err != nil {
		return nil, "", fmt.Errorf("reading a channel: %w", err)
	}
	for _, e := range entries {
		m, hidden := message(e)
		if m.Channel = c.as(player); m.From == player || !hidden && !slices.Contains(mutes, m.From) {
			list = append(list, m)
		}
	}
	if len(entries) == limit {
		next = entries[len(entries)-1].ID
	}
	return list, next, nil
}

// message reads an entry of a channel's stream.
func message(e redis.XMessage) (m Message, hidden bool) {
	text := func(field string, max int) string {
		s, _ := e.Values[field].(string)
		if len(s) > max || !utf8.ValidString(s) {
			return ""
		}
		return s
	}
	return Message{
		ID: e.ID, From: text("from", proto.MaxID), Name: text("name", proto.MaxID), Text: text("text", MaxText*utf8.UTFMax), At: timeOf(e.ID),
	}, e.Values["hidden"] == "1"
}

// timeOf is when the message with an id was written.
func timeOf(id string) time.Time {
	ms, _, _ := strings.Cut(id, "-")
	n, _ := strconv.ParseInt(ms, 10, 64)
	return time.UnixMilli(n).UTC()
}

package players

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"muster/lobby/keyspace"
	"muster/lobby/rating"
)

const (
	// matchesKept is how many of a player's matches are kept, the newest.
	matchesKept = 100
	// matchesFor is for how long after the newest of them.
	matchesFor = 90 * 24 * time.Hour
)

// Match is a match that a player played to its end, as it was for him.
type Match struct {
	Room    string    `json:"room"`
	Game    string    `json:"game"`
	Queue   string    `json:"queue,omitempty"` // "" where no queue made it: then it was not rated
	Team    uint16    `json:"team,omitempty"`  // 0 where there were none
	Rank    uint16    `json:"rank"`            // 1 is best
	Score   int64     `json:"score"`
	Players int       `json:"players"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Recorded says that the room kept a journal, of which there is a replay for a while.
	Recorded bool `json:"recorded,omitempty"`

	ID            string        `json:"-"` // its place in the list
	Rated         bool          `json:"-"`
	Before, After rating.Rating `json:"-"` // the player's, where it was rated
}

func (s *Store) matches(id string) string { return keyspace.Player(s.ns, id) + ":matches" }

var matchID = regexp.MustCompile(`^\d{1,15}-\d{1,10}$`)

// IsMatchID says whether a text can be a match's ID.
func IsMatchID(id string) bool { return matchID.MatchString(id) }

// Matches returns a player's matches, the newest first, at most limit: from the one after that with this ID on, or from
// the newest for "". more says that there are older ones. The order is that in which results came in.
func (s *Store) Matches(ctx context.Context, id, after string, limit int) (list []Match, more bool, err error) {
	from := "+"
	switch {
	case after == "":
	case strings.Trim(after, "0") == "-": // the first place there can be, after which Redis refuses to look
		return nil, false, nil
	default:
		from = "(" + after
	}
	entries, err := s.rdb.XRevRangeN(ctx, s.matches(id), from, "-", int64(limit)+1).Result()
	if err != nil {
		return nil, false, fmt.Errorf("reading a player's matches: %w", err)
	}
	if more = len(entries) > limit; more {
		entries = entries[:limit]
	}
	for _, e := range entries {
		text, _ := e.Values["match"].(string)
		before, _ := e.Values["before"].(string)
		result, _ := e.Values["after"].(string)
		m := Match{}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return nil, false, fmt.Errorf("reading a player's matches: entry %s: %w", e.ID, err)
		}
		m.ID, m.Rated = e.ID, result != ""
		m.Before, m.After = s.parse(before).skill.Rating(), s.parse(result).skill.Rating()
		list = append(list, m)
	}
	return list, more, nil
}

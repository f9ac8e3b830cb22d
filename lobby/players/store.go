// Package players keeps in Redis what is known of players: ratings by game, the matches that they played, what they say
// of themselves, and whom they block.
package players

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/lobby/rating"
)

// keepFor is how long a player is remembered after he was last here.
const keepFor = 400 * 24 * time.Hour

// Store is all players. Any goroutine may use it.
type Store struct {
	rdb   redis.UniversalClient
	ns    string
	model rating.Model
}

// New returns the players of the deployment with this namespace. The model's zero value is the default one.
func New(rdb redis.UniversalClient, namespace string, model rating.Model) *Store {
	return &Store{rdb: rdb, ns: namespace, model: model.WithDefaults()}
}

// Names of what lies under a player's hash tag.
func (s *Store) ratings(id string) string { return keyspace.Player(s.ns, id) + ":rating" }
func (s *Store) blocks(id string) string  { return keyspace.Player(s.ns, id) + ":blocks" }
func (s *Store) profile(id string) string { return keyspace.Player(s.ns, id) + ":profile" }

// Ratings returns players' ratings in one game, in the order of ids. Who never played it has a new player's.
func (s *Store) Ratings(ctx context.Context, game string, ids ...string) ([]rating.Rating, error) {
	standings, err := s.standings(ctx, game, ids)
	if err != nil {
		return nil, err
	}
	list := make([]rating.Rating, len(ids))
	for i := range standings {
		list[i] = standings[i].skill.Rating()
	}
	return list, nil
}

// standing is what is kept of a player for one game.
type standing struct {
	skill rating.Skill
	games int
	text  string // as it is kept; "" where there is none
}

func (s *Store) standings(ctx context.Context, game string, ids []string) ([]standing, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := s.rdb.Pipeline()
	answers := make([]*redis.StringCmd, len(ids))
	for i, id := range ids {
		answers[i] = pipe.HGet(ctx, s.ratings(id), game)
	}
	if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
		return nil, fmt.Errorf("reading ratings in %s: %w", game, err)
	}
	list := make([]standing, len(ids))
	for i, a := range answers {
		if err := a.Err(); err != nil && !isNil(err) {
			return nil, fmt.Errorf("reading ratings in %s: %w", game, err)
		}
		list[i] = s.parse(a.Val())
	}
	return list, nil
}

// parse reads "MU SIGMA GAMES". What is none counts as a new player's, so that nobody is kept from playing by it.
func (s *Store) parse(text string) standing {
	st := standing{skill: s.model.New(), text: text}
	f := strings.Fields(text)
	if len(f) != 3 {
		return st
	}
	mu, err1 := strconv.ParseFloat(f[0], 64)
	sigma, err2 := strconv.ParseFloat(f[1], 64)
	games, err3 := strconv.Atoi(f[2])
	if err1 != nil || err2 != nil || err3 != nil || games < 0 || math.IsInf(mu, 0) || math.IsInf(sigma, 0) || sigma <= 0 {
		return st
	}
	st.skill, st.games = s.model.Sane(rating.Skill{Mu: mu, Sigma: sigma}), games
	return st
}

// Avoid returns for each player whom he blocks; who blocks nobody is not in it.
func (s *Store) Avoid(ctx context.Context, ids ...string) (map[string][]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := s.rdb.Pipeline()
	answers := make([]*redis.StringSliceCmd, len(ids))
	for i, id := range ids {
		answers[i] = pipe.SMembers(ctx, s.blocks(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading whom players block: %w", err)
	}
	avoid := map[string][]string{}
	for i, a := range answers {
		if list := a.Val(); len(list) > 0 {
			avoid[ids[i]] = list
		}
	}
	return avoid, nil
}

// Blocked says whether one player has blocked another.
func (s *Store) Blocked(ctx context.Context, by, whom string) (bool, error) {
	yes, err := s.rdb.SIsMember(ctx, s.blocks(by), whom).Result()
	if err != nil {
		return false, fmt.Errorf("reading whom a player blocks: %w", err)
	}
	return yes, nil
}

// Watch is who may see where a player is: online, in a queue, in a match.
type Watch string

// Kinds of watchers.
const (
	Everyone Watch = "everyone" // the default; whom the player blocks is never among them
	Party    Watch = "party"    // those in the player's party
	Nobody   Watch = "nobody"
)

// Presence says who may watch a player.
func (s *Store) Presence(ctx context.Context, id string) (Watch, error) {
	w, err := s.rdb.HGet(ctx, s.profile(id), "watch").Result()
	if err != nil && !isNil(err) {
		return Nobody, fmt.Errorf("reading who may watch a player: %w", err)
	}
	return watchOf(w), nil
}

// watchOf reads who may watch. What this version does not know was meant to keep somebody out.
func watchOf(text string) Watch {
	switch w := Watch(text); w {
	case "":
		return Everyone
	case Everyone, Party:
		return w
	default:
		return Nobody
	}
}

// isNil says whether an error only means that Redis has nothing there.
func isNil(err error) bool { return errors.Is(err, redis.Nil) }

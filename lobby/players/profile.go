package players

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/rating"
)

// ErrNone means that nothing is known of such a player.
var ErrNone = errors.New("no such player")

// Profile is what a player says of himself. Whoever sets it has checked it.
type Profile struct {
	About   string
	Avatar  string // the URL of a picture
	Country string
	Status  string
	Watch   Watch // "" is Everyone
}

// Player is a player's profile and ratings.
type Player struct {
	ID   string
	Name string // as it stood in the player's token when he was last here; "" is not known
	Profile
	Ratings []GameRating // by the names of games
}

// GameRating is a player's rating in one game.
type GameRating struct {
	Game    string
	Matches int // that were rated
	rating.Rating
}

// Come notes that a player is here, under this name, so that he is kept for longer, and returns what is known of him.
func (s *Store) Come(ctx context.Context, id, name string) (Player, error) {
	return s.read(ctx, id, func(pipe redis.Pipeliner) {
		pipe.HSet(ctx, s.profile(id), "name", name)
		s.keep(ctx, pipe, id)
	})
}

// SetProfile replaces a player's profile, and returns what is known of him then.
func (s *Store) SetProfile(ctx context.Context, id, name string, p Profile) (Player, error) {
	if p.Watch == "" {
		p.Watch = Everyone
	}
	return s.read(ctx, id, func(pipe redis.Pipeliner) {
		pipe.HSet(ctx, s.profile(id), "name", name, "about", p.About, "avatar", p.Avatar, "country", p.Country,
			"status", p.Status, "watch", string(p.Watch))
		s.keep(ctx, pipe, id)
	})
}

// Player returns what is known of a player. Errors: ErrNone.
func (s *Store) Player(ctx context.Context, id string) (Player, error) {
	return s.read(ctx, id, func(redis.Pipeliner) {})
}

// A player who is deleted has his ratings set aside: nobody is shown them, and after leftFor they are gone. Would they go at
// once, whoever likes to play against beginners could be one whenever he wants. The mark is a field beside the games, whose
// names begin with a letter; with it gone, the ratings are what they were.
const (
	leftField = "!left"
	leftFor   = 30 * 24 * time.Hour
)

// Deleted again, they end no later.
var leaveScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 'ok' end
redis.call('HSET', KEYS[1], ARGV[1], '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'ok'`)

// keep lets what is kept of a player last from now on; ratings that were set aside are his again.
func (s *Store) keep(ctx context.Context, pipe redis.Pipeliner, id string) {
	pipe.HDel(ctx, s.ratings(id), leftField)
	for _, key := range []string{s.profile(id), s.ratings(id), s.blocks(id), s.mutes(id)} {
		pipe.PExpire(ctx, key, keepFor)
	}
}

// read makes a change, which may be made twice, and reads a player in the same transaction. Errors: ErrNone.
func (s *Store) read(ctx context.Context, id string, change func(redis.Pipeliner)) (Player, error) {
	pipe := s.rdb.TxPipeline()
	change(pipe)
	profile, ratings := pipe.HGetAll(ctx, s.profile(id)), pipe.HGetAll(ctx, s.ratings(id))
	if _, err := pipe.Exec(ctx); err != nil {
		return Player{}, fmt.Errorf("reading a player: %w", err)
	}
	f, rated := profile.Val(), ratings.Val()
	if _, left := rated[leftField]; left {
		rated = nil
	}
	if len(f) == 0 && len(rated) == 0 { // a name may be empty, and its field is there
		return Player{}, ErrNone
	}
	p := Player{ID: id, Name: f["name"], Profile: Profile{
		About: f["about"], Avatar: f["avatar"], Country: f["country"], Status: f["status"], Watch: watchOf(f["watch"]),
	}}
	for game, text := range rated {
		st := s.parse(text)
		p.Ratings = append(p.Ratings, GameRating{game, st.games, st.skill.Rating()})
	}
	slices.SortFunc(p.Ratings, func(a, b GameRating) int { return strings.Compare(a.Game, b.Game) })
	return p, nil
}

// Delete forgets a player: profile, blocks, mutes and list of matches. His ratings are set aside for 30 days: until he
// comes again, sets his profile or is in a rated match nobody is shown them, but he is matched by them. That a result was recorded is remembered, so
// that it does not come back; so are others' lists and blocks.
func (s *Store) Delete(ctx context.Context, id string) error {
	muted, err := s.Mutes(ctx, id)
	if err != nil {
		return fmt.Errorf("deleting a player: %w", err)
	}
	pipe := s.rdb.Pipeline()
	for _, whom := range muted {
		pipe.SRem(ctx, s.mutedBy(whom), id)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("deleting a player: %w", err)
	}
	err = s.rdb.Del(ctx, s.profile(id), s.blocks(id), s.mutes(id), s.matches(id)).Err()
	if err == nil {
		err = leaveScript.Run(ctx, s.rdb, []string{s.ratings(id)}, leftField, leftFor.Milliseconds()).Err()
	}
	if err != nil {
		return fmt.Errorf("deleting a player: %w", err)
	}
	return nil
}

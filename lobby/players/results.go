package players

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/lobby/rating"
	"muster/proto"
)

const (
	// ratedFor is how long it is remembered that a result was recorded, and what came of it: a result that is handed over
	// again within this time changes nothing.
	ratedFor = 7 * 24 * time.Hour
	// applyAtOnce is how many players one exchange with Redis is about.
	applyAtOnce = 64
)

// update is what a result does to one player. It is worked out once and applied as it is, however often that is tried.
type update struct {
	Player string `json:"player"`
	// Before and After are the standings as they are kept; After is "" where the match is not rated.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Shift and Factor are the change itself, of mean and deviation: another match of the player may have been rated
	// since Before was read, and then both changes count.
	Shift  float64 `json:"shift,omitempty"`
	Factor float64 `json:"factor,omitempty"`
	// Match is the entry for the player's list.
	Match json.RawMessage `json:"match"`
}

// Record puts a match's result into the lists of its players and, where the match was a queue's and had two teams or
// more, into their ratings: once for each of them, however often it is called and by however many lobbies. Where it
// fails some may have it and some not; calling it again completes it with the values of the first time.
//
// What is done is first written down in a record of the match, which one call wins, and then applied to each player by a
// script of his own. A result of more than rating.MaxPlayers players is left out.
func (s *Store) Record(ctx context.Context, r proto.Result) error {
	updates, err := s.plan(ctx, r)
	if err == nil {
		err = s.apply(ctx, r, updates)
	}
	if err != nil {
		return fmt.Errorf("recording the result of match %s: %w", r.Room, err)
	}
	return nil
}

// resultID tells a room's results apart: one that persists may end more than once.
func resultID(r proto.Result) string { return fmt.Sprintf("%d:%d", r.Tick, r.N) }

func (s *Store) planned(r proto.Result) string {
	return s.ns + ":{match:" + r.Room + "}:rating:" + resultID(r)
}

// plan returns what a result does, as it was written down or else as it is now.
func (s *Store) plan(ctx context.Context, r proto.Result) ([]update, error) {
	read := func() (list []update, err error) {
		text, err := s.rdb.Get(ctx, s.planned(r)).Bytes()
		if err == nil {
			err = json.Unmarshal(text, &list)
		}
		return list, err //nolint:wrapcheck // by Record
	}
	list, err := read()
	if err == nil || !isNil(err) {
		return list, err
	}
	if list, err = s.workOut(ctx, r); err != nil {
		return nil, err
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err //nolint:wrapcheck // by Record
	}
	err = s.rdb.SetArgs(ctx, s.planned(r), text, redis.SetArgs{Mode: "NX", TTL: ratedFor}).Err()
	if isNil(err) {
		return read() // another was first
	}
	return list, err
}

// workOut computes what a result does to its players.
func (s *Store) workOut(ctx context.Context, r proto.Result) ([]update, error) {
	placed := placements(r)
	if len(placed) > rating.MaxPlayers {
		return nil, nil
	}
	ids := make([]string, len(placed))
	for i := range placed {
		ids[i] = placed[i].Player
	}
	list := make([]update, len(placed))
	for i, p := range placed {
		entry, err := json.Marshal(Match{
			Room: r.Room, Game: r.Game, Queue: r.Queue, Team: p.Team, Rank: p.Rank, Score: p.Score, Players: len(placed),
			Started: r.Started, Ended: r.Ended, Recorded: r.Recorded,
		})
		if err != nil {
			return nil, err //nolint:wrapcheck // by Record
		}
		list[i] = update{Player: p.Player, Match: entry}
	}
	sides, ranks := teams(placed)
	if r.Queue == "" || len(sides) < 2 {
		return list, nil
	}
	before, err := s.standings(ctx, r.Game, ids)
	if err != nil {
		return nil, err
	}
	skills := make([][]rating.Skill, len(sides))
	for i, side := range sides {
		for _, at := range side {
			skills[i] = append(skills[i], before[at].skill)
		}
	}
	for i, side := range s.model.Rate(skills, ranks) {
		for j, after := range side {
			u, was := &list[sides[i][j]], before[sides[i][j]]
			u.Before, u.After = was.text, format(after, was.games+1)
			u.Shift, u.Factor = after.Mu-was.skill.Mu, after.Sigma/was.skill.Sigma
		}
	}
	return list, nil
}

func format(s rating.Skill, games int) string {
	return strconv.FormatFloat(s.Mu, 'g', -1, 64) + " " + strconv.FormatFloat(s.Sigma, 'g', -1, 64) + " " + strconv.Itoa(games)
}

// placements are a result's, but for seats of nobody: a player of more than one has the best of his.
func placements(r proto.Result) []proto.Placement {
	list, at := make([]proto.Placement, 0, len(r.Placements)), map[string]int{}
	for _, p := range r.Placements {
		switch i, has := at[p.Player]; {
		case p.Player == "":
		case !has:
			at[p.Player] = len(list)
			list = append(list, p)
		case p.Rank < list[i].Rank:
			list[i] = p
		}
	}
	return list
}

// teams groups placements: team 0 is everybody for himself. A team's rank is by the mean of its players' ranks.
func teams(placed []proto.Placement) (sides [][]int, ranks []int) {
	at := map[uint16]int{}
	var means []float64 // the lower the better, so Ranks gets them with their sign turned
	for i, p := range placed {
		side, has := at[p.Team]
		if p.Team == 0 || !has {
			side = len(sides)
			at[p.Team] = side
			sides, means = append(sides, nil), append(means, 0)
		}
		sides[side] = append(sides[side], i)
		means[side] -= float64(p.Rank)
	}
	for i := range means {
		means[i] /= float64(len(sides[i]))
	}
	return sides, rating.Ranks(means)
}

// apply gives each player what the plan says.
func (s *Store) apply(ctx context.Context, r proto.Result, updates []update) error {
	started := s.model.New()
	for len(updates) > 0 {
		n := min(len(updates), applyAtOnce)
		pipe := s.rdb.Pipeline()
		for _, u := range updates[:n] {
			marker := keyspace.Player(s.ns, u.Player) + ":rated:" + r.Room + ":" + resultID(r)
			pipe.Eval(ctx, applyScript, []string{s.ratings(u.Player), marker, s.matches(u.Player)},
				r.Game, u.Before, u.After, number(u.Shift), number(u.Factor), format(started, 0), string(u.Match),
				matchesKept, keepFor.Milliseconds(), matchesFor.Milliseconds(), ratedFor.Milliseconds())
		}
		updates = updates[n:]
		if _, err := pipe.Exec(ctx); err != nil {
			return err //nolint:wrapcheck // by Record
		}
	}
	return nil
}

func number(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0" // the model's skills are bounded, so it is none
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// A standing that is not the one of which the new one was made has moved since, by another match: then it moves by the
// same change. A player is never less sure than a new one.
const applyScript = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 'done' end
local now, after = redis.call('HGET', KEYS[1], ARGV[1]) or '', ARGV[3]
if after ~= '' then
	if now ~= ARGV[2] then
		local form = '^(%S+) (%S+) (%d+)$'
		local mu, sigma, games = string.match(now, form)
		local newMu, newSigma = string.match(ARGV[6], form)
		if not (mu and tonumber(mu) and tonumber(sigma)) then mu, sigma, games = newMu, newSigma, '0' end
		mu, sigma, newSigma = tonumber(mu), tonumber(sigma), tonumber(newSigma)
		local wide = math.min(sigma * tonumber(ARGV[5]), math.max(sigma, newSigma))
		after = string.format('%.17g %.17g %d', mu + tonumber(ARGV[4]), wide, tonumber(games) + 1)
	end
	redis.call('HSET', KEYS[1], ARGV[1], after)
	redis.call('HDEL', KEYS[1], '!left') -- he is here again
	redis.call('PEXPIRE', KEYS[1], ARGV[9])
end
redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[8], '*', 'match', ARGV[7], 'before', now, 'after', after)
redis.call('PEXPIRE', KEYS[3], ARGV[10])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[11])
return 'ok'`

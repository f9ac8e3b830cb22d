package players

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/lobby/keyspace"
)

// MaxMutes is how many players one may mute.
const MaxMutes = 500

// ErrManyMutes means that a player mutes as many others as one may.
var ErrManyMutes = errors.New("too many players are muted")

func (s *Store) mutes(id string) string { return keyspace.Player(s.ns, id) + ":mutes" }

// mutedBy is who mutes a player, which follows from their lists: a message asks once for all who are to get it.
func (s *Store) mutedBy(id string) string { return keyspace.Player(s.ns, id) + ":mutedby" }

// Mute has a player mute another, which may be done again: after an error, it should be. Errors: ErrManyMutes.
func (s *Store) Mute(ctx context.Context, by, whom string) error {
	answer, err := blockScript.Run(ctx, s.rdb, []string{s.mutes(by)}, whom, MaxMutes, keepFor.Milliseconds()).Text()
	if err == nil && answer == "full" {
		return ErrManyMutes
	}
	if err == nil {
		pipe := s.rdb.Pipeline()
		pipe.SAdd(ctx, s.mutedBy(whom), by)
		pipe.PExpire(ctx, s.mutedBy(whom), keepFor)
		_, err = pipe.Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("muting a player: %w", err)
	}
	return nil
}

// Unmute undoes Mute; whom the player does not mute stays so.
func (s *Store) Unmute(ctx context.Context, by, whom string) error {
	pipe := s.rdb.Pipeline() // two servers of a Cluster may have them: the list, which counts, after what follows from it
	pipe.SRem(ctx, s.mutedBy(whom), by)
	pipe.SRem(ctx, s.mutes(by), whom)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("unmuting a player: %w", err)
	}
	return nil
}

// Mutes returns whom a player mutes, in the order of their ids.
func (s *Store) Mutes(ctx context.Context, by string) ([]string, error) {
	list, err := s.rdb.SMembers(ctx, s.mutes(by)).Result()
	if err != nil {
		return nil, fmt.Errorf("reading whom a player mutes: %w", err)
	}
	slices.Sort(list)
	return list, nil
}

// Muters returns those of some players who mute another, in their order. It costs one exchange, whatever their number.
func (s *Store) Muters(ctx context.Context, whom string, of []string) ([]string, error) {
	if len(of) == 0 {
		return nil, nil
	}
	args := make([]any, len(of))
	for i, id := range of {
		args[i] = id
	}
	pipe := s.rdb.Pipeline()
	are := pipe.SMIsMember(ctx, s.mutedBy(whom), args...)
	pipe.PExpire(ctx, s.mutedBy(whom), keepFor) // it lasts as long as the lists from which it follows
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading who mutes a player: %w", err)
	}
	var list []string
	for i, yes := range are.Val() {
		if yes && i < len(of) {
			list = append(list, of[i])
		}
	}
	return list, nil
}

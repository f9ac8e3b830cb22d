package party

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/invitation"
	"muster/lobby/keyspace"
)

const (
	// inviteFor is how long an invitation is good.
	inviteFor = 10 * time.Minute
	// maxInvites bounds a party's open invitations.
	maxInvites = 64
)

// Invite lets a player join for ten minutes and puts an event into his inbox; again within that time it changes
// nothing. Where he has blocked the one who invites he hears nothing, and nobody can tell. Errors: ErrNone, ErrInvites.
func (s *Store) Invite(ctx context.Context, id string, by Member, player string) error {
	p, err := s.Get(ctx, id, by.ID)
	if err != nil || p.member(player) != nil {
		return err
	}
	blocked := false
	if s.cfg.Blocked != nil {
		if blocked, err = s.cfg.Blocked(ctx, player, by.ID); err != nil {
			return fmt.Errorf("inviting to party %s: %w", id, err)
		}
	}
	until, err := invitation.Open(ctx, s.cfg.Redis, s.record(id), s.invites(id), player, inviteFor, maxInvites)
	switch {
	case errors.Is(err, invitation.ErrMany):
		return ErrInvites
	case errors.Is(err, invitation.ErrNone):
		return ErrNone
	case err != nil:
		return fmt.Errorf("inviting to party %s: %w", id, err)
	case blocked:
		return nil
	}
	by.Ready = false
	err = s.cfg.Post(ctx, id+":invite:"+strconv.FormatInt(until.UnixMilli(), 10), Kind, Event{Event: EventInvited, ID: id, By: &by, Until: &until}, player)
	if err != nil {
		return fmt.Errorf("inviting to party %s: %w", id, err)
	}
	return nil
}

// invited says whether a player has an open invitation.
func (s *Store) invited(ctx context.Context, id, player string) (bool, error) {
	if !partyID.MatchString(id) {
		return false, nil
	}
	n, err := invitedScript.Run(ctx, s.cfg.Redis, []string{s.invites(id)}, keyspace.Digest(player)).Int()
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, fmt.Errorf("looking for an invitation to party %s: %w", id, err)
	}
	return n == 1, nil
}

var invitedScript = redis.NewScript(`
local till = redis.call('ZSCORE', KEYS[1], ARGV[1])
local t = redis.call('TIME')
if till and tonumber(till) > t[1] * 1000 + math.floor(t[2] / 1000) then return 1 end
return 0`)

// uninvite ends an invitation. One that stays ends by itself.
func (s *Store) uninvite(ctx context.Context, id, player string) {
	_ = s.cfg.Redis.ZRem(ctx, s.invites(id), keyspace.Digest(player)).Err()
}

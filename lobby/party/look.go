package party

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Get returns a party for one of its members. Errors: ErrNone, also for who is in it no more.
func (s *Store) Get(ctx context.Context, id, player string) (*Party, error) {
	p, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.seenBy(ctx, p, player)
}

// Members returns the party that a player is in. It keeps the party for another hour, as every look and change of a
// member does. Errors: ErrNone.
func (s *Store) Members(ctx context.Context, player string) (*Party, error) {
	mark, err := s.markNow(ctx, player)
	if err != nil {
		return nil, err
	}
	id, join := named(mark)
	p, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	if m := p.member(player); m == nil || m.join != join {
		return nil, ErrNone
	}
	return s.seenBy(ctx, p, player)
}

// Players returns the ids of a party's members to who need not be one of them; none where there is no such party.
func (s *Store) Players(ctx context.Context, id string) ([]string, error) {
	p, err := s.read(ctx, id)
	if errors.Is(err, ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.Players(), nil
}

// Touch keeps the parties of players, where they are in one, for another hour.
func (s *Store) Touch(ctx context.Context, players ...string) error {
	if len(players) == 0 {
		return nil
	}
	pipe := s.cfg.Redis.Pipeline()
	marks := make([]*redis.StringCmd, len(players))
	for i, p := range players {
		marks[i] = pipe.Get(ctx, s.mark(p))
	}
	_, _ = pipe.Exec(ctx) // its error is the first one's, which may be that there is no mark
	var errs []error
	for i, p := range players {
		switch err := marks[i].Err(); {
		case errors.Is(err, redis.Nil):
			continue
		case err != nil:
			errs = append(errs, fmt.Errorf("reading a player's party: %w", err))
			continue
		}
		if _, err := s.Members(ctx, p); err != nil && !errors.Is(err, ErrNone) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// seenBy returns a party as it is for one of its members, ErrNone for others.
func (s *Store) seenBy(ctx context.Context, p *Party, player string) (*Party, error) {
	if p.member(player) == nil {
		return nil, ErrNone
	}
	p, err := s.view(ctx, p)
	if err == nil && p.member(player) == nil {
		return nil, ErrNone
	}
	return p, err
}

// view looks at each member's mark, keeps what belongs to the party for another hour, sweeps out who is no member any
// more, and tells of what was not told.
func (s *Store) view(ctx context.Context, p *Party) (*Party, error) {
	pipe := s.cfg.Redis.Pipeline()
	marks := make([]*redis.StringCmd, len(p.Members))
	for i, m := range p.Members {
		marks[i] = pipe.Get(ctx, s.mark(m.ID))
		pipe.PExpire(ctx, s.mark(m.ID), 2*keepFor)
	}
	pipe.PExpire(ctx, s.record(p.ID), keepFor)
	pipe.PExpire(ctx, s.codeKey(p.Code), keepFor)
	_, _ = pipe.Exec(ctx) // its error is the first one's, which may be that there is no mark
	var gone []Member
	for i, m := range p.Members {
		if err := marks[i].Err(); err != nil && !errors.Is(err, redis.Nil) { // nobody is out for that
			return nil, fmt.Errorf("looking at the members of party %s: %w", p.ID, err)
		}
		if !is(marks[i].Val(), p.ID, m.join) {
			gone = append(gone, m)
		}
	}
	if len(gone) > 0 {
		return s.change(ctx, p.ID, func(p *Party) error {
			for _, g := range gone {
				if i := slices.IndexFunc(p.Members, func(m Member) bool { return m.ID == g.ID && m.join == g.join }); i >= 0 {
					p.remove(g.ID)
				}
			}
			return nil
		})
	}
	if p.told < p.Version {
		s.tell(ctx, p)
	}
	return p, nil
}

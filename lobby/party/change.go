package party

import (
	"context"
	"errors"

	"muster/lobby/joincode"
	"muster/match/cluster"
)

// Create makes a party of one, with an id of 26 lower-case letters and digits that is new or is that of a request which
// may be a repeat; digest stands for what it asked. Errors: *ElsewhereError, ErrOtherRequest, ErrEnded.
func (s *Store) Create(ctx context.Context, id, digest string, by Member, size int) (*Party, error) {
	by.join, by.Ready = id, false // the same for repeats that come at the same time
	op := cluster.NewID()
	for range attempts {
		was, err := s.read(ctx, id)
		switch {
		case err == nil && was.digest != digest:
			return nil, ErrOtherRequest
		case err == nil && was.member(by.ID) == nil:
			return nil, ErrEnded
		case err == nil:
			return s.arrived(ctx, was, *was.member(by.ID))
		case !errors.Is(err, ErrNone):
			return nil, err
		}
		if err := s.claim(ctx, by.ID, id, by.join); err != nil {
			return nil, err
		}
		code, err := s.newCode(ctx, id)
		if err != nil {
			return nil, err
		}
		next := &Party{ID: id, Leader: by.ID, Max: size, Code: code, Members: []Member{by}, digest: digest}
		done, err := s.write(ctx, op, nil, next)
		if err != nil {
			return nil, err
		}
		if done {
			s.tell(ctx, next)
			return s.arrived(ctx, next, by)
		}
	}
	return nil, ErrBusy
}

// Join takes an invited player in. Errors: ErrNone, also where he is not invited; ErrFull, *ElsewhereError.
func (s *Store) Join(ctx context.Context, id string, who Member) (*Party, error) {
	invited, err := s.invited(ctx, id, who.ID) // asked first, so that it takes as long where there is no such party
	if err != nil {
		return nil, err
	}
	p, err := s.read(ctx, id)
	if err == nil && !invited && p.member(who.ID) == nil {
		err = ErrNone
	}
	if err != nil {
		return nil, err
	}
	return s.join(ctx, id, "", who)
}

// JoinByCode takes in a player who knows the party's code. Errors: ErrNone, ErrFull, *ElsewhereError.
func (s *Store) JoinByCode(ctx context.Context, code string, who Member) (*Party, error) {
	code, ok := joincode.Plain(code)
	if !ok {
		return nil, ErrNone
	}
	id, err := s.byCode(ctx, code)
	if err != nil {
		return nil, err
	}
	return s.join(ctx, id, code, who)
}

// join takes a player in; a code that is not "" must still be the party's. Of requests of one player at the same time
// the last counts.
func (s *Store) join(ctx context.Context, id, code string, who Member) (*Party, error) {
	who.join, who.Ready = cluster.NewID(), false
	err := s.claim(ctx, who.ID, id, who.join)
	var elsewhere *ElsewhereError
	if errors.As(err, &elsewhere) && elsewhere.Party == id {
		return s.already(ctx, id, who.ID)
	}
	if err != nil {
		return nil, err
	}
	p, err := s.change(ctx, id, func(p *Party) error {
		switch m := p.member(who.ID); {
		case code != "" && p.Code != code:
			return ErrNone
		case m == nil:
			return p.add(who)
		case m.join != who.join:
			return s.replace(ctx, id, m, who)
		}
		return nil
	})
	if err == nil {
		p, err = s.arrived(ctx, p, who)
	} else {
		s.drop(ctx, who.ID, id, who.join)
	}
	if errors.As(err, &elsewhere) && elsewhere.Party == id {
		p, err = s.already(ctx, id, who.ID)
	}
	if err == nil {
		s.uninvite(ctx, id, who.ID)
	}
	return p, err
}

// already returns the party of a player who is in it, or will be by another request of his at the same time. Errors:
// ErrBusy, where that has not come so far.
func (s *Store) already(ctx context.Context, id, player string) (*Party, error) {
	p, err := s.Get(ctx, id, player)
	if errors.Is(err, ErrNone) {
		err = ErrBusy
	}
	return p, err
}

// replace puts a player's newer way into a party in the place of one that failed and left him there. As long as his
// mark is of the newer way, the other is of no worth; else it is the newer one.
func (s *Store) replace(ctx context.Context, id string, m *Member, who Member) error {
	mark, err := s.markNow(ctx, who.ID)
	if err != nil {
		return err
	}
	if !is(mark, id, who.join) {
		return overtaken(mark)
	}
	*m = who
	return nil
}

// arrived confirms the mark of a new member. Where another way into a party has put its own in the place, this one is
// undone. Errors: *ElsewhereError.
func (s *Store) arrived(ctx context.Context, p *Party, who Member) (*Party, error) {
	done, err := s.setMark(ctx, who.ID, "?"+markOf(p.ID, who.join), markOf(p.ID, who.join))
	if err != nil {
		return nil, err
	}
	if done {
		return s.view(ctx, p)
	}
	mark, err := s.markNow(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.change(ctx, p.ID, without(who.ID, who.join)); err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	return nil, overtaken(mark)
}

// overtaken is the error of a way into a party in whose mark's place this one is now; none is left when he was removed.
func overtaken(mark string) error {
	if other, _ := named(mark); other != "" {
		return &ElsewhereError{other}
	}
	return ErrNone
}

// without removes a player who came in this way; any, where the way is "".
func without(player, join string) func(*Party) error {
	return func(p *Party) error {
		if m := p.member(player); m != nil && (join == "" || m.join == join) {
			p.remove(player)
		}
		return nil
	}
}

// Leave takes a member out at his own wish. The last one's leaving ends the party. Errors: ErrNone.
func (s *Store) Leave(ctx context.Context, id, player string) error {
	return s.out(ctx, id, player, func(p *Party) error {
		if p.member(player) == nil {
			return ErrNone
		}
		return nil
	})
}

// Kick takes a member out at the leader's wish. The party gets a new code, since he knows the old one. To kick oneself
// is to leave. Errors: ErrNone, ErrNotLeader, ErrNoMember.
func (s *Store) Kick(ctx context.Context, id, by, player string) error {
	if err := s.led(ctx, id, by); err != nil {
		return err
	}
	if by == player {
		return s.Leave(ctx, id, by)
	}
	code, err := s.newCode(ctx, id)
	if err != nil {
		return err
	}
	return s.out(ctx, id, player, func(p *Party) error {
		if err := p.led(by); err != nil {
			return err
		}
		if p.member(player) == nil {
			return ErrNoMember
		}
		p.Code = code
		return nil
	})
}

// out removes a member where may says that it is right.
func (s *Store) out(ctx context.Context, id, player string, may func(*Party) error) error {
	var join string
	_, err := s.change(ctx, id, func(p *Party) error {
		if err := may(p); err != nil {
			return err
		}
		join = p.member(player).join
		p.remove(player)
		return nil
	}, player)
	if err == nil {
		s.drop(ctx, player, id, join)
		s.uninvite(ctx, id, player)
	}
	return err
}

// led reads a party and returns an error where somebody may not do what the leader may.
func (s *Store) led(ctx context.Context, id, by string) error {
	p, err := s.read(ctx, id)
	if err != nil {
		return err
	}
	return p.led(by)
}

// Promote makes another member the leader. Errors: ErrNone, ErrNotLeader, ErrNoMember.
func (s *Store) Promote(ctx context.Context, id, by, player string) (*Party, error) {
	return s.changed(ctx, id, by, func(p *Party) error {
		if p.member(by) != nil && p.Leader == player {
			return nil
		}
		if err := p.led(by); err != nil {
			return err
		}
		if p.member(player) == nil {
			return ErrNoMember
		}
		p.Leader = player
		return nil
	})
}

// Ready says whether a member is ready. Errors: ErrNone.
func (s *Store) Ready(ctx context.Context, id, player string, ready bool) (*Party, error) {
	return s.changed(ctx, id, player, func(p *Party) error {
		m := p.member(player)
		if m == nil {
			return ErrNone
		}
		m.Ready = ready
		return nil
	})
}

// NewCode gives the party another code; the one of before no longer works. Errors: ErrNone, ErrNotLeader.
func (s *Store) NewCode(ctx context.Context, id, by string) (*Party, error) {
	if err := s.led(ctx, id, by); err != nil {
		return nil, err
	}
	code, err := s.newCode(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.changed(ctx, id, by, func(p *Party) error {
		p.Code = code
		return p.led(by)
	})
}

// changed makes a change for a member and returns the party after it.
func (s *Store) changed(ctx context.Context, id, by string, f func(*Party) error) (*Party, error) {
	p, err := s.change(ctx, id, f)
	if err != nil {
		return nil, err
	}
	return s.seenBy(ctx, p, by)
}

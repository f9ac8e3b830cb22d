package ticket

import (
	"context"
	"errors"
	"slices"
)

// PartyChanged cancels the tickets with which a party waits whose members are others now. of are those who may have such
// a ticket: the members, and who was removed. It may be called again with the same.
func (s *Service) PartyChanged(ctx context.Context, party string, members, of []string) error {
	now := slices.Sorted(slices.Values(members))
	var errs []error
	for _, p := range of {
		ids, err := s.Of(ctx, p)
		if err != nil {
			return err
		}
		for _, id := range ids {
			name, _ := QueueOf(id)
			list, err := s.read(ctx, keysOf(s.cfg.Namespace, name), []string{id})
			if err != nil {
				return err
			}
			t := list[0]
			if t == nil || t.Party != party || slices.Equal(slices.Sorted(slices.Values(playersOf(&t.Ticket))), now) {
				continue
			}
			errs = append(errs, s.cancel(ctx, t, byParty, ""))
		}
	}
	return errors.Join(errs...)
}

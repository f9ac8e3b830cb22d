package ticket_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/ticket"
)

// A request with a key is remembered, and a penalty that came since must not let it through where it made no ticket.
func TestRequestThatMadeNoTicketIsNoWayAroundALaterPenalty(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		o := newOffice(t, rdb)
		s := o.open(nil, sure)
		defer s.die()
		b := enqueue(t, s, "sure", "bob")
		refused := solo("sure", "bob")
		refused.Digest = "kept"
		var have *ticket.HaveError
		if _, err := s.Create(t.Context(), refused); !errors.As(err, &have) {
			t.Fatalf("a second ticket: %v", err)
		}
		enqueue(t, s, "sure", "alice")
		time.Sleep(time.Second)
		_, err := s.Confirm(t.Context(), b, "bob", false)
		must(t, err)
		time.Sleep(time.Second)
		var penalty *ticket.PenaltyError
		if _, err := s.Create(t.Context(), refused); !errors.As(err, &penalty) {
			t.Fatalf("the request again, after a penalty: %v", err)
		}
		time.Sleep(penalty.For)
		tk, err := s.Create(t.Context(), refused)
		must(t, err)
		if ids, err := s.Of(t.Context(), "bob"); err != nil || len(ids) != 1 || ids[0] != tk.ID {
			t.Errorf("bob's tickets are %q, %v; want %s", ids, err, tk.ID)
		}
	})
}

func TestRequestThatMadeATicketIsAnsweredWithItWhateverPenaltyCameSince(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		o := newOffice(t, rdb)
		s := o.open(nil, sure)
		defer s.die()
		n := solo("sure", "bob")
		n.Digest = "kept"
		first, err := s.Create(t.Context(), n)
		must(t, err)
		enqueue(t, s, "sure", "alice")
		time.Sleep(time.Second)
		_, err = s.Confirm(t.Context(), first.ID, "bob", false)
		must(t, err)
		time.Sleep(time.Second)
		if again, err := s.Create(t.Context(), n); err != nil || again.ID != first.ID || again.State != ticket.Cancelled {
			t.Errorf("the request again is answered with %+v, %v", again, err)
		}
	})
}


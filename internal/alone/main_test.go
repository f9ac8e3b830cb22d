package alone

import (
	"testing"

	"go.uber.org/goleak"

	"muster/match"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryMatchTakesPlace(t *testing.T) {
	var d match.Directory = Directory{}
	for range 2 {
		if s, err := d.Settle(t.Context(), "room"); err != nil || s.State != match.SettleStarted {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

package match

import (
	"testing"
	"time"
)

// What a viewer's newer token says goes into the next secret; that of a viewer who was replaced says nothing any more,
// and a seat token says what counts from then on.
func TestNextSecretHasTheNewestTokensEnd(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		hours := func(n time.Duration) time.Time { return time.Now().Add(n * time.Hour).Round(time.Minute) }
		claims := func(v *fakeViewer, ends time.Time) {
			t.Helper()
			ticks(1)
			if got := v.resume.PlayerExpires; !got.Equal(ends) {
				t.Errorf("the secret says %v, want %v", got, ends)
			}
		}
		join := func(resume *fakeViewer, ends time.Time) *fakeViewer {
			v := newViewer(t, g, 1)
			a := Attach{Viewer: v, Player: Player{Seat: 1, ID: "alice"}, PlayerExpires: ends}
			if resume != nil {
				a.Resume, a.Counter = true, resume.resume.Counter
			}
			rm.Attach(a)
			ticks(1)
			return v
		}
		first := join(nil, hours(1))
		claims(first, hours(1))
		rm.Refresh(first, hours(5))
		ticks(1)
		again := join(first, hours(1)) // by the secret from before the refresh
		claims(again, hours(5))
		rm.Refresh(first, hours(9)) // it was replaced
		ticks(1)
		third := join(again, hours(5))
		claims(third, hours(5))
		claims(join(nil, hours(2)), hours(2))
	})
}

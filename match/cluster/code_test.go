package cluster_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
)

func TestCodeLeadsToItsRoomForAsLongAsThatIsThere(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, rdb redis.UniversalClient) {
		leads := func(when, code, want string) {
			t.Helper()
			r, err := d.ByCode(t.Context(), code)
			if want == "" {
				wantError(t, when, err, cluster.ErrNoRoom)
			} else if err != nil || r.ID != want {
				t.Errorf("%s: the code leads to %q, %v; want %q", when, r.ID, err, want)
			}
		}
		n := aRoom(2)
		n.ID, n.Code = cluster.NewID(), "BCDF23"
		r := create(t, d, n)
		create(t, d, n)
		leads("created", n.Code, r.ID)
		leads("of another code", "BCDF24", "")
		other := aRoom(2)
		other.Code = n.Code
		_, err := d.Create(t.Context(), other)
		wantError(t, "another room of this code", err, cluster.ErrCode)

		time.Sleep(50 * time.Second)
		reserve(t, d, r, time.Minute, claims(0, "a"))
		time.Sleep(50 * time.Second)
		leads("after a reservation", n.Code, r.ID)
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		time.Sleep(50 * time.Second)
		leads("renewed", n.Code, r.ID)
		must(t, rdb.Del(t.Context(), ns+":{code:BCDF23}").Err())
		leads("with its key lost", n.Code, "")
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		leads("renewed once more", n.Code, r.ID)

		must(t, rdb.Del(t.Context(), ns+":{code:BCDF23}").Err())
		create(t, d, other)
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true})) // it goes on without
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))
		second, err := d.ByCode(t.Context(), n.Code)
		must(t, err)
		if second.ID == r.ID {
			t.Error("a code that another room has leads to the first")
		}
		must(t, d.CallOff(t.Context(), second.ID))
		leads("called off", n.Code, "")
		time.Sleep(time.Minute)
		third := aRoom(2)
		third.Code = n.Code
		third3 := create(t, d, third)
		leads("free again", n.Code, third3.ID)
		must(t, d.EndRoom(t.Context(), third3.ID, third3.Epoch))
		leads("ended", n.Code, "")
		if n, err := rdb.Exists(t.Context(), ns+":{code:BCDF23}").Result(); n != 0 || err != nil {
			t.Errorf("the code of an ended room is kept (%v)", err)
		}
	})
}

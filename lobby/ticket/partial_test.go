package ticket_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
)

// A Redis Cluster may answer a part of a pipeline.
func TestTicketWhoseServerDoesNotAnswerIsNotTakenForOneThatIsGone(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		var silent atomic.Bool
		s := o.open(func(cmd redis.Cmder, next func() error) error {
			if silent.Load() && cmd.Name() == "hget" && strings.Contains(fmt.Sprint(cmd.Args()), "{queue:team}") {
				cmd.SetErr(errDead)
				return errDead
			}
			return next()
		}, duel, team)
		gone, there := enqueue(t, s, "duel", "alice"), ""
		time.Sleep(time.Second) // so that it stands first among her tickets
		there = enqueue(t, s, "team", "alice")
		must(t, o.rdb.Del(t.Context(), keyspace.Queue(ns, "duel")+":ticket:"+gone).Err())
		silent.Store(true)
		if list, err := s.Of(t.Context(), "alice"); !errors.Is(err, errDead) {
			t.Errorf("her tickets are %q, %v", list, err)
		}
		silent.Store(false)
		if list, err := s.Of(t.Context(), "alice"); err != nil || len(list) != 1 || list[0] != there {
			t.Errorf("her tickets are %q, %v", list, err)
		}
	})
}

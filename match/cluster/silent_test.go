package cluster_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// One master of a real Cluster stands still, while many rooms write to it: what those of the others write goes on, and soon.
func TestRoomsGoOnWhoseMasterOfTheClusterAnswersWhileAnotherStandsStill(t *testing.T) {
	const rooms, rounds = 20, 2
	c := testredis.StartCluster(t, 3)
	direct := c.Connect().(*redis.ClusterClient)
	rdb := cluster.Batched(direct)
	d, j := cluster.NewDirectory(rdb, ns), cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
	still := c.Masters[1]
	type room struct {
		cluster.Room
		tick uint32 // the newest that was appended
	}
	var its, others []*room
	for n := 0; len(its) < rooms || len(others) < rooms; n++ {
		wanted, list := aRoom(rounds), &others
		wanted.ID = fmt.Sprint("r", n)
		master, err := direct.MasterForKey(t.Context(), ns+":{room:"+wanted.ID+"}:record")
		must(t, err)
		if master.Options().Addr == still.Addr {
			list = &its
		}
		if len(*list) == rooms {
			continue
		}
		r := create(t, d, wanted)
		must(t, checkpoint(t, j, r.ID, r.Epoch, 0, nil))
		var claims []cluster.Claim
		for i := range rounds {
			claims = append(claims, cluster.Claim{Player: fmt.Sprint("p", i), Token: fmt.Sprint(r.ID, "-p", i)})
		}
		_, err = d.Reserve(t.Context(), r.ID, time.Minute, claims)
		must(t, err)
		*list = append(*list, &room{Room: r})
	}
	writes := func(r *room) error {
		err := put(t, j, r.ID, r.Epoch, r.tick+1, r.tick+1)
		if err == nil {
			r.tick++
		}
		return err
	}
	still.Pause()
	var writers sync.WaitGroup
	var failed atomic.Int64
	stop := make(chan struct{})
	defer func() {
		still.Resume()
		close(stop)
		writers.Wait()
	}()
	for _, r := range its {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if writes(r) != nil {
						failed.Add(1)
					}
				}
			}
		})
	}
	for n := range rounds {
		// A machine that is busy may be late by itself; one that is late each time waits for the master that stands still.
		until(t, "appends and seats of the others, all without an error and within a second", func() bool {
			var calls sync.WaitGroup
			var bad atomic.Int64
			for _, r := range others {
				calls.Go(func() {
					began := time.Now()
					player := fmt.Sprint("p", n)
					_, err := d.TakeSeat(t.Context(), r.ID, uint16(n+1), player, r.ID+"-"+player)
					if err != nil && !errors.Is(err, cluster.ErrSeat) || writes(r) != nil || time.Since(began) > time.Second { // ErrSeat: at the try before
						bad.Add(1)
					}
				})
			}
			calls.Wait()
			return bad.Load() == 0
		})
		until(t, "appends of those whose master stands still, which fail", func() bool { return failed.Load() > int64(n) })
	}
}

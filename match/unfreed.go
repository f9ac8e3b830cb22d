package match

import (
	"slices"
	"sync"
)

// unfreed has the seats of a room that are free and of which the directory could not be told: the newest news of each. Any
// goroutine may use it.
type unfreed struct {
	mu   sync.Mutex
	list []news
}

// keep keeps that a seat is free; other news is told with each renewal.
func (u *unfreed) keep(n news) {
	if n.seat == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list = append(slices.DeleteFunc(u.list, func(o news) bool { return o.seat == n.seat }), n)
}

// take returns what was kept, and keeps it no longer.
func (u *unfreed) take() []news {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := u.list
	u.list = nil
	return list
}

// satAgain says whether somebody has come to a seat after it was freed. The claims alone do not say so where the seat's
// player came before a restore, or where whoever has it now may claim it once more.
func (rm *Instance) satAgain(n news) bool {
	list := rm.roster.Load()
	return list != nil && slices.ContainsFunc(*list, func(s Seated) bool {
		return uint16(s.Player.Seat) == n.seat && s.Claim != "" && !slices.Contains(n.claims, s.Claim)
	})
}

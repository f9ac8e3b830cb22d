package party

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"muster/match/cluster"
)

var everybody = []string{"alice", "bob", "carol", "dave", "eve"}

// model is what parties are, without Redis.
type model struct {
	parties map[string][]string // members of each, the longest first
	leader  map[string]string
	ready   map[string]bool // by player
	size    map[string]int
}

func (m *model) of(player string) string {
	for id, list := range m.parties {
		if slices.Contains(list, player) {
			return id
		}
	}
	return ""
}

func (m *model) join(id, player string) error {
	switch in := m.of(player); {
	case in == id:
		return nil
	case in != "":
		return &ElsewhereError{in}
	case len(m.parties[id]) >= m.size[id]:
		return ErrFull
	}
	m.parties[id], m.ready[player] = append(m.parties[id], player), false
	return nil
}

func (m *model) remove(id, player string) {
	list := slices.DeleteFunc(slices.Clone(m.parties[id]), func(p string) bool { return p == player })
	if m.parties[id] = list; len(list) == 0 {
		delete(m.parties, id)
	} else if m.leader[id] == player {
		m.leader[id] = list[0]
	}
}

// may is the error of somebody who does what the leader may.
func (m *model) may(id, by string) error {
	switch {
	case !slices.Contains(m.parties[id], by):
		return ErrNone
	case m.leader[id] != by:
		return ErrNotLeader
	}
	return nil
}

func (m *model) kick(id, by, player string) error {
	err := m.may(id, by)
	if err == nil && !slices.Contains(m.parties[id], player) {
		err = ErrNoMember
	}
	if err == nil {
		m.remove(id, player)
	}
	return err
}

func (m *model) promote(id, by, player string) error {
	if slices.Contains(m.parties[id], by) && m.leader[id] == player {
		return nil
	}
	err := m.may(id, by)
	if err == nil && !slices.Contains(m.parties[id], player) {
		err = ErrNoMember
	}
	if err == nil {
		m.leader[id] = player
	}
	return err
}

func (m *model) leave(id, player string) error {
	if !slices.Contains(m.parties[id], player) {
		return ErrNone
	}
	m.remove(id, player)
	return nil
}

func (m *model) setReady(id, player string, ready bool) error {
	if !slices.Contains(m.parties[id], player) {
		return ErrNone
	}
	m.ready[player] = ready
	return nil
}

// Several lobbies do what players ask, every script runs twice, and all is as in the model.
func TestPartiesAreAsInTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rdb, stop := cluster.Embedded()
		defer stop()
		rdb.AddHook(twice{})
		ctx, w := context.Background(), newWorld()
		stores := []*Store{w.store(rdb), w.store(rdb), w.store(rdb)}
		m := &model{map[string][]string{}, map[string]string{}, map[string]bool{}, map[string]int{}}
		var ids []string // of all parties that ever were
		codes := map[string]string{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			s, who := rapid.SampledFrom(stores).Draw(t, "store"), rapid.SampledFrom(everybody).Draw(t, "who")
			step := "create"
			id, other := "", rapid.SampledFrom(everybody).Draw(t, "other")
			if len(ids) > 0 {
				id = rapid.SampledFrom(ids).Draw(t, "party")
				step = rapid.SampledFrom([]string{"create", "join", "join", "leave", "kick", "promote", "ready"}).Draw(t, "step")
			}
			var got, want error
			switch step {
			case "create":
				id = cluster.NewID()
				m.size[id] = rapid.IntRange(1, 4).Draw(t, "size")
				_, got = s.Create(ctx, id, "", player(who), m.size[id])
				if in := m.of(who); in != "" {
					want = &ElsewhereError{in}
					break
				}
				m.parties[id], m.leader[id], m.ready[who] = []string{who}, who, false
				ids = append(ids, id)
			case "join":
				if len(m.parties[id]) == 0 {
					_, got = s.JoinByCode(ctx, codes[id], player(who))
					if want = ErrNone; m.of(who) != "" {
						want = &ElsewhereError{m.of(who)}
					}
					break
				}
				_, got = s.JoinByCode(ctx, codes[id], player(who))
				want = m.join(id, who)
			case "leave":
				got, want = s.Leave(ctx, id, who), m.leave(id, who)
			case "kick":
				got, want = s.Kick(ctx, id, who, other), m.kick(id, who, other)
			case "promote":
				_, got = s.Promote(ctx, id, who, other)
				want = m.promote(id, who, other)
			case "ready":
				ready := rapid.Bool().Draw(t, "ready")
				_, got = s.Ready(ctx, id, who, ready)
				want = m.setReady(id, who, ready)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s of %s: %v, in the model %v", step, who, got, want)
			}
			compare(t, rapid.SampledFrom(stores).Draw(t, "reader"), m, codes)
			for id := range m.parties {
				hears(t, w, id, m)
			}
		}
	})
}

// compare holds what each player sees to the model, and notes the codes.
func compare(t *rapid.T, s *Store, m *model, codes map[string]string) {
	for _, who := range everybody {
		p, err := s.Members(context.Background(), who)
		id := m.of(who)
		if id == "" {
			if !errors.Is(err, ErrNone) {
				t.Fatalf("%s, who is in no party, sees %+v, %v", who, p, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s sees no party: %v", who, err)
		}
		codes[id] = p.Code
		if p.ID != id || !slices.Equal(p.Players(), m.parties[id]) || p.Leader != m.leader[id] || p.Max != m.size[id] {
			t.Fatalf("%s sees %+v; the model has %s with %v, led by %s", who, p, id, m.parties[id], m.leader[id])
		}
		for _, member := range p.Members {
			if member.Ready != m.ready[member.ID] {
				t.Fatalf("%s ready: %v", member.ID, member.Ready)
			}
		}
	}
}

// hears checks that the newest event of each member has the party as it is.
func hears(t *rapid.T, w *world, id string, m *model) {
	for _, who := range m.parties[id] {
		newest := Event{}
		for _, e := range w.events[who] {
			if e.ID == id && e.Event == EventChanged && e.Version > newest.Version {
				newest = e
			}
		}
		if newest.Party == nil || !slices.Equal(newest.Party.Players(), m.parties[id]) || newest.Party.Leader != m.leader[id] {
			t.Fatalf("%s heard last of %+v", who, newest.Party)
		}
	}
}

// Many at once, and processes that die between any two calls: after all that each player is in one party at most, says
// each party that he is in, and each party has one leader, who is in it.
func TestPlayerIsInOnePartyWhateverFails(t *testing.T) {
	for seed := range uint64(30) {
		rdb, stop := cluster.Embedded()
		faults := &crashing{rand: rand.New(rand.NewPCG(seed, 1)), one: 40}
		rdb.AddHook(faults)
		w, ctx := newWorld(), t.Context()
		var mu sync.Mutex
		var ids, codes []string
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				s, dice := w.store(rdb), rand.New(rand.NewPCG(seed, uint64(n)+2))
				for range 25 {
					who, other := everybody[dice.IntN(len(everybody))], everybody[dice.IntN(len(everybody))]
					mu.Lock()
					id, code := cluster.NewID(), "AAAAAA"
					if len(ids) > 0 && dice.IntN(4) > 0 {
						id, code = ids[dice.IntN(len(ids))], codes[dice.IntN(len(codes))]
					}
					mu.Unlock()
					var p *Party
					switch dice.IntN(6) {
					case 0:
						p, _ = s.Create(ctx, id, "", player(who), 3)
					case 1, 2:
						p, _ = s.JoinByCode(ctx, code, player(who))
					case 3:
						_ = s.Leave(ctx, id, who)
					case 4:
						_ = s.Kick(ctx, id, who, other)
					case 5:
						p, _ = s.Promote(ctx, id, who, other)
					}
					mu.Lock()
					if p != nil {
						ids, codes = append(ids, p.ID), append(codes, p.Code)
					}
					mu.Unlock()
					faults.revive()
				}
			})
		}
		wg.Wait()
		faults.one = 0
		faults.revive()
		s, in := w.store(rdb), map[string]string{}
		for _, who := range everybody {
			p, err := s.Members(ctx, who)
			if err != nil && !errors.Is(err, ErrNone) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if err == nil {
				in[who] = p.ID
			}
		}
		for _, id := range ids {
			p, err := s.read(ctx, id)
			if err != nil || len(p.Members) == 0 {
				continue
			}
			p, err = s.view(ctx, p)
			if errors.Is(err, ErrNone) || err == nil && len(p.Members) == 0 {
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			leaders := 0
			for _, m := range p.Members {
				if in[m.ID] != id {
					t.Errorf("seed %d: %s is in party %s and sees %q", seed, m.ID, id, in[m.ID])
				}
				if m.ID == p.Leader {
					leaders++
				}
			}
			if leaders != 1 || len(p.Members) > p.Max {
				t.Errorf("seed %d: %d leaders in %+v", seed, leaders, p)
			}
		}
		for who, id := range in {
			if p, err := s.Get(ctx, id, who); err != nil || p.member(who) == nil {
				t.Errorf("seed %d: %s sees party %s, which has %+v, %v", seed, who, id, p, err)
			}
		}
		stop()
	}
}

// A client that sends its request twice at once is in the party all the same.
func TestSameRequestsAtOnceAreOne(t *testing.T) {
	for range 20 {
		rdb, stop := cluster.Embedded()
		w, ctx, id := newWorld(), t.Context(), cluster.NewID()
		errs := make(chan error, 8)
		for range 4 {
			go func() {
				_, err := w.store(rdb).Create(ctx, id, "", player("alice"), 4)
				errs <- err
			}()
		}
		for range 4 {
			wantErr(t, "creating at once", <-errs, nil)
		}
		p := must[*Party](t)(w.store(rdb).Members(ctx, "alice"))
		for range 4 {
			go func() {
				_, err := w.store(rdb).JoinByCode(ctx, p.Code, player("bob"))
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil && !errors.Is(err, ErrBusy) { // overtaken by one that is still under way
				t.Errorf("joining at once: %v", err)
			}
		}
		if p := must[*Party](t)(w.store(rdb).Members(ctx, "bob")); len(p.Members) != 2 {
			t.Errorf("the members are %v", p.Players())
		}
		stop()
	}
}

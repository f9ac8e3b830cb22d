package canvas

// Who types behind a character may not know yet that it is deleted: what he sees is late, and what he sends is, too. So
// a deleted run keeps its place. A command was made from what its client had at that time, and comes while the client's
// seat is its own: a socket that is silent is given up after 20 s, a seat that is dropped 30 s later. Two minutes after
// a run is deleted no command is on its way whose client did not know. Then it is forgotten, but for the newest ones, which
// those who deleted them may want back.
const (
	keepSeconds = 120       // for how long a deleted run keeps its place
	keepRuns    = 1024      // deleted runs that keep theirs for longer
	keepWas     = 128 << 10 // bytes of what deleted runs said that are kept to be restored
	fullRuns    = maxRuns - maxRuns/8
	forgetMost  = 32 // runs in a tick, so that no tick takes long
)

// forget forgets deleted runs, the oldest first: those whose time is over, and more where runs become too many: who
// writes behind one of these is refused.
func (w *World) forget(tick, rate uint32) {
	x := w.indexed()
	for i := x.buried(w); i < len(x.dead) && x.was > keepWas; i++ {
		r := w.Runs.Get(x.dead[i].id)
		x.was -= len(r.Was)
		r.Was = ""
	}
	for range forgetMost {
		if len(x.dead) == 0 {
			return
		}
		old := len(x.dead) > keepRuns && tick-x.dead[0].gone >= keepSeconds*rate
		if !old && w.Runs.Len() <= fullRuns {
			return
		}
		id := x.dead[0].id
		r := *w.Runs.Get(id)
		w.moveCursors(&r)
		x.was -= len(r.Was)
		w.dropRun(id)
		w.join(r.After, x.behind(r.After))
	}
}

// buried is where in dead those begin of which it is kept what they said.
func (x *index) buried(w *World) int {
	from, to := 0, len(x.dead)
	for from < to {
		if mid := (from + to) / 2; w.Runs.Get(x.dead[mid].id).Was == "" {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from
}

// moveCursors moves those that are in a run to before it.
func (w *World) moveCursors(r *Run) {
	var to Place
	if b := w.Runs.Get(r.After); b != nil {
		to = Place{b.Author, b.N + uint32(b.Len) - 1}
	}
	for _, c := range w.Cursors.All() {
		for _, p := range []*Place{&c.Caret, &c.Mark} {
			if p.Author == r.Author && p.N >= r.N && p.N-r.N < uint32(r.Len) {
				*p = to
			}
		}
	}
}

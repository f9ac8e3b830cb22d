package netcode

import (
	"math"
	"slices"
)

// PredictionStats count what a [Prediction] has done.
type PredictionStats struct {
	States       uint64 // states from the server
	Mispredicted uint64 // of them, those after which the present was another than had been predicted
	Replayed     uint64 // ticks that states made run again
	Forgotten    uint64 // inputs that were forgotten before the server had used them
	// Error is by how much the newest state moved the own row that was off most, before smoothing: the distance in the
	// columns marked predict, or in all ranges and floats of a table without a mark.
	Error                  float64
	Confirmed, Unconfirmed uint64 // events that were told ahead and that the server sent as well, and that it did not send
	Adopted, Withdrawn     uint64 // rows that were added ahead and of which the server's came, and that were taken back
}

// Stats returns the counts so far.
func (p *Prediction[S, In]) Stats() PredictionStats { return p.stats }

// ErrorAt returns the error that a part of the newest 256 states had at most: 0.5 for the median, 0.99 for all but the
// worst. It allocates nothing, and sorts.
func (p *Prediction[S, In]) ErrorAt(part float64) float64 { return p.errors.at(part) }

// keptErrors is over how many states errors are known.
const keptErrors = 256

// errorRing has the errors of the newest states.
type errorRing struct {
	kept [keptErrors]float64
	n    int // so far
}

func (r *errorRing) note(e float64) {
	r.kept[r.n%keptErrors] = e
	r.n++
}

func (r *errorRing) at(part float64) float64 {
	sorted := r.kept
	list := sorted[:min(r.n, keptErrors)]
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[max(0, min(len(list), int(math.Ceil(float64(part*float64(len(list))))))-1)]
}

// measure notes whether what is predicted is what was, and how far it is off. Rows of other seats do not count: nobody
// can know what their players do.
func (p *Prediction[S, In]) measure() {
	foreseen, far := true, 0.0
	for i := range p.sc.Tables {
		t, was, now := &p.sc.Tables[i], p.was[i], p.predicted[i]
		for slot := range was.slots() {
			id, a := was.at(slot)
			if id == 0 {
				continue
			}
			b := rowOf(now, p.spawns.sink(i, id))
			switch mine := p.owns(t, a); {
			case mine != p.owns(t, b):
				foreseen = false
			case mine:
				far = max(far, p.smooth.distance(i, a, b))
				for c := range t.Fields {
					if f := &t.Fields[c]; f.Sent() && !f.near(a, b) {
						foreseen = false
					}
				}
			}
		}
		for slot := range now.slots() {
			id, b := now.at(slot)
			if id != 0 && rowOf(was, p.spawns.source(i, id)) == nil && p.owns(t, b) {
				foreseen = false
			}
		}
	}
	if !foreseen {
		p.stats.Mispredicted++
	}
	p.stats.Error = far
	p.errors.note(far)
}

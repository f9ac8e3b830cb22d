package netcode

import "slices"

// audience is for whom a part's columns are.
type audience uint8

const (
	everyone audience = iota // who sees the row
	owners                   // the row's owner
	teams                    // the owner's team; the owner alone while in none
	audiences
)

// A part is what one kind of scope has of a table: the columns that everybody sees of the rows in it, or those that
// only a row's owner or its team sees.
type part struct {
	table  int
	info   *TableInfo
	fields []*Field
	to     audience
	slot   uint // bits of a wire slot
	least  uint // bits that a row which comes takes at least
}

// columns lists the columns for an audience.
func (t *TableInfo) columns(to audience) []int { return [audiences][]int{t.room, t.own, t.team}[to] }

// private says whether the table has columns that not everybody sees.
func (t *TableInfo) private() bool { return len(t.own)+len(t.team) > 0 }

// partsOf lists a schema's parts: one to three for each table.
func partsOf(sc *Schema) []part {
	var list []part
	for i := range sc.Tables {
		t := &sc.Tables[i]
		for to := everyone; to < audiences; to++ {
			cols := t.columns(to)
			if to != everyone && len(cols) == 0 {
				continue
			}
			p := part{table: i, info: t, to: to, slot: bitsFor(t.Max)}
			for _, c := range cols {
				p.fields = append(p.fields, &t.Fields[c])
			}
			p.least = p.slot + genBits
			for _, f := range p.fields {
				if p.least += f.width(); f.text() {
					p.least += textK + 1 // the length 0
				}
			}
			list = append(list, p)
		}
	}
	return list
}

func bitsFor(n int) (b uint) {
	for (n-1)>>b > 0 {
		b++
	}
	return b
}

// of says whether a scope has this part.
func (p *part) of(scope uint16) bool {
	return p.to == everyone || isSeat(scope) || p.to == teams && isTeam(scope)
}

// rowSet is a part of one state: its rows in the order of their wire ids, column by column.
type rowSet struct {
	ids  []ID
	nums [][]int64  // by the part's column; nil for text
	text [][]string // by the part's column; nil for numbers
}

func newRowSet(p *part) *rowSet {
	s := &rowSet{nums: make([][]int64, len(p.fields)), text: make([][]string, len(p.fields))}
	return s
}

// resize makes place for n rows; what was in them is stale.
func (s *rowSet) resize(p *part, n int) {
	s.ids = resize(s.ids, n)
	for c, f := range p.fields {
		if f.text() {
			s.text[c] = resize(s.text[c], n)
		} else {
			s.nums[c] = resize(s.nums[c], n)
		}
	}
}

func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}

// span is the rows from..to of a set: one scope's.
type span struct {
	*rowSet
	from, to int
}

// copySpan makes the set hold a span's rows.
func (s *rowSet) copySpan(p *part, from span) {
	s.resize(p, from.len())
	copy(s.ids, from.list())
	for c, f := range p.fields {
		switch {
		case from.len() == 0: // also one of no set
		case f.text():
			copy(s.text[c], from.text[c][from.from:from.to])
		default:
			copy(s.nums[c], from.nums[c][from.from:from.to])
		}
	}
}

func (s span) len() int { return s.to - s.from }

func (s span) list() []ID {
	if s.rowSet == nil {
		return nil
	}
	return s.ids[s.from:s.to]
}

// equal says whether two spans hold the same rows with the same values.
func (s span) equal(p *part, o span) bool {
	if !slices.Equal(s.list(), o.list()) {
		return false
	}
	if s.len() == 0 {
		return true
	}
	for c, f := range p.fields {
		if f.text() {
			if !slices.Equal(s.text[c][s.from:s.to], o.text[c][o.from:o.to]) {
				return false
			}
		} else if !slices.Equal(s.nums[c][s.from:s.to], o.nums[c][o.from:o.to]) {
			return false
		}
	}
	return true
}

// past is a part's earlier states, the newest first, and where the rows of the newest are in the others.
type past struct {
	n     int
	state [states]span
	at    [states][]int32 // by row of state[0]: where it is in state[j]
	depth []uint8         // by row of state[0]: in how many states, without a gap from the newest on

	steady bool // four states of the very same rows
	calm   bool // which what is being written has, too
}

// align finds the rows of the newest state in the others. Both ends call it with the same states.
func (p *past) align() {
	ids := p.state[0].list()
	p.steady = p.n == states
	for j := 1; j < p.n && p.steady; j++ {
		p.steady = slices.Equal(ids, p.state[j].list())
	}
	p.depth = resize(p.depth, len(ids))
	if p.n == 0 || p.steady {
		return
	}
	for i := range p.depth {
		p.depth[i] = 1
	}
	for j := 1; j < p.n; j++ {
		p.at[j] = resize(p.at[j], len(ids))
		find(p.at[j], ids, p.state[j].list())
		for i, at := range p.at[j] {
			if at >= 0 && int(p.depth[i]) == j {
				p.depth[i]++
			}
		}
	}
}

// same says whether a part is what it was in all earlier states, of which there are some: then nothing else is expected
// of any row. It saves working out what is, of tables that are long and rest.
func (p *past) same(of *part, now span) bool {
	for j := range p.n {
		if !now.equal(of, p.state[j]) {
			return false
		}
	}
	return p.n > 0
}

// still says the same of a column, where all states and this one have the very same rows; it may say no where it is so.
func (p *past) still(f *Field, c int, now span) bool {
	if !p.calm {
		return false
	}
	for j := range p.n {
		o := &p.state[j]
		switch {
		case now.len() == 0:
		case f.text():
			if !slices.Equal(now.text[c][now.from:now.to], o.text[c][o.from:o.to]) {
				return false
			}
		case !slices.Equal(now.nums[c][now.from:now.to], o.nums[c][o.from:o.to]):
			return false
		}
	}
	return true
}

// find notes for each of the sorted ids where it is among the others, -1 where it is not.
func find(at []int32, ids, others []ID) {
	if len(ids) == len(others) && slices.Equal(ids, others) {
		for i := range at {
			at[i] = int32(i)
		}
		return
	}
	k := 0
	for i, id := range ids {
		for k < len(others) && others[k] < id {
			k++
		}
		at[i] = -1
		if k < len(others) && others[k] == id {
			at[i] = int32(k)
		}
	}
}

// before collects what a column of a row held, the newest first.
func (p *past) before(c, i int, h *[states]int64) (n int) {
	n = int(p.depth[i])
	h[0] = p.state[0].nums[c][p.state[0].from+i]
	for j := 1; j < n; j++ {
		h[j] = p.state[j].nums[c][p.state[j].from+int(p.at[j][i])]
	}
	return n
}

package proto

import "math"

// Placement is one seat's part of a match's result.
type Placement struct {
	Seat   uint16 `json:"seat"`
	Player string `json:"player"`
	Team   uint16 `json:"team"` // 0 where the game has no teams
	Rank   uint16 `json:"rank"` // 1 is best; equal ranks are draws
	Score  int64  `json:"score"`
}

// End says that the match is over and how. A bye with [CodeDone] follows.
type End struct {
	Tick       uint32
	Placements []Placement // best first
}

// Append writes the message.
func (m *End) Append(w *Writer) {
	w.Array(3)
	w.Uint(KindEnd)
	w.Uint(uint64(m.Tick))
	w.Array(len(m.Placements))
	for _, p := range m.Placements {
		w.Array(5)
		w.Uint(uint64(p.Seat))
		w.Str(p.Player)
		w.Uint(uint64(p.Team))
		w.Uint(uint64(p.Rank))
		w.Int(p.Score)
	}
}

// Parse reads the message after [ServerKind]; n is the array's length.
func (m *End) Parse(r *Reader, n int) error {
	m.Tick = r.Uint32("tick")
	m.Placements = m.Placements[:0]
	for range r.Array("placements", math.MaxUint16) {
		k := r.Array("placement", 64)
		m.Placements = append(m.Placements, Placement{
			Seat:   r.Uint16("seat"),
			Player: r.Str("player", MaxID),
			Team:   r.Uint16("team"),
			Rank:   r.Uint16("rank"),
			Score:  r.Int("score", math.MinInt64, math.MaxInt64),
		})
		r.SkipRest("placement", k, 5)
		if r.err != nil {
			break
		}
	}
	r.SkipRest("end", n, 3)
	return r.Done()
}

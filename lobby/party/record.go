package party

import (
	"fmt"

	"muster/proto"
)

// Bounds of what a record holds besides the bounds of the wire, in bytes.
const maxShort = 64

// encode returns what a party's record holds of it besides its id, version and what was told.
func (p *Party) encode() []byte {
	w := proto.NewWriter()
	w.Array(6)
	w.Str(p.Leader)
	w.Uint(uint64(p.Max)) //nolint:gosec // 1 to MaxSize
	w.Str(p.Code)
	w.Str(p.digest)
	w.Uint(p.changed)
	w.Array(len(p.Members))
	for _, m := range p.Members {
		w.Array(4)
		w.Str(m.ID)
		w.Str(m.Name)
		w.Bool(m.Ready)
		w.Str(m.join)
	}
	return w.Bytes()
}

// decode reads what encode wrote. A newer server's record may hold more, which is skipped.
func decode(b []byte) (*Party, error) {
	r, p := proto.NewReader(b), &Party{}
	n := r.Array("party", 64)
	p.Leader = r.Str("leader", proto.MaxID)
	p.Max = int(r.Uint("max", MaxSize)) //nolint:gosec // bounded
	p.Code = r.Str("code", maxShort)
	p.digest = r.Str("digest", maxShort)
	p.changed = r.Uint("changed", 1<<53)
	for range r.Array("members", MaxSize) {
		k := r.Array("member", 64)
		p.Members = append(p.Members, Member{
			ID: r.Str("id", proto.MaxID), Name: r.Str("name", proto.MaxID), Ready: r.Bool("ready"), join: r.Str("join", maxShort),
		})
		r.SkipRest("member", k, 4)
	}
	r.SkipRest("party", n, 6)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("a party's record: %w", err)
	}
	return p, nil
}

package queuefile

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
)

// allocated returns how many bytes f allocates. Other goroutines may add to one measurement, so the least of a few
// counts when the first is above the bound.
func allocated(bound uint64, f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
		if least <= bound {
			break
		}
	}
	return least
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"", "queues:\n", "queues: {}", "a: &a [*a]", "queues: {q: {game: arena, team_size: 5}}", "- 1\n---\n- 2", "\t", "? [a]\n: b",
		"queues: {q: {game: arena, team_size: 5, rules: [{name: x, holds: 'true'}]}}", "<<: {a: b}", "queues: !!binary aaaa",
		"queues: {q: {game: arena, team_size: 5, tags: [disk=fast, a=b]}}", strings.Repeat("[", 100), strings.Repeat("- ", 100), "queues:\n  q: {rating: [{within: 1}, {after: 2s, any: true}]}",
	} {
		f.Add([]byte(s))
	}
	f.Add(example(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		var err error
		// Nodes of a tree, compiled expressions, and messages: nothing that grows faster than the file.
		limit := uint64(4<<20 + 4096*len(data))
		took := allocated(limit, func() { _, err = Load(data, Options{Name: "f", Seats: map[string]int{"arena": 16}}) })
		if took > limit {
			t.Fatalf("%d bytes allocate %d", len(data), took)
		}
		var list Mistakes
		switch {
		case err == nil:
		case !errors.As(err, &list) || len(list) == 0 || len(list) > maxErrors:
			t.Fatalf("the error is %v", err)
		default:
			for _, m := range list {
				if m.File != "f" || m.Line < 0 || m.Line > 2+len(data) || m.Text == "" || strings.Contains(m.Text, "\n") {
					t.Fatalf("a mistake is %+v", m)
				}
			}
		}
	})
}

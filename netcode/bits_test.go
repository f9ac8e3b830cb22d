package netcode

import (
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

func TestBitsComeBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type item struct {
			v    uint64
			n, k uint
			kind int
		}
		var items []item
		var w bitWriter
		size := 0
		for range rapid.IntRange(0, 50).Draw(t, "items") {
			it := item{kind: rapid.IntRange(0, 1).Draw(t, "kind")}
			switch it.kind {
			case 0:
				it.n = rapid.UintRange(0, 64).Draw(t, "n")
				it.v = rapid.Uint64().Draw(t, "v") & (1<<it.n - 1)
				w.put(it.v, it.n)
				size += int(it.n)
			case 1:
				it.k = rapid.UintRange(0, 40).Draw(t, "k")
				it.v = rapid.Uint64Range(0, 1<<rapid.UintRange(0, 47).Draw(t, "width")).Draw(t, "v")
				w.number(it.v, it.k)
				size += numberBits(it.v, it.k)
			}
			items = append(items, it)
		}
		b := w.close()
		if len(b) != (size+7)/8 {
			t.Fatalf("%d bytes, want %d bits", len(b), size)
		}
		r := bitReader{src: b}
		for i, it := range items {
			var got uint64
			if it.kind == 0 {
				got = r.get(it.n)
			} else {
				got = r.number(it.k)
			}
			if got != it.v || r.bad {
				t.Fatalf("item %d: %d, want %d (bad %v)", i, got, it.v, r.bad)
			}
		}
		if !r.end() {
			t.Fatal("not at the end")
		}
	})
}

func TestNumbersOfHostileBitsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := bitReader{src: rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "src")}
		k := rapid.UintRange(0, 62).Draw(t, "k")
		for range 20 {
			if v := r.number(k); r.bad && bits.Len64(v) > 64 {
				t.Fatal(v)
			}
		}
	})
}

// numberBits is how many bits number appends.
func numberBits(v uint64, k uint) int {
	if q := v >> k; q < shortBuckets {
		return int(uint(q) + 1 + k)
	}
	j := uint(bits.Len64((v-shortBuckets<<k)>>(k+1)+1)) - 1
	return int(shortBuckets + j + 1 + k + 1 + j)
}

// The reader takes bytes by the word. It must read as one that takes bit by bit, past the end too.
func TestBitsAreReadAsIfOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x55, 0x7f, 0xff}), 0, 30).Draw(t, "src")
		r, pos := bitReader{src: src}, 0
		next := func() (b uint64) {
			if pos < 8*len(src) {
				b = uint64(src[pos/8]>>(pos%8)) & 1
			}
			pos++
			return b
		}
		for !r.bad {
			var got, want uint64
			if rapid.Bool().Draw(t, "ones") {
				got = uint64(r.ones(40))
				for next() == 1 && want < 41 {
					want++
				}
				if want > 40 {
					if !r.bad {
						t.Fatal("more ones than allowed")
					}
					return
				}
			} else {
				n := rapid.UintRange(0, 64).Draw(t, "n")
				got = r.get(n)
				for i := range n {
					want |= next() << i
				}
			}
			if bad := pos > 8*len(src); r.bad != bad || !bad && got != want {
				t.Fatalf("at bit %d of %d: %x (bad %v), want %x", pos, 8*len(src), got, r.bad, want)
			}
			whole := pos > 8*(len(src)-1) // no byte is left
			for i := pos; i < 8*len(src); i++ {
				whole = whole && src[i/8]>>(i%8)&1 == 0
			}
			if !r.bad && r.end() != whole {
				t.Fatalf("at bit %d of %d: end is %v", pos, 8*len(src), r.end())
			}
		}
	})
}

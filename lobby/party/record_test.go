package party

import (
	"encoding/hex"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

var sample = &Party{
	Leader: "alice", Max: 8, Code: "K7PX2M", digest: "d41d8cd9", changed: 300,
	Members: []Member{{ID: "alice", Name: "Alice", Ready: true, join: "x5n2rm7ksm6vqzcgq3nyzj4k5e"}, {ID: "bob", Name: "日", join: "b"}},
}

const golden = "96a5616c69636508a64b375058324da86434316438636439cd012c" +
	"9294a5616c696365a5416c696365c3ba78356e32726d376b736d3676717a6367" +
	"71336e797a6a346b356594a3626f62a3e697a5c2a162"

func TestRecordOfAPartyIsAsItWas(t *testing.T) {
	if got := hex.EncodeToString(sample.encode()); got != golden {
		t.Errorf("a record is %s, was %s", got, golden)
	}
	b, _ := hex.DecodeString(golden)
	p, err := decode(b)
	if err != nil || !reflect.DeepEqual(p, sample) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestRecordIsReadAsItWasWritten(t *testing.T) {
	text := rapid.StringN(0, -1, 64)
	member := rapid.Custom(func(t *rapid.T) Member {
		return Member{text.Draw(t, "id"), text.Draw(t, "name"), rapid.Bool().Draw(t, "ready"), text.Draw(t, "join")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p := &Party{
			Leader: text.Draw(t, "leader"), Max: rapid.IntRange(0, MaxSize).Draw(t, "max"), Code: text.Draw(t, "code"),
			digest: text.Draw(t, "digest"), changed: rapid.Uint64Range(0, 1<<53).Draw(t, "changed"),
			Members: rapid.SliceOfN(member, 1, MaxSize).Draw(t, "members"),
		}
		if got, err := decode(p.encode()); err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(sample.encode())
	f.Add([]byte{0x96, 0xa0, 0xff})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(p.encode())
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%+v, then %+v, %v", p, again, err)
		}
	})
}

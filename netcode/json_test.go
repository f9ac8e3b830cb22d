package netcode

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/proto"
)

type fedMode uint8

func (fedMode) EnumNames() []string { return []string{"idle", "run"} }

type fedPart struct {
	N    int16
	Name string `net:"max=8"`
}

// fed has a field of each kind.
type fed struct {
	On     bool
	I      int8
	U      uint64
	Fixed  float32 `net:"range=-10:10,step=0.5"`
	Angle  float32 `net:"angle,bits=8"`
	F32    float32
	F64    float64
	Text   string `net:"max=8"`
	Blob   []byte `net:"max=4"`
	Mode   fedMode
	Who    Seat
	Target ID `net:"ref=Dots"`
	Nest   struct{ A, B uint8 }
	Pair   [2]fedPart
	List   []fedPart `net:"max=2"`
}

type fedWorld struct {
	Dots Table[struct{ X int8 }] `net:"max=8"`
}

func fedSchema(t testing.TB) *Schema {
	t.Helper()
	sc, err := Compile[fedWorld, fed](fedPart{}, fed{})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

const goodFed = `{"On": true, "I": -128, "U": 18446744073709551615, "Fixed": -9.6, "F32": 0.5, "F64": 1e300, "Text": "häh",
	"Blob": "AQID", "Mode": "run", "Who": 7, "Target": 65537, "Nest": {"B": 2}, "Pair": [{}, {"N": 5, "Name": "x"}],
	"List": [{"N": -1, "Name": "first"}]}`

func wantFed() fed {
	return fed{
		On: true, I: -128, U: 1<<64 - 1, Fixed: -9.5, F32: 0.5, F64: 1e300, Text: "häh", Blob: []byte{1, 2, 3}, Mode: 1, Who: 7,
		Target: 65537, Nest: struct{ A, B uint8 }{0, 2}, Pair: [2]fedPart{{}, {5, "x"}}, List: []fedPart{{-1, "first"}},
	}
}

func TestInputIsReadFromJSONByItsFieldsNames(t *testing.T) {
	sc := fedSchema(t)
	for text, want := range map[string]fed{goodFed: wantFed(), `{}`: {}, ``: {}, `{"List": [], "Pair": []}`: {}} {
		body, err := sc.InputFromJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var got fed
		if err := sc.ReadInput(body, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", text, d)
		}
		w := proto.NewWriter()
		if err := sc.WriteInput(w, &got); err != nil || !cmp.Equal(w.Bytes(), body) {
			t.Errorf("%s: other bytes than a client's: %x %x %v", text, body, w.Bytes(), err)
		}
	}
}

func TestEventIsReadFromJSONByItsTypesName(t *testing.T) {
	sc := fedSchema(t)
	body, err := sc.EventFromJSON("fedPart", []byte(`{"N": 3, "Name": "a"}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := sc.ReadEvent(body)
	if d := cmp.Diff(&fedPart{3, "a"}, got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	if body, err = sc.EventFromJSON("fed", []byte(goodFed)); err != nil {
		t.Fatal(err)
	}
	want := wantFed()
	if got, err = sc.ReadEvent(body); err != nil || cmp.Diff(&want, got) != "" {
		t.Errorf("%v %+v", err, got)
	}
	if _, err = sc.EventFromJSON("Storm", []byte(`{}`)); !errors.Is(err, ErrJSON) || !strings.Contains(err.Error(), `"Storm"`) {
		t.Errorf("an event that is not there: %v", err)
	}
}

func TestJSONThatIsNoInputIsRefusedWithTheFieldsName(t *testing.T) {
	sc := fedSchema(t)
	for text, names := range map[string]string{
		`[]`: "object", `1`: "object", `{"On": true} {}`: "follows", `{"On": tru`: "", `{"X": 1}`: `"X"`, `{"Nest.B": 1}`: `"Nest.B"`,
		`{"On": 1}`: "On", `{"On": null}`: "On", `{"I": 128}`: "I", `{"I": 1.5}`: "I", `{"I": "1"}`: "I", `{"U": -1}`: "U",
		`{"U": 18446744073709551616}`: "U", `{"Fixed": 10.5}`: "Fixed", `{"Fixed": 1e400}`: "Fixed", `{"F32": 1e39}`: "F32",
		`{"Text": "too long for it"}`: "Text", `{"Text": 1}`: "Text", `{"Blob": "AQIDBAU="}`: "Blob", `{"Blob": "?"}`: "Blob",
		`{"Mode": 1}`: "Mode", `{"Mode": "fly"}`: "Mode", `{"Who": 65536}`: "Who", `{"Target": -1}`: "Target", `{"Target": 4294967296}`: "Target",
		`{"Nest": 1}`: `"Nest"`, `{"Nest": [1]}`: `"Nest`, `{"On": []}`: `"On"`, `{"On": [{}]}`: `"On"`, `{"Pair": [{},{},{"N":1}]}`: `"Pair.2.N"`,
		`{"List": [{},{},{}]}`: "List", `{"List": {"0": {"N": 1}}, "List": [{}, {"X": 1}]}`: `"List.1.X"`, `{"On": true, "On": false}`: `"On"`,
		`{"A":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`:         "deeper",
		`{"A":` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5001): "deeper",
	} {
		_, err := sc.InputFromJSON([]byte(text))
		if !errors.Is(err, ErrJSON) || !strings.Contains(err.Error(), names) || len(err.Error()) > 300 {
			t.Errorf("%.80s: %v", text, err)
		}
	}
}

func FuzzInputFromJSON(f *testing.F) {
	sc := fedSchema(f)
	f.Add([]byte(goodFed))
	f.Add([]byte(`{"":[`))
	f.Add([]byte(`{"List":[{"N":1}],"Pair":[{"Name":"\ud800"}],"U":1e3}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		body, err := sc.InputFromJSON(b)
		if err != nil {
			if !errors.Is(err, ErrJSON) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if err := sc.CheckInput(body); err != nil {
			t.Fatal(err)
		}
	})
}

// treeTable is a table as AppendTree writes it.
type treeTable struct {
	Name   string
	Single bool
	Count  int
	Rows   []struct {
		ID     uint64
		Fields map[string]any
	}
}

func tree(t *testing.T, sc *Schema, state any, rows, most int) (list []treeTable, size int) {
	t.Helper()
	text, err := sc.AppendTree(nil, state, rows, most)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return list, len(text)
}

func TestTreeShowsEveryColumnOfEveryRow(t *testing.T) {
	sc := exactSchema(t)
	w := fullWorld(t, sc)
	list, _ := tree(t, sc, w, 100, 1<<20)
	rows := list[0]
	if rows.Name != "Rows" || rows.Count != 3 || len(rows.Rows) != 3 || rows.Single || !list[2].Single {
		t.Fatalf("the tables: %+v", list)
	}
	f := rows.Rows[0].Fields
	for name, want := range map[string]any{
		"Flag": true, "I8": -3.0, "Secret": -0.5, "Name": "name", "Blob": "AQI=", "Owner": 2.0, "Marks.len": 2.0, "Marks.1": 500.0,
		"Bag.0.Name": "it", "Fixed": 1.5,
	} {
		if f[name] != want {
			t.Errorf("%s is %v, want %v", name, f[name], want)
		}
	}
	if _, ok := f["Marks.2"]; ok {
		t.Error("an element that is not there is shown")
	}
	if list[3].Rows[0].Fields["Name"] != "storm" && list[2].Rows[0].Fields["Log.0"] != -1.0 {
		t.Errorf("single rows: %+v", list[2:])
	}
}

func TestTreeIsBoundedAndSaysHowManyRowsThereAre(t *testing.T) {
	sc := exactSchema(t)
	w := &exactWorld{}
	if err := sc.Bind(w); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		w.Rows.Add(exactRow{Name: fmt.Sprint(i)})
	}
	for i := range 1000 {
		w.Dots.Add(struct{ X int8 }{int8(i)}) //nolint:gosec // wraps
	}
	if list, _ := tree(t, sc, w, 5, 1<<20); len(list[0].Rows) != 5 || len(list[1].Rows) != 5 || list[1].Count != 1000 {
		t.Errorf("by rows: %d of %d, %d of %d", len(list[0].Rows), list[0].Count, len(list[1].Rows), list[1].Count)
	}
	list, size := tree(t, sc, w, 10_000, 8<<10)
	if size > 9<<10 || list[1].Count != 1000 || len(list[1].Rows) == 1000 || len(list[1].Rows) < 20 || len(list[3].Rows) != 1 {
		t.Errorf("by bytes: %d bytes, %d rows of %d", size, len(list[1].Rows), list[1].Count)
	}
}

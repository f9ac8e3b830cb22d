package movement

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"muster/netcode"
	"muster/proto"
)

// Grid is how finely movement is sent.
type Grid struct {
	Step       float64 // of x and y, in the file's units; above 0
	AngleSteps int     // parts of a turn: a power of two, 2 to 65536
}

// Cost is what a form costs. Updates are all places in frames behind the first, moved or not.
type Cost struct {
	BytesPerUpdate   float64 // of the scope's blocks
	KeyframeBytes    float64 // for a viewer that comes late, the mean of some
	EncodeNsPerField float64 // capture and encoding for the first viewer; a field is one of x, y and angle of one entity
	DecodeNsPerField float64
}

// Costs are those of the three forms.
type Costs struct {
	Bits, Plain, MessagePack Cost
}

// ErrDiffers says that what was decoded is not what was encoded, which is a mistake in the codec.
var ErrDiffers = errors.New("decoded movement differs")

// columns of the table that is measured.
const (
	colX = iota
	colY
	colAngle
)

// track is a recording on the grid, as a state that walks through it.
type track struct {
	rec    *Recording
	schema *netcode.Schema
	fields int
	enough time.Duration
}

func newTrack(rec *Recording, g Grid) (*track, error) {
	if !(g.Step > 0) || math.IsInf(g.Step, 0) {
		return nil, fmt.Errorf("step is %v, it must be positive", g.Step)
	}
	if g.AngleSteps < 2 || g.AngleSteps > 1<<16 || g.AngleSteps&(g.AngleSteps-1) != 0 {
		return nil, fmt.Errorf("a turn has %d steps: a power of two from 2 to 65536 is wanted", g.AngleSteps)
	}
	t := &track{rec: rec, fields: 2}
	list := make([]netcode.Field, 2, 3)
	for i, of := range []func(*Place) float64{func(p *Place) float64 { return p.X }, func(p *Place) float64 { return p.Y }} {
		f, err := fixed([]string{"X", "Y"}[i], rec, of, g.Step)
		if err != nil {
			return nil, err
		}
		list[i] = f
	}
	if rec.Angles {
		t.fields = 3
		list = append(list, netcode.Field{Name: "Angle", Kind: netcode.KindAngle, Bits: uint8(bits.Len(uint(g.AngleSteps) - 1))}) //nolint:gosec // at most 16
	}
	var err error
	t.schema, err = netcode.NewSchema(netcode.TableInfo{Name: "Entities", Max: rec.Most, Fields: list})
	if err != nil {
		return nil, fmt.Errorf("%d entities at once: %w", rec.Most, err)
	}
	return t, nil
}

// fixed makes a column of the range that a coordinate has in the recording.
func fixed(name string, rec *Recording, of func(*Place) float64, step float64) (netcode.Field, error) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range rec.Frames {
		for k := range rec.Frames[i].Places {
			v := of(&rec.Frames[i].Places[k])
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	lo = math.Floor(lo/step) * step
	top := math.Ceil((hi - lo) / step)
	if !(top < 1<<40) {
		return netcode.Field{}, fmt.Errorf("%s goes from %v to %v, which is too much for a step of %v", name, lo, hi, step)
	}
	return netcode.Field{Name: name, Kind: netcode.KindFixed, Min: lo, Step: step, Top: int64(max(1, top))}, nil
}

// walk calls each with the state of each frame in turn; places are in the same order as ids.
func (t *track) walk(each func(tick uint32, state *netcode.Dynamic, ids []netcode.ID) error) error {
	state, err := netcode.NewDynamic(t.schema)
	if err != nil {
		return fmt.Errorf("making a state: %w", err)
	}
	table := state.Table("Entities")
	here := map[int]netcode.ID{} // by entity
	var ids []netcode.ID
	for i := range t.rec.Frames {
		places := t.rec.Frames[i].Places
		there := make(map[int]bool, len(places))
		for k := range places {
			there[places[k].Entity] = true
		}
		if i > 0 {
			for k := range t.rec.Frames[i-1].Places { // in the order of the file, not of a map
				if e := t.rec.Frames[i-1].Places[k].Entity; !there[e] {
					table.Remove(here[e])
					delete(here, e)
				}
			}
		}
		ids = ids[:0]
		for k := range places {
			p := &places[k]
			if here[p.Entity] == 0 {
				here[p.Entity] = table.Add()
			}
			row, _ := table.Get(here[p.Entity])
			row.SetFloat(colX, p.X)
			row.SetFloat(colY, p.Y)
			if t.fields > colAngle {
				row.SetFloat(colAngle, p.Angle)
			}
			ids = append(ids, here[p.Entity])
		}
		if err := each(uint32(i+1), state, ids); err != nil {
			return err
		}
	}
	return nil
}

// Measure encodes and decodes a recording in each form, again and again until each direction has taken enough time to be
// a figure; a third of a second will do.
func Measure(rec *Recording, g Grid, enough time.Duration) (c Costs, err error) {
	t, err := newTrack(rec, g)
	if err != nil {
		return c, err
	}
	t.enough = enough
	if c.Bits, err = t.measure(false); err != nil {
		return c, err
	}
	if c.Plain, err = t.measure(true); err != nil {
		return c, fmt.Errorf("plain form: %w", err)
	}
	if c.MessagePack, err = t.whole(); err != nil {
		return c, fmt.Errorf("MessagePack: %w", err)
	}
	return c, nil
}

// meter adds up what is timed.
type meter struct {
	took   time.Duration
	fields int
}

func (m *meter) time(fields int, do func()) {
	began := time.Now()
	do()
	m.took += time.Since(began)
	m.fields += fields
}

func (m *meter) perField() float64 { return float64(m.took.Nanoseconds()) / float64(max(1, m.fields)) }

func (t *track) measure(plain bool) (c Cost, err error) {
	var encode, decode meter
	var frames []proto.Frame
	for pass := 0; pass == 0 || encode.took < t.enough; pass++ {
		size, updates := 0, 0
		enc := netcode.NewEncoder(t.schema, netcode.EncoderConfig{})
		view := netcode.View{Plain: plain}
		check := newChecker(t, plain)
		late := keyframes{plain: plain}
		err := t.walk(func(tick uint32, state *netcode.Dynamic, ids []netcode.ID) error {
			var blocks []proto.Block
			encode.time(len(ids)*t.fields, func() {
				enc.Capture(tick, state)
				blocks = enc.Prepare(&view, []proto.Watch{0})
			})
			if pass > 0 {
				return nil
			}
			frame := proto.Frame{Head: proto.Head{Tick: tick, Scopes: []proto.Watch{0}}}
			for _, b := range blocks {
				b.Data = bytes.Clone(b.Data)
				frame.Blocks = append(frame.Blocks, b)
				if tick > 1 {
					size += len(b.Data)
				}
			}
			if tick > 1 {
				updates += len(ids)
			}
			frames = append(frames, frame)
			late.add(enc, int(tick), len(t.rec.Frames))
			return check.frame(&frame, state, ids)
		})
		if err != nil {
			return c, err
		}
		if pass == 0 {
			c.BytesPerUpdate, c.KeyframeBytes = float64(size)/float64(max(1, updates)), late.mean()
		}
	}
	for decode.fields == 0 || decode.took < t.enough {
		dec := newDecoder(t.schema, plain)
		for i := range frames {
			n := len(t.rec.Frames[i].Places) * t.fields
			decode.time(n, func() { err = dec.Apply(&frames[i]) })
			if err != nil {
				return c, fmt.Errorf("frame %d: %w", i+1, err)
			}
		}
	}
	c.EncodeNsPerField, c.DecodeNsPerField = encode.perField(), decode.perField()
	return c, nil
}

func newDecoder(sc *netcode.Schema, plain bool) *netcode.Decoder {
	if plain {
		return netcode.NewPlainDecoder(sc)
	}
	return netcode.NewDecoder(sc)
}

// keyframes samples what a viewer gets that comes at some tick.
type keyframes struct {
	plain    bool
	bytes, n int
}

const samples = 16

func (k *keyframes) add(enc *netcode.Encoder, tick, of int) {
	if every := max(1, of/samples); tick%every != 0 {
		return
	}
	for _, b := range enc.Prepare(&netcode.View{Plain: k.plain}, []proto.Watch{0}) {
		k.bytes += max(len(b.Data), b.Part.Size)
	}
	k.n++
}

func (k *keyframes) mean() float64 { return float64(k.bytes) / float64(max(1, k.n)) }

// checker decodes each frame and compares all columns.
type checker struct {
	dec  *netcode.Decoder
	seen *netcode.Dynamic
	t    *track
}

func newChecker(t *track, plain bool) *checker {
	seen, _ := netcode.NewDynamic(t.schema) // walk has made one
	return &checker{dec: newDecoder(t.schema, plain), seen: seen, t: t}
}

func (c *checker) frame(f *proto.Frame, state *netcode.Dynamic, ids []netcode.ID) error {
	if err := c.dec.Apply(f); err != nil {
		return fmt.Errorf("frame %d: %w", f.Head.Tick, err)
	}
	if err := c.dec.Load(c.seen); err != nil {
		return fmt.Errorf("frame %d: %w", f.Head.Tick, err)
	}
	if want, got := len(ids), c.seen.Table("Entities").Len(); want != got {
		return fmt.Errorf("%w: frame %d has %d entities, decoded %d", ErrDiffers, f.Head.Tick, want, got)
	}
	// Without a key a row's name on the wire differs from its id in the generation alone, so slots are the same.
	decoded := map[netcode.ID]netcode.DynamicRow{}
	for id, row := range c.seen.Table("Entities").All() {
		decoded[id>>16] = row
	}
	for _, id := range ids {
		want, _ := state.Table("Entities").Get(id)
		for column := range c.t.fields {
			got, ok := decoded[id>>16]
			if !ok || want.Int(column) != got.Int(column) {
				return fmt.Errorf("%w: frame %d, entity in slot %d, column %d", ErrDiffers, f.Head.Tick, id>>16, column)
			}
		}
	}
	return nil
}

// whole measures all places of each frame as MessagePack: what one does who has no codec.
func (t *track) whole() (Cost, error) {
	if t.fields == colAngle {
		type row struct {
			_msgpack struct{} `msgpack:",as_array"` //nolint:unused // an option of the library
			ID       uint32
			X, Y     float32
		}
		return wholeAs(t, func(p *Place) row {
			return row{ID: uint32(p.Entity), X: float32(p.X), Y: float32(p.Y)} //nolint:gosec // not negative
		})
	}
	type row struct {
		_msgpack    struct{} `msgpack:",as_array"` //nolint:unused // an option of the library
		ID          uint32
		X, Y, Angle float32
	}
	return wholeAs(t, func(p *Place) row {
		return row{ID: uint32(p.Entity), X: float32(p.X), Y: float32(p.Y), Angle: float32(p.Angle)} //nolint:gosec // not negative
	})
}

func wholeAs[R any](t *track, of func(*Place) R) (c Cost, err error) {
	var encode, decode meter
	var buf bytes.Buffer
	enc := msgpack.NewEncoder(&buf)
	size, updates, first := 0, 0, 0
	for updates == 0 || encode.took < t.enough || decode.took < t.enough {
		for i := range t.rec.Frames {
			places := t.rec.Frames[i].Places
			rows := make([]R, len(places))
			for k := range places {
				rows[k] = of(&places[k])
			}
			buf.Reset()
			encode.time(len(places)*t.fields, func() { err = enc.Encode(rows) })
			if err != nil {
				return c, fmt.Errorf("encoding frame %d: %w", i+1, err)
			}
			if first == 0 {
				first = buf.Len()
			}
			size, updates = size+buf.Len(), updates+len(places)
			decode.time(len(places)*t.fields, func() { err = msgpack.Unmarshal(buf.Bytes(), &rows) })
			if err != nil {
				return c, fmt.Errorf("decoding frame %d: %w", i+1, err)
			}
		}
	}
	return Cost{
		BytesPerUpdate: float64(size) / float64(max(1, updates)), KeyframeBytes: float64(first),
		EncodeNsPerField: encode.perField(), DecodeNsPerField: decode.perField(),
	}, nil
}

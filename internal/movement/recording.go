package movement

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Recording is movement by frames: one for each tick that the file has, in their order.
type Recording struct {
	Frames []Frame
	Angles bool // whether places have an angle
	Most   int  // how many entities a frame has at most
}

// Frame is where the entities are at one tick, in the order of entities.
type Frame struct {
	Tick   int64
	Places []Place
}

// Place is where one entity is. Entity counts from 0 in the order in which the file names them.
type Place struct {
	Entity      int
	X, Y, Angle float64 // Angle in radians
}

// maxPlaces bounds a file, in lines: 40 bytes of memory each.
const maxPlaces = 20_000_000

// Read reads CSV: tick,entity,x,y or tick,entity,x,y,angle, the angle in radians, in any order of lines, the first of
// which may be a heading. Ticks are whole numbers, entities any text. Errors name the line.
func Read(r io.Reader) (*Recording, error) {
	in := csv.NewReader(r)
	in.ReuseRecord, in.TrimLeadingSpace, in.Comment = true, true, '#'
	in.FieldsPerRecord = 0 // as many as the first line
	rec := &Recording{}
	entities := map[string]int{}
	frames := map[int64]*Frame{}
	for n := 0; ; n++ {
		f, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading movement: %w", err)
		}
		line, _ := in.FieldPos(0)
		if len(f) != 4 && len(f) != 5 {
			return nil, fmt.Errorf("line %d: %d columns, want tick,entity,x,y or tick,entity,x,y,angle", line, len(f))
		}
		tick, err := strconv.ParseInt(strings.TrimSpace(f[0]), 10, 64)
		if err != nil && n == 0 {
			continue // a heading
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: tick %q is no whole number", line, f[0])
		}
		if n > maxPlaces {
			return nil, fmt.Errorf("line %d: more than %d places", line, maxPlaces)
		}
		rec.Angles = len(f) == 5
		p, err := place(f, line)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSpace(f[1])
		if _, known := entities[name]; !known {
			entities[strings.Clone(name)] = len(entities)
		}
		p.Entity = entities[name]
		if frames[tick] == nil {
			frames[tick] = &Frame{Tick: tick}
		}
		frames[tick].Places = append(frames[tick].Places, p)
	}
	if err := rec.order(frames, entities); err != nil {
		return nil, err
	}
	return rec, nil
}

func place(f []string, line int) (p Place, err error) {
	for i, to := range []*float64{&p.X, &p.Y, &p.Angle}[:len(f)-2] {
		*to, err = strconv.ParseFloat(strings.TrimSpace(f[2+i]), 64)
		if err != nil || math.IsNaN(*to) || math.IsInf(*to, 0) {
			return p, fmt.Errorf("line %d: %s is %q, want a finite number", line, []string{"x", "y", "angle"}[i], f[2+i])
		}
	}
	return p, nil
}

// order sorts what was read.
func (rec *Recording) order(frames map[int64]*Frame, entities map[string]int) error {
	for _, f := range frames {
		slices.SortFunc(f.Places, func(a, b Place) int { return cmp.Compare(a.Entity, b.Entity) })
		for i := 1; i < len(f.Places); i++ {
			if f.Places[i-1].Entity == f.Places[i].Entity {
				return fmt.Errorf("tick %d: entity %q is there twice", f.Tick, nameOf(entities, f.Places[i].Entity))
			}
		}
		rec.Most = max(rec.Most, len(f.Places))
		rec.Frames = append(rec.Frames, *f)
	}
	slices.SortFunc(rec.Frames, func(a, b Frame) int { return cmp.Compare(a.Tick, b.Tick) })
	if len(rec.Frames) < 2 {
		return errors.New("movement needs two ticks at least")
	}
	return nil
}

func nameOf(entities map[string]int, n int) string {
	for name, i := range entities {
		if i == n {
			return name
		}
	}
	return ""
}

package match

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"muster/match/journal"
)

// ErrConfig is what the errors of a config wrap that its game does not take.
var ErrConfig = errors.New("the config does not fit the game")

// Validator is what the type of [Rules].Config may implement, to say what is wrong with values that JSON alone lets pass.
// Its zero value must be good. What it says is shown to whoever asked for the room.
type Validator interface{ Validate() error }

// CheckConfig says whether a room of the game can be created with this config: JSON of the type of Rules.Config, at most 4
// KiB, without fields that it has not. None, of no bytes, is good for every game; a game without Rules.Config takes no
// other. Errors wrap ErrConfig.
func (g Game) CheckConfig(config []byte) error {
	if g.err != nil {
		return g.err
	}
	_, err := g.rules.readConfig(config)
	return err
}

// readConfig returns a room's config, of the type of r.Config; nil where that is nil.
func (r *Rules) readConfig(config []byte) (any, error) {
	switch {
	case len(config) > journal.MaxConfig:
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d allowed", ErrConfig, len(config), journal.MaxConfig)
	case r.Config == nil && len(config) > 0:
		return nil, fmt.Errorf("%w: the game has none", ErrConfig)
	case r.Config == nil:
		return nil, nil //nolint:nilnil // there is none
	}
	v := reflect.New(reflect.TypeOf(r.Config))
	if len(config) > 0 {
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(v.Interface()); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: something follows it", ErrConfig)
		}
	}
	if c, ok := v.Interface().(Validator); ok { // of the value's methods or the pointer's
		if err := c.Validate(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	return v.Elem().Interface(), nil
}

// ConfigOf returns what the room was created with: a C, which is the type of the game's Rules.Config, or its zero value.
// What slices in it hold must not be changed. Another C than the game's panics: that is a mistake in the program.
func ConfigOf[C, S any](r *Room[S]) C {
	c, ok := r.config.(C)
	if !ok {
		panic(fmt.Sprintf("match: the config is a %T, not a %T", r.config, c))
	}
	return c
}

// checkConfigType says what is wrong with Rules.Config: it is a struct's zero value, whose fields have exact forms in JSON
// and names that clients can rely on.
func checkConfigType(r *Rules) error {
	if r.Config == nil {
		return nil
	}
	t := reflect.TypeOf(r.Config)
	if t.Kind() != reflect.Struct {
		return fmt.Errorf("Rules.Config is a %v, a struct is needed", t)
	}
	if !reflect.ValueOf(r.Config).IsZero() {
		return fmt.Errorf("Rules.Config is not the zero value of %v: what a room is created without is zero", t)
	}
	if err := checkConfigAt(t, t.Name(), maxConfigDepth); err != nil {
		return err
	}
	if _, err := r.readConfig(nil); err != nil {
		return fmt.Errorf("Rules.Config: the zero value of %v is refused: %w", t, err)
	}
	return nil
}

// maxConfigDepth bounds how deep a config's type is looked into: one that refers to itself has no end.
const maxConfigDepth = 8

func checkConfigAt(t reflect.Type, path string, depth int) error {
	if depth == 0 {
		return fmt.Errorf("Rules.Config: %s is too deep, %d levels allowed", path, maxConfigDepth)
	}
	switch t.Kind() { //nolint:exhaustive // the rest is refused
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return nil
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8 {
			return fmt.Errorf("Rules.Config: %s is a %v, which JSON has as numbers and schemas as a text: make it a slice", path, t)
		}
		return checkConfigAt(t.Elem(), path+"[]", depth-1)
	case reflect.Struct:
		seen := map[string]bool{}
		for i := range t.NumField() {
			f := t.Field(i)
			at := path + "." + f.Name
			tag, ok := f.Tag.Lookup("json")
			name, option, _ := strings.Cut(tag, ",")
			switch {
			case !f.IsExported() || f.Anonymous:
				return fmt.Errorf("Rules.Config: %s is not an exported field with a name of its own", at)
			case !ok || name == "" || name == "-":
				return fmt.Errorf("Rules.Config: %s has no name in a json tag", at)
			case option == "string": // schemas say that it is a number
				return fmt.Errorf("Rules.Config: %s has an option %q in its json tag", at, option)
			case seen[name]:
				return fmt.Errorf("Rules.Config: the name %q of %s is there twice, so JSON has neither", name, at)
			}
			seen[name] = true
			if err := checkConfigAt(f.Type, at, depth-1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("Rules.Config: %s is a %v, which a config cannot have", path, t)
}

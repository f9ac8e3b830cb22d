package lobby

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// maxConfig bounds a room's config, in bytes.
const maxConfig = 4 << 10

// config is what a game's rooms may be made with.
type config struct {
	of       reflect.Type // nil: nothing
	check    func(config []byte) error
	registry huma.Registry
	schema   *huma.Schema
}

// newConfig makes a JSON schema of the type of Game.Config, which no field of a config needs to follow by being there:
// what is absent is zero.
func newConfig(g *Game) (c *config, err error) {
	c = &config{check: g.CheckConfig}
	if g.Config == nil {
		return c, nil
	}
	defer func() {
		if p := recover(); p != nil { // the library's way to say that a tag is wrong
			err = fmt.Errorf("game %q: its config: %v", g.Name, p)
		}
	}()
	c.of = reflect.TypeOf(g.Config)
	c.registry = huma.NewMapRegistry("#/", huma.DefaultSchemaNamer)
	c.schema = huma.SchemaFromType(c.registry, c.of)
	optional(c.schema)
	for _, s := range c.registry.Map() {
		optional(s)
	}
	return c, nil
}

func optional(s *huma.Schema) {
	s.Required = nil
	s.PrecomputeMessages()
}

// read returns a room's config as the game takes it, with the fields of its type and nothing else, or what is wrong with
// it.
func (c *config) read(text json.RawMessage) ([]byte, []error) {
	const at = "body.config"
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return nil, nil
	case c.of == nil:
		return nil, []error{&huma.ErrorDetail{Message: "the game's rooms have no config", Location: at}}
	case len(text) > maxConfig:
		return nil, []error{&huma.ErrorDetail{Message: "expected at most 4 KiB", Location: at}}
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, []error{&huma.ErrorDetail{Message: "expected JSON", Location: at}}
	}
	path, res := huma.NewPathBuffer([]byte(at), len(at)), &huma.ValidateResult{}
	huma.Validate(c.registry, c.schema, path, huma.ModeWriteToServer, value, res)
	if len(res.Errors) > 0 {
		return nil, res.Errors
	}
	exact, err := c.exact(text)
	switch {
	case err == nil && len(exact) > maxConfig:
		err = errors.New("expected at most 4 KiB")
	case err == nil && c.check != nil:
		err = c.check(exact)
	}
	if err != nil {
		return nil, []error{&huma.ErrorDetail{Message: err.Error(), Location: at}}
	}
	return exact, nil
}

// exact writes a config anew. Of a field that is there twice the last one is what was looked at, so it goes the way over
// what has each once: read into the struct at once, both would be mixed.
func (c *config) exact(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // large ones stay what they are
	var value any
	err := d.Decode(&value)
	if err == nil {
		text, err = json.Marshal(value)
	}
	own := reflect.New(c.of).Interface()
	if err == nil {
		err = json.Unmarshal(text, own)
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // says what is wrong with the config
	}
	return json.Marshal(own) //nolint:wrapcheck // what was JSON can be JSON again
}

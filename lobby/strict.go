package lobby

import (
	"maps"

	"github.com/danielgtaylor/huma/v2"

	"muster/internal/strictjson"
)

// Names of fields have one spelling. Else a body could have a field twice, of which one is looked at and the other used:
// encoding/json takes any spelling, the last one counts.
func init() { huma.ValidateStrictCasing = true }

// maxBodyDepth bounds how deep objects and lists stand in each other in a body.
const maxBodyDepth = 64

// strictFormats are what requests and answers are written in: JSON, whose bodies have no key twice in an object. Else
// the last would be looked at, and where they are objects all of them, mixed, be used.
func strictFormats() map[string]huma.Format {
	formats := maps.Clone(huma.DefaultFormats)
	for name, f := range formats {
		read := f.Unmarshal
		f.Unmarshal = func(data []byte, v any) error {
			if _, first := v.(*any); first { // a body is read twice, first to be looked at
				if err := strictjson.Check(data, maxBodyDepth); err != nil {
					return err //nolint:wrapcheck // it is what the client is told
				}
			}
			return read(data, v)
		}
		formats[name] = f
	}
	return formats
}

package lobby

import "github.com/danielgtaylor/huma/v2"

// Names of fields have one spelling. Else a body could have a field twice, of which one is looked at and the other used:
// encoding/json takes any spelling, the last one counts.
func init() { huma.ValidateStrictCasing = true }

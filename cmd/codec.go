package cmd

import (
	"fmt"
	"os"
	"time"

	"muster/internal/movement"
)

// codecCmd says what recorded movement costs on the wire.
type codecCmd struct {
	File       string  `arg:"" help:"CSV of tick,entity,x,y or tick,entity,x,y,angle, the angle in radians; - is standard input." placeholder:"FILE"`
	Step       float64 `help:"The grid of x and y, in the file's units." default:"0.01"`
	AngleSteps int     `name:"angle-steps" help:"Into how many steps a turn is cut: a power of two." default:"1024"`
}

// Help implements kong's HelpProvider.
func (codecCmd) Help() string {
	return `It encodes the movement for one viewer, decodes it, and checks that both are the same on the grid. The line that it
prints has the costs in three forms: the codec's own, plain (plain_…), and the whole state as MessagePack (msgpack_…).
An update is one entity in one frame, whether it moved or not; keyframe_bytes is what one who comes late gets first.

Example:

  muster codec race.csv --step 0.01 --angle-steps 1024`
}

// Run implements the command.
func (c *codecCmd) Run(p *program) error {
	in := os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("opening the movement: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	rec, err := movement.Read(in)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	costs, err := movement.Measure(rec, movement.Grid{Step: c.Step, AngleSteps: c.AngleSteps}, time.Second/3)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintf(p.stderr, "%d frames, at most %d entities at once\n", len(rec.Frames), rec.Most)
	for i, form := range []struct {
		prefix string
		cost   movement.Cost
	}{{"", costs.Bits}, {"plain_", costs.Plain}, {"msgpack_", costs.MessagePack}} {
		if i > 0 {
			fmt.Fprint(p.stdout, " ")
		}
		fmt.Fprintf(p.stdout, "%sbytes_per_update=%.3f %skeyframe_bytes=%.0f %sencode_ns_per_field=%.1f %sdecode_ns_per_field=%.1f",
			form.prefix, form.cost.BytesPerUpdate, form.prefix, form.cost.KeyframeBytes,
			form.prefix, form.cost.EncodeNsPerField, form.prefix, form.cost.DecodeNsPerField)
	}
	_, err = fmt.Fprintln(p.stdout)
	return err //nolint:wrapcheck // of standard output
}

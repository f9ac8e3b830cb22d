package simulate

import (
	"fmt"
	"image/color"
	"io"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Panel is a chart: lines over the same names.
type Panel struct {
	Title, X, Y string
	Names       []string
	Lines       []Line
}

// Line is one of a panel's lines: a value for each name.
type Line struct {
	Name   string
	Values []float64
}

// colours are of a panel's lines, told apart by those who see few colours too.
var colours = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff}, color.RGBA{0x55, 0x55, 0x55, 0xff},
}

// Panels are the charts of a report.
func (rep *Report) Panels() []Panel {
	waits := func(title, x string, rows []Row) Panel {
		p := Panel{Title: title, X: x, Y: "seconds", Lines: []Line{{Name: "p50"}, {Name: "p90"}, {Name: "p99"}}}
		for i := range rows {
			p.Names = append(p.Names, tick(rows[i].Name))
			for j, v := range []float64{rows[i].Wait.P50, rows[i].Wait.P90, rows[i].Wait.P99} {
				p.Lines[j].Values = append(p.Lines[j].Values, v)
			}
		}
		return p
	}
	spread := Panel{Title: "Spread of ratings in a match", X: "tenth of the ratings", Y: "points", Lines: []Line{{Name: "p50"}, {Name: "p90"}}}
	uneven := Panel{Title: "Predicted chance of the strongest team, less 0.5", X: "tenth of the ratings", Lines: []Line{{Name: "mean"}, {Name: "p90"}}}
	for i := range rep.BySkill {
		r := &rep.BySkill[i]
		spread.Names, uneven.Names = append(spread.Names, tick(r.Name)), append(uneven.Names, tick(r.Name))
		for p, values := range map[*Panel][]float64{&spread: {r.Spread.P50, r.Spread.P90}, &uneven: {r.Uneven.Mean, r.Uneven.P90}} {
			for j, v := range values {
				p.Lines[j].Values = append(p.Lines[j].Values, v)
			}
		}
	}
	return []Panel{
		waits("Wait by skill", "tenth of the ratings", rep.BySkill), waits("Wait by party", "players", rep.BySize),
		waits("Wait by hour", "hour", rep.ByHour), spread, uneven,
	}
}

// tick is a row's name, short: what stands before a colon.
func tick(name string) string {
	for i, c := range name {
		if c == ':' {
			return name[:i]
		}
	}
	return name
}

// WriteSVG draws panels, two beside each other.
func WriteSVG(out io.Writer, panels []Panel) error {
	const width, height, pad = 312, 198, 17 // in points
	rows := (len(panels) + 1) / 2
	grid := make([][]*plot.Plot, rows)
	for i := range grid {
		grid[i] = make([]*plot.Plot, 2)
	}
	for i := range panels {
		p, err := panels[i].plot()
		if err != nil {
			return fmt.Errorf("drawing %q: %w", panels[i].Title, err)
		}
		grid[i/2][i%2] = p
	}
	canvas := vgsvg.New(2*width, vg.Length(rows)*height)
	canvas.SetColor(color.White)
	tiles := draw.Tiles{Rows: rows, Cols: 2, PadX: pad, PadY: pad, PadTop: pad / 2, PadBottom: pad / 2, PadLeft: pad / 2, PadRight: pad / 2}
	aligned := plot.Align(grid, tiles, draw.New(canvas))
	for i := range panels {
		grid[i/2][i%2].Draw(aligned[i/2][i%2])
	}
	if _, err := canvas.WriteTo(out); err != nil {
		return fmt.Errorf("writing the plot: %w", err)
	}
	return nil
}

func (p *Panel) plot() (*plot.Plot, error) {
	c := plot.New()
	c.Title.Text, c.X.Label.Text, c.Y.Label.Text = p.Title, p.X, p.Y
	c.Y.Min = 0
	if len(p.Names) == 0 {
		return c, nil
	}
	names := slices.Clone(p.Names)
	for i := range names {
		if every := 1 + len(names)/13; i%every != 0 { // or they would lie upon each other
			names[i] = ""
		}
	}
	c.NominalX(names...)
	c.Legend.Top, c.Legend.Left = true, true
	c.Add(plotter.NewGrid())
	for i, line := range p.Lines {
		points := make(plotter.XYs, len(line.Values))
		for j, v := range line.Values {
			points[j].X, points[j].Y = float64(j), v
		}
		l, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller names the panel
		}
		l.Color, dots.Color = colours[i%len(colours)], colours[i%len(colours)]
		l.Width, dots.Shape, dots.Radius = vg.Points(1.5), draw.CircleGlyph{}, vg.Points(2)
		c.Add(l, dots)
		c.Legend.Add(line.Name, l, dots)
	}
	c.Y.Min, c.Y.Max = 0, c.Y.Max*(1.2+0.1*float64(len(p.Lines))) // room for the legend
	return c, nil
}

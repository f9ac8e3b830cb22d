// Package tstypes prints a game's schema as TypeScript: the types of the rows that the client library hands out, of the
// inputs that it takes, and of the events that it delivers. It prints types alone, never code.
package tstypes

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"muster/netcode"
)

// Print writes the module of a game's types.
func Print(w io.Writer, game, rules string, sc *netcode.Schema) error {
	p := printer{sc: sc, names: map[string]string{}}
	p.line("// The types of the game %q, rules version %q. Printed by: muster types --game %s", game, rules, game)
	for i := range sc.Tables {
		p.table(&sc.Tables[i])
	}
	p.line("")
	p.line("/** The state, table by table. */")
	p.line("export interface State {")
	for i := range sc.Tables {
		t := &sc.Tables[i]
		p.comment("  ", tableNote(t))
		p.line("  %s: %s;", key(t.Name), p.rowName(t))
	}
	p.line("}")
	p.line("")
	p.line("/** What a player sends. */")
	p.fields("Input", sc.Input, false)
	for i := range sc.Events {
		p.line("")
		p.fields(typeName(sc.Events[i].Name)+"Event", sc.Events[i].Fields, false)
	}
	p.line("")
	p.line("/** The events, by their names. */")
	p.line("export interface Events {")
	for i := range sc.Events {
		p.line("  %s: %sEvent;", key(sc.Events[i].Name), typeName(sc.Events[i].Name))
	}
	p.line("}")
	_, err := io.WriteString(w, p.out.String())
	if err != nil {
		return fmt.Errorf("printing types: %w", err)
	}
	return nil
}

type printer struct {
	sc    *netcode.Schema
	out   strings.Builder
	names map[string]string // type names that are printed: of which fields
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.out, format+"\n", args...)
}

func (p *printer) comment(indent, text string) {
	if text != "" {
		p.line("%s/** %s */", indent, text)
	}
}

// table prints the type of a table's rows, once where several tables have the same.
func (p *printer) table(t *netcode.TableInfo) {
	name := p.rowName(t)
	if p.names[name] == shape(t) {
		return
	}
	p.names[name] = shape(t)
	p.line("")
	p.fields(name, t.Fields, true)
}

// rowName is the Go type's name, or one made of the table's where that is taken by other rows.
func (p *printer) rowName(t *netcode.TableInfo) string {
	name := typeName(t.Row)
	if t.Row == "" || reserved[name] {
		name = typeName(t.Name) + "Row"
	}
	if of, taken := p.names[name]; taken && of != shape(t) {
		name = typeName(t.Name) + "Row"
	}
	return name
}

// reserved are the names that Print uses itself.
var reserved = map[string]bool{"State": true, "Input": true, "Events": true}

func shape(t *netcode.TableInfo) string {
	var s strings.Builder
	for i := range t.Fields {
		if f := &t.Fields[i]; f.Sent() {
			fmt.Fprintln(&s, f.Name, f.Kind, f.Bits, f.Max, f.Min, f.Step, f.Top, f.Names, f.Ref)
		}
	}
	return s.String()
}

func tableNote(t *netcode.TableInfo) string {
	if t.Single {
		return "A single row."
	}
	return fmt.Sprintf("At most %d rows.", t.Max)
}

func (p *printer) fields(name string, list []netcode.Field, rows bool) {
	p.line("export interface %s {", name)
	for i := range list {
		f := &list[i]
		if !f.Sent() {
			continue
		}
		p.comment("  ", p.note(f))
		optional := ""
		if f.Element() || rows && (f.Owners() || f.Teams()) {
			optional = "?"
		}
		p.line("  %s%s: %s;", key(f.Name), optional, typeOf(f))
	}
	p.line("}")
}

func typeOf(f *netcode.Field) string {
	switch f.Kind {
	case netcode.KindBool:
		return "boolean"
	case netcode.KindString:
		return "string"
	case netcode.KindBytes:
		return "Uint8Array"
	case netcode.KindEnum:
		names := make([]string, len(f.Names))
		for i, n := range f.Names {
			names[i] = strconv.Quote(n)
		}
		return strings.Join(names, " | ")
	case netcode.KindInt, netcode.KindUint:
		if f.Bits == 64 {
			return "bigint"
		}
	default:
	}
	return "number"
}

// note says what a type cannot.
func (p *printer) note(f *netcode.Field) string {
	var notes []string
	switch f.Kind {
	case netcode.KindFixed:
		notes = append(notes, fmt.Sprintf("%s to %s in steps of %s", number(f.Min), number(f.Min+float64(f.Top)*f.Step), number(f.Step)))
	case netcode.KindAngle:
		notes = append(notes, fmt.Sprintf("radians from 0 to 2π, in %d steps", 1<<f.Bits))
	case netcode.KindString:
		notes = append(notes, fmt.Sprintf("at most %d bytes of UTF-8", f.Max))
	case netcode.KindBytes:
		notes = append(notes, fmt.Sprintf("at most %d bytes", f.Max))
	case netcode.KindLen:
		notes = append(notes, fmt.Sprintf("how many elements there are, at most %d", f.Max))
	case netcode.KindRef:
		notes = append(notes, fmt.Sprintf("the id of a row of %s, or 0", p.sc.Tables[f.Ref].Name))
	case netcode.KindInt:
		if f.Bits < 32 {
			notes = append(notes, fmt.Sprintf("%d to %d", -(1<<(f.Bits-1)), 1<<(f.Bits-1)-1))
		}
	case netcode.KindUint:
		if f.Seat() {
			notes = append(notes, "a seat, 0 for none")
		} else if f.Bits < 32 {
			notes = append(notes, fmt.Sprintf("0 to %d", 1<<f.Bits-1))
		}
	default:
	}
	if f.Owners() {
		notes = append(notes, "for the row's owner only")
	}
	if f.Teams() {
		notes = append(notes, "for the team of the row's owner only")
	}
	if len(notes) == 0 {
		return ""
	}
	text := strings.Join(notes, "; ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 12, 64) }

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// key is a property's name, in quotes where it needs them.
func key(name string) string {
	if identifier.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

// typeName makes a type's name of any.
func typeName(name string) string {
	var s strings.Builder
	for _, r := range name {
		if r < 0x80 && identifier.MatchString("a"+string(r)) {
			s.WriteRune(r)
		}
	}
	text := s.String()
	if text == "" || !identifier.MatchString(text) {
		return "T" + text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

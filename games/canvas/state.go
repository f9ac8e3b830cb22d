package canvas

import "muster/netcode"

// The board that is drawn on, in its own units; x grows to the right and y downwards.
const (
	BoardWidth  = 4096
	BoardHeight = 3072
)

// What a room holds at most. What goes beyond is refused with a reason.
const (
	MaxText    = 128 << 10 // bytes of text that is shown
	MaxStrokes = 12_000    // lines on the board
	MaxInk     = 4 << 20   // bytes of the points of all lines
	MaxWidth   = 64        // of a line, in units of the board
	Colours    = 16        // of which a line has one, by its number
)

// World is the whole state of a room: a text, a drawing, and who is at them.
type World struct {
	Cursors netcode.Table[Cursor] `net:"max=64"`
	Authors netcode.Table[Author] `net:"max=1024"`
	Runs    netcode.Table[Run]    `net:"max=16384"`
	Strokes netcode.Table[Stroke] `net:"max=24576"`
	Board   netcode.Value[Board]

	index index // where things are; worked out anew when it is not there
}

// Place names a character for good: the N-th that an author has typed. No author has the number 0, so the zero value is
// no character: the text's begin.
type Place struct {
	Author uint16
	N      uint32
}

// Run is a part of the text: characters that one author typed one after the other, numbered N, N+1, and so on. Runs
// make a list: each names the one before it. Characters that were deleted keep their place in it for a while, so that who
// typed behind them meanwhile is understood: a run's characters are all there or all deleted.
type Run struct {
	After  netcode.ID `net:"ref=Runs"` // the run before it; 0: it is the first
	Author uint16
	N      uint32
	Len    uint16 // Unicode characters
	Text   string `net:"max=1024"` // empty: they are deleted

	Was  string `net:"max=1024,server"` // what deleted ones said
	By   uint16 `net:"server"`          // the author who deleted them
	Gone uint32 `net:"server"`          // the tick at which that was
}

// Stroke is a line on the board, or a part of a long one, which has several rows. A line is named by its author and N.
// Lines are drawn in the order of N, those of one N in the order of authors, the parts of each in theirs.
type Stroke struct {
	Author uint16 `net:"once"`
	N      uint32 `net:"once"`
	Part   uint16 `net:"once"` // counts from 0; each begins at the last point of the one before
	Colour uint8  `net:"once"`
	Width  uint8  `net:"once"`
	Points string `net:"max=320"` // see AppendPoints
}

// Board is what is known of the drawing as a whole.
type Board struct {
	Clock uint32 // no line has a greater N; a new one takes the next
	Lines uint16 // how many there are
	Ink   uint32 // bytes of their points
}

// Author is somebody who is here, or of whom something is here. Numbers count from 1.
type Author struct {
	Number uint16 `net:"once"`
	Name   string `net:"max=24"`
	Next   uint32 // the number that the next character of this author may have; all below are taken

	Player string `net:"max=64,server"` // the player's id
	Last   uint32 `net:"server"`        // the N of the author's newest line
	Here   bool   `net:"server"`        // has a seat
}

// Cursor is where one who is here points: on the board, or in the text, where what is selected is between Mark and
// Caret. Both are behind the characters that they name.
type Cursor struct {
	Owner  netcode.Seat `net:"once"`
	Author uint16       `net:"once"`
	Away   bool         // the connection is lost
	On     Where
	X, Y   float32 `net:"range=0:4096,step=1,predict"`
	Caret  Place
	Mark   Place
}

// Where is what a cursor is on.
type Where uint8

// What a cursor may be on.
const (
	Nowhere Where = iota
	OnBoard
	InText
)

// EnumNames implements netcode.Enum.
func (Where) EnumNames() []string { return []string{"Nowhere", "OnBoard", "InText"} }

// Input is one command. Op says which, and which other fields it has; the others are zero.
type Input struct {
	Op     Op
	N      uint32  // Insert: the number of the first character. Draw, Extend: the line's
	At     Place   // Insert: the character before. Caret: where it is
	Mark   Place   // Caret: the other end of what is selected
	Text   string  `net:"max=3000"` // Insert: the characters. Draw, Extend: points, the first one from 0, 0
	Which  []byte  `net:"max=960"`  // Delete, Restore, Erase: see AppendRange
	Colour uint8   // Draw
	Width  uint8   // Draw
	X, Y   float32 `net:"range=0:4096,step=1"` // Point
}

// Op is what a command does.
type Op uint8

// The commands.
const (
	Hide    Op = iota // the cursor is nowhere
	Point             // it is on the board
	Caret             // it is in the text
	Insert            // puts text behind a character, and the caret behind that
	Delete            // deletes characters; those that are deleted already are passed over
	Restore           // brings back characters that this author deleted; others are passed over
	Draw              // begins a line
	Extend            // draws an own line on
	Erase             // erases whole lines, whoever drew them; those that are gone are passed over
	Clear             // erases all lines of this author
)

// EnumNames implements netcode.Enum.
func (Op) EnumNames() []string {
	return []string{"Hide", "Point", "Caret", "Insert", "Delete", "Restore", "Draw", "Extend", "Erase", "Clear"}
}

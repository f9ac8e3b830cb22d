package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/match/journal"
)

// replayShowCmd says what is in a replay.
type replayShowCmd struct {
	File  string `arg:"" help:"The replay; - is standard input." placeholder:"FILE"`
	JSON  bool   `name:"json" help:"Print one JSON object instead of text."`
	Ticks bool   `help:"With --json: after it, one JSON object a line for each recorded tick."`
}

// Help implements kong's HelpProvider.
func (replayShowCmd) Help() string {
	return `All of it comes from the file; the game need not be in this program. Who joined may have been refused by the rules: a
file does not say that. Exit status 0 also for a file that was cut short, of which everything before the cut is shown.

Examples:

  muster replay show match.muster
  muster replay show match.muster --json --ticks | jq -c 'select(.inputs)'`
}

// Run implements the command.
func (c *replayShowCmd) Run(p *program) error {
	if c.Ticks && !c.JSON {
		return errors.New("--ticks needs --json")
	}
	f, err := p.openReplay(c.File)
	if err != nil {
		return &statusError{statusUnreadable, err}
	}
	defer f.close()
	s, err := summaryOf(f)
	if err != nil {
		return &statusError{statusUnreadable, fmt.Errorf("%s: %w", f.name, err)}
	}
	if !c.JSON {
		return s.write(p.stdout)
	}
	if err := writeJSON(p.stdout, s); err != nil || !c.Ticks {
		return err
	}
	rd, err := journal.NewReader(f)
	if err != nil {
		return &statusError{statusUnreadable, fmt.Errorf("%s: %w", f.name, err)}
	}
	return eachItem(rd, func(rec *journal.Record, _ *journal.Checkpoint) error {
		if rec == nil {
			return nil
		}
		return writeJSON(p.stdout, tickOf(rec))
	})
}

// eachItem calls do with what can be read, up to a file's end or its damage, which the reader then knows.
func eachItem(rd *journal.Reader, do func(*journal.Record, *journal.Checkpoint) error) error {
	for {
		rec, cp, err := rd.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, journal.ErrMalformed):
			return nil
		case err != nil:
			return err //nolint:wrapcheck // says what it did
		}
		if err := do(rec, cp); err != nil {
			return err
		}
	}
}

// Bounds of what is kept of a replay, however long it is.
const (
	maxStays   = 2000 // players who came
	maxMoves   = 20   // what one of them did
	maxSkipped = 100
)

// summary is what is in a replay.
type summary struct {
	Game     string `json:"game"`
	Rules    string `json:"rules"`
	Room     string `json:"room"`
	Epoch    string `json:"epoch"` // numbers beyond 2^53 are texts in JSON
	Seed     string `json:"seed"`
	Class    string `json:"class"`
	Reason   string `json:"reason"`
	Server   string `json:"server"`
	Created  string `json:"created"` // RFC 3339
	TickRate uint16 `json:"tick_rate"`
	Seats    uint16 `json:"seats"`
	Config   []byte `json:"config,omitempty"`

	First           uint32   `json:"first_tick"` // of the first checkpoint or record
	Last            uint32   `json:"last_tick"`
	Seconds         float64  `json:"seconds"`
	Records         int      `json:"records"`
	Hashes          int      `json:"hashes"` // records that have one
	Checkpoints     int      `json:"checkpoints"`
	CheckpointBytes int      `json:"checkpoint_bytes"` // of the largest
	Inputs          int      `json:"inputs"`
	Results         int      `json:"results"`           // of work outside
	Orders          int      `json:"orders,omitempty"`  // of backends and operators
	Gaps            int      `json:"gaps"`              // places where ticks are missing
	Started         uint32   `json:"started,omitempty"` // the tick
	Skipped         []uint32 `json:"skipped,omitempty"`
	SkippedMore     int      `json:"skipped_more,omitempty"`
	Truncated       bool     `json:"truncated"`
	Damage          string   `json:"damage,omitempty"`
	Damaged         bool     `json:"damaged,omitempty"` // it was not only cut
	Players         []*stay  `json:"players"`
	PlayersMore     int      `json:"players_more,omitempty"`

	seen bool
	here map[uint16]*stay
}

// stay is one player in one seat.
type stay struct {
	Seat   uint16 `json:"seat"`
	Player string `json:"player,omitempty"` // "" where the player was there before the replay
	Name   string `json:"name,omitempty"`
	Team   uint16 `json:"team,omitempty"`
	Inputs int    `json:"inputs"`
	Moves  []move `json:"changes"`
	More   int    `json:"changes_more,omitempty"`
}

// move is a change of a seat.
type move struct {
	Tick   uint32 `json:"tick"`
	Change string `json:"change"`
}

// summaryOf reads a replay through.
func summaryOf(src io.ReadSeeker) (*summary, error) {
	rd, err := journal.NewReader(src)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	h := rd.Header()
	s := &summary{
		Game: h.Game, Rules: h.Rules, Room: h.Room, Epoch: fmt.Sprint(h.Epoch), Seed: fmt.Sprintf("%#x", h.Seed),
		Class: h.Class, Reason: h.Reason, Server: h.Server, Created: time.UnixMilli(h.Created).UTC().Format(time.RFC3339),
		TickRate: h.TickRate, Seats: h.Seats, Config: h.Config, Players: []*stay{}, here: map[uint16]*stay{},
	}
	err = eachItem(rd, func(rec *journal.Record, cp *journal.Checkpoint) error {
		if cp != nil {
			s.checkpoint(cp)
		} else {
			s.record(rec)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.Seconds = float64(s.Last-s.First) / float64(max(1, s.TickRate))
	s.Truncated = rd.Truncated()
	if s.Truncated {
		s.Damage, s.Damaged = rd.Damage().Error(), rd.Damaged()
	}
	return s, nil
}

func (s *summary) checkpoint(cp *journal.Checkpoint) {
	s.Checkpoints++
	s.CheckpointBytes = max(s.CheckpointBytes, len(cp.Data))
	if s.seen && cp.Tick > s.Last {
		s.Gaps++
	}
	s.tick(cp.Tick)
}

func (s *summary) tick(tick uint32) {
	if !s.seen {
		s.First, s.seen = tick, true
	}
	s.Last = tick
}

func (s *summary) record(rec *journal.Record) {
	if s.seen && rec.Tick != s.Last+1 {
		s.Gaps++
	}
	s.tick(rec.Tick)
	s.Records++
	s.Inputs += len(rec.Inputs)
	s.Results += len(rec.Results)
	s.Orders += len(rec.Orders)
	if rec.Hash != 0 {
		s.Hashes++
	}
	if rec.Started && s.Started == 0 {
		s.Started = rec.Tick
	}
	if rec.Skipped && len(s.Skipped) < maxSkipped {
		s.Skipped = append(s.Skipped, rec.Tick)
	} else if rec.Skipped {
		s.SkippedMore++
	}
	for i := range rec.Seats {
		s.change(rec.Tick, &rec.Seats[i])
	}
	for i := range rec.Inputs {
		seat := rec.Inputs[i].Seat
		who := s.here[seat]
		if who == nil {
			who = s.come(&stay{Seat: seat})
		}
		who.Inputs++
	}
}

// change notes that a player came, went, or was lost and back.
func (s *summary) change(tick uint32, ch *journal.SeatChange) {
	seat := uint16(ch.Player.Seat)
	who := s.here[seat]
	if who == nil || ch.Kind == journal.SeatJoined {
		who = s.come(&stay{Seat: seat})
	}
	who.Player, who.Name, who.Team = ch.Player.ID, ch.Player.Name, ch.Player.Team
	if len(who.Moves) < maxMoves {
		who.Moves = append(who.Moves, move{tick, changeName(ch.Kind)})
	} else {
		who.More++
	}
	if ch.Kind == journal.SeatLeft {
		delete(s.here, seat)
	}
}

// come adds a player, or counts one who is too many.
func (s *summary) come(who *stay) *stay {
	who.Moves = []move{}
	s.here[who.Seat] = who
	if len(s.Players) < maxStays {
		s.Players = append(s.Players, who)
	} else {
		s.PlayersMore++
	}
	return who
}

// tickRecord is a record as JSON. Bodies are base64.
type tickRecord struct {
	Tick    uint32       `json:"tick"`
	Seats   []tickSeat   `json:"seats,omitempty"`
	Results []tickResult `json:"results,omitempty"`
	Orders  []tickOrder  `json:"orders,omitempty"`
	Inputs  []tickInput  `json:"inputs,omitempty"`
	Started bool         `json:"started,omitempty"`
	Skipped bool         `json:"skipped,omitempty"`
	Hash    string       `json:"hash,omitempty"`
	Sums    []uint16     `json:"sums,omitempty"`
}

type tickSeat struct {
	Seat   uint16 `json:"seat"`
	Change string `json:"change"`
	Player string `json:"player"`
	Name   string `json:"name"`
	Team   uint16 `json:"team,omitempty"`
}

type tickInput struct {
	Seat uint16 `json:"seat"`
	Seq  uint32 `json:"seq"`
	View uint32 `json:"view"`
	Frac uint8  `json:"frac"`
	Body []byte `json:"body"`
}

type tickOrder struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Player string `json:"player,omitempty"`
	Team   uint16 `json:"team,omitempty"`
	Text   string `json:"text,omitempty"`
	Body   []byte `json:"body,omitempty"`
}

type tickResult struct {
	ID    uint32 `json:"id"`
	Seat  uint16 `json:"seat,omitempty"`
	Error string `json:"error,omitempty"`
	Body  []byte `json:"body,omitempty"`
}

func tickOf(rec *journal.Record) *tickRecord {
	t := &tickRecord{Tick: rec.Tick, Started: rec.Started, Skipped: rec.Skipped, Sums: rec.Sums}
	if rec.Hash != 0 {
		t.Hash = fmt.Sprintf("%#x", rec.Hash)
	}
	for _, c := range rec.Seats {
		p := &c.Player
		t.Seats = append(t.Seats, tickSeat{uint16(p.Seat), changeName(c.Kind), p.ID, p.Name, p.Team})
	}
	for _, o := range rec.Orders {
		t.Orders = append(t.Orders, tickOrder{o.ID, o.Kind.String(), o.Player, o.Team, o.Text, o.Body})
	}
	for _, in := range rec.Inputs {
		t.Inputs = append(t.Inputs, tickInput(in))
	}
	for _, r := range rec.Results {
		t.Results = append(t.Results, tickResult{r.ID, uint16(r.Seat), r.Err, r.Body})
	}
	return t
}

// writeJSON writes one line of JSON in which a terminal obeys nothing.
func writeJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	safe := make([]byte, 0, len(b)+1)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			safe = append(safe, b[:n]...)
		case r > 0xffff:
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			safe = fmt.Appendf(safe, `\u%04x`, r) // such a character stands in a string
		}
		b = b[n:]
	}
	_, err = w.Write(append(safe, '\n'))
	return err //nolint:wrapcheck // of standard output
}

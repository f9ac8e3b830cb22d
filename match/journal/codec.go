package journal

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"muster/netcode"
	"muster/proto"
)

// Bounds of what a journal holds. A record or checkpoint beyond them is refused when it is written, and never believed
// when it is read.
const (
	// MaxRecord bounds one encoded record, in bytes.
	MaxRecord = 4 << 20
	// MaxCheckpoint bounds a checkpoint's data, in bytes.
	MaxCheckpoint = 64 << 20
	// MaxConfig bounds Header.Config, in bytes.
	MaxConfig = 4 << 10
	// MaxLayout bounds Header.Layout, in bytes.
	MaxLayout = 64 << 10
	// MaxWork bounds the body of a WorkResult, in bytes.
	MaxWork = 64 << 10
	// MaxText bounds the texts of a header and a WorkResult's error, in bytes.
	MaxText = 1 << 10

	maxName    = 256 // of a player
	maxChanges = 1 << 13
	maxResults = 1 << 12
	maxInputs  = 1 << 15
	maxSums    = 1 << 13
	maxBody    = 2 * proto.MaxInputBody // ids of rows may be longer here than on the wire
)

// ErrMalformed is what every error about bytes that are no journal wraps.
var ErrMalformed = errors.New("malformed journal")

// A record is an array that ends after its last element that is not empty. Most ticks are a tick, inputs and a hash.
const (
	elemTick = iota
	elemInputs
	elemHash
	elemSums
	elemSeats
	elemResults
	elemSkipped
	elemStarted
	elemOrders
	recordLen
)

// AppendTo writes the record. Equal records give equal bytes. Texts are cut at their bounds.
func (r *Record) AppendTo(w *proto.Writer) {
	n := r.elements()
	w.Array(n)
	w.Uint(uint64(r.Tick))
	if n > elemInputs {
		w.Array(len(r.Inputs))
		for i := range r.Inputs {
			in := &r.Inputs[i]
			w.Array(5)
			w.Uint(uint64(in.Seat))
			w.Uint(uint64(in.Seq))
			w.Uint(uint64(in.View))
			w.Uint(uint64(in.Frac))
			w.Bin(in.Body)
		}
	}
	if n > elemHash {
		w.Uint(r.Hash)
	}
	if n > elemSums {
		w.Array(len(r.Sums))
		for _, s := range r.Sums {
			w.Uint(uint64(s))
		}
	}
	if n > elemSeats {
		w.Array(len(r.Seats))
		for i := range r.Seats {
			c := &r.Seats[i]
			w.Array(5)
			w.Uint(uint64(c.Kind))
			w.Uint(uint64(c.Player.Seat))
			w.Str(cut(c.Player.ID, maxName))
			w.Str(cut(c.Player.Name, maxName))
			w.Uint(uint64(c.Player.Team))
		}
	}
	if n > elemResults {
		w.Array(len(r.Results))
		for i := range r.Results {
			res := &r.Results[i]
			w.Array(4)
			w.Uint(uint64(res.ID))
			w.Uint(uint64(res.Seat))
			w.Str(cut(res.Err, MaxText))
			w.Bin(res.Body)
		}
	}
	if n > elemSkipped {
		w.Bool(r.Skipped)
	}
	if n > elemStarted {
		w.Bool(r.Started)
	}
	if n > elemOrders {
		appendOrders(w, r.Orders)
	}
}

func (r *Record) elements() int {
	switch {
	case len(r.Orders) > 0:
		return elemOrders + 1
	case r.Started:
		return elemStarted + 1
	case r.Skipped:
		return elemSkipped + 1
	case len(r.Results) > 0:
		return elemResults + 1
	case len(r.Seats) > 0:
		return elemSeats + 1
	case len(r.Sums) > 0:
		return elemSums + 1
	case r.Hash != 0:
		return elemHash + 1
	case len(r.Inputs) > 0:
		return elemInputs + 1
	}
	return elemTick + 1
}

// cut shortens a text to max bytes and makes it UTF-8, which is what the reader takes.
func cut(s string, max int) string {
	if len(s) > max {
		s = s[:max]
	}
	s = strings.ToValidUTF8(s, "")
	return s
}

// Parse reads a record from b, which it must fill, into r, whose memory it uses again. Bodies are parts of b. Errors wrap
// ErrMalformed.
func (r *Record) Parse(b []byte) error {
	rd := proto.NewReader(b)
	r.Reset()
	if len(b) > MaxRecord {
		rd.Fail("record", fmt.Sprintf("%d bytes, at most %d allowed", len(b), MaxRecord))
	}
	n := rd.Array("record", recordLen)
	r.Tick = rd.Uint32("tick")
	if n > elemInputs {
		for range rd.Array("inputs", maxInputs) {
			rd.Fixed("input", 5)
			r.Inputs = append(r.Inputs, InputRecord{
				Seat: rd.Uint16("seat"), Seq: rd.Uint32("sequence"), View: rd.Uint32("view"), Frac: rd.Uint8("fraction"),
				Body: bin(rd, "input's body", maxBody),
			})
			if rd.Err() != nil {
				break
			}
		}
	}
	if n > elemHash {
		r.Hash = rd.Uint("hash", math.MaxUint64)
	}
	if n > elemSums {
		for range rd.Array("sums", maxSums) {
			r.Sums = append(r.Sums, rd.Uint16("sum"))
		}
	}
	if n > elemSeats {
		r.parseSeats(rd)
	}
	if n > elemResults {
		r.parseResults(rd)
	}
	if n > elemSkipped {
		r.Skipped = rd.Bool("skipped")
	}
	if n > elemStarted {
		r.Started = rd.Bool("started")
	}
	if n > elemOrders {
		r.parseOrders(rd)
	}
	if rd.Err() == nil && n != r.elements() {
		rd.Fail("record", "elements that are empty at its end") // one form for each record
	}
	if rd.Err() == nil && r.Skipped && r.bodies() {
		rd.Fail("record", "skipped, and bodies")
	}
	return malformed("record", rd.Done())
}

func (r *Record) parseSeats(rd *proto.Reader) {
	for range rd.Array("seats", maxChanges) {
		rd.Fixed("seat change", 5)
		c := SeatChange{Kind: SeatChangeKind(rd.Uint8("kind"))}
		if c.Kind < SeatJoined || c.Kind > SeatLeft {
			rd.Fail("kind", fmt.Sprintf("%d is no change of a seat", c.Kind))
		}
		c.Player = Player{
			Seat: netcode.Seat(rd.Uint16("seat")), ID: rd.Str("player", maxName), Name: rd.Str("name", maxName),
			Team: rd.Uint16("team"),
		}
		r.Seats = append(r.Seats, c)
		if rd.Err() != nil {
			return
		}
	}
}

func (r *Record) parseResults(rd *proto.Reader) {
	for range rd.Array("results", maxResults) {
		rd.Fixed("result", 4)
		r.Results = append(r.Results, WorkResult{
			ID: rd.Uint32("id"), Seat: netcode.Seat(rd.Uint16("seat")), Err: rd.Str("error", MaxText),
			Body: bin(rd, "result's body", MaxWork),
		})
		if rd.Err() != nil {
			return
		}
	}
}

// bodies says whether an input or an order has a body.
func (r *Record) bodies() bool {
	return slices.ContainsFunc(r.Inputs, func(in InputRecord) bool { return len(in.Body) > 0 }) || r.orderBodies()
}

// check says whether a record can be read again.
func (r *Record) check() error {
	switch {
	case len(r.Inputs) > maxInputs, len(r.Seats) > maxChanges, len(r.Results) > maxResults, len(r.Sums) > maxSums:
		return fmt.Errorf("%w: tick %d has %d inputs, %d seat changes, %d results and %d sums", ErrMalformed, r.Tick,
			len(r.Inputs), len(r.Seats), len(r.Results), len(r.Sums))
	case r.Skipped && r.bodies():
		return fmt.Errorf("%w: tick %d is skipped and has bodies", ErrMalformed, r.Tick)
	}
	for i := range r.Inputs {
		if n := len(r.Inputs[i].Body); n > maxBody {
			return fmt.Errorf("%w: an input of tick %d has %d bytes, at most %d allowed", ErrMalformed, r.Tick, n, maxBody)
		}
	}
	for i := range r.Results {
		if n := len(r.Results[i].Body); n > MaxWork {
			return fmt.Errorf("%w: a result of tick %d has %d bytes, at most %d allowed", ErrMalformed, r.Tick, n, MaxWork)
		}
	}
	for i := range r.Seats {
		if k := r.Seats[i].Kind; k < SeatJoined || k > SeatLeft {
			return fmt.Errorf("%w: tick %d has a seat change of kind %d", ErrMalformed, r.Tick, k)
		}
	}
	return r.checkOrders()
}

// tickOf returns the tick of an encoded record.
func tickOf(b []byte) (uint32, error) {
	rd := proto.NewReader(b)
	rd.Array("record", recordLen)
	tick := rd.Uint32("tick")
	return tick, malformed("record", rd.Err())
}

// headerLen is how many elements a header has. Newer versions may append some.
const headerLen = 13

// AppendTo writes the header. Texts are cut at their bound.
func (h *Header) AppendTo(w *proto.Writer) {
	w.Array(headerLen)
	w.Str(cut(h.Room, MaxText))
	w.Str(cut(h.Game, MaxText))
	w.Str(cut(h.Rules, MaxText))
	w.Uint(h.Seed)
	w.Uint(h.Epoch)
	w.Uint(uint64(h.TickRate))
	w.Uint(uint64(h.Seats))
	w.Str(cut(h.Class, MaxText))
	w.Bin(h.Config)
	w.Bin(h.Layout)
	w.Str(cut(h.Server, MaxText))
	w.Int(h.Created)
	w.Str(cut(h.Reason, MaxText))
}

// Parse reads a header from b, which it must fill. Config and Layout are parts of b. Errors wrap ErrMalformed.
func (h *Header) Parse(b []byte) error {
	rd := proto.NewReader(b)
	n := rd.Array("header", 4*headerLen)
	*h = Header{
		Room: rd.Str("room", MaxText), Game: rd.Str("game", MaxText), Rules: rd.Str("rules", MaxText),
		Seed: rd.Uint("seed", math.MaxUint64), Epoch: rd.Uint("epoch", math.MaxUint64),
		TickRate: rd.Uint16("tick rate"), Seats: rd.Uint16("seats"), Class: rd.Str("class", MaxText),
		Config: bin(rd, "config", MaxConfig), Layout: bin(rd, "layout", MaxLayout), Server: rd.Str("server", MaxText),
		Created: rd.Int("created", math.MinInt64, math.MaxInt64), Reason: rd.Str("reason", MaxText),
	}
	rd.SkipRest("header", n, headerLen)
	return malformed("header", rd.Done())
}

// check says whether a header can be read again.
func (h *Header) check() error {
	if len(h.Config) > MaxConfig || len(h.Layout) > MaxLayout {
		return fmt.Errorf("%w: a header with %d bytes of config and %d of layout, at most %d and %d allowed", ErrMalformed,
			len(h.Config), len(h.Layout), MaxConfig, MaxLayout)
	}
	return nil
}

// bin reads a byte string; an empty one is nil.
func bin(rd *proto.Reader, field string, max int) []byte {
	if b := rd.Bin(field, max); len(b) > 0 {
		return b
	}
	return nil
}

func malformed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", ErrMalformed, what, err)
}

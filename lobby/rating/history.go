package rating

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a history. One that fills all of them takes 3 GiB of memory; a row takes about 60 bytes, and 150 while it is read.
const (
	maxRows  = 20_000_000
	maxNames = 1 << 30 // bytes of all names of games, players and teams
	maxName  = 256     // bytes
	// MaxPlayers is how many players one match may have: rating it takes time with the square of that.
	MaxPlayers = 1000
	// maxRecord bounds a row, in bytes, so that an open quote cannot take in a whole file.
	maxRecord = 64 << 10
	// maxTold is how many bad rows are named; the rest is counted.
	maxTold = 10
)

// columns are what a history has, in the order in which they stand where the file has no heading.
var columns = []string{"ended_at", "game_id", "player", "team", "score"}

// History is matches that were played, in the order in which they ended.
type History struct {
	matches []played
	entries []entry
	players int
	teams   int // names of teams, numbered from 1
	rows    int
	// Bad are the first rows that were left out, if that was allowed, and BadRows how many there were.
	Bad     []string
	BadRows int
}

// played is one match: a part of a history's entries.
type played struct {
	ended   int64 // microseconds of Unix time
	entries []entry
}

// entry is one row.
type entry struct {
	score  float64
	match  uint32
	player uint32
	team   uint32 // 0: the player is a team of his own
	line   uint32
}

// Progress hears how far something is: done of total, which is 0 where it is not known. An error of it ends the work.
type Progress func(stage string, done, total int64) error

// ReadHistory reads CSV of ended_at,game_id,player,team,score: one row for each player of a match, in any order. A first
// row that has the name ended_at is a heading; then the columns may stand in any order, and others are not looked at.
// Times are RFC 3339, a date, or Unix time in seconds or milliseconds; a match ends when the last of its rows does. A
// player without a team plays alone. Scores are finite numbers, higher is better; a team has the mean of its players',
// so that a team's score may stand in each of its rows.
//
// All of it is kept in memory, within the bounds that are stated above. Bad rows are named by their line in the error,
// or left out and counted if skipBad says so. progress may be nil.
func ReadHistory(r io.Reader, size int64, skipBad bool, progress Progress) (*History, error) {
	counted := &bounded{r: r}
	in := csv.NewReader(counted)
	in.ReuseRecord, in.TrimLeadingSpace, in.FieldsPerRecord = true, true, -1
	rd := reader{
		h: &History{}, at: []int{0, 1, 2, 3, 4},
		matches: names{}, players: names{}, teams: names{"": 0},
	}
	for first := true; ; first = false {
		f, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		counted.free = in.InputOffset() + maxRecord
		line := 0
		if err == nil {
			line, _ = in.FieldPos(0)
			if first && rd.heading(f) {
				continue
			}
			err = rd.row(f, line)
		}
		if err := rd.bad(err, line); err != nil {
			return nil, err
		}
		if rd.h.rows++; rd.h.rows > maxRows {
			return nil, fmt.Errorf("line %d: more than %d rows", line, maxRows)
		}
		if progress != nil && rd.h.rows%4096 == 0 {
			if err := progress("reading", in.InputOffset(), size); err != nil {
				return nil, err
			}
		}
	}
	h, err := rd.finish()
	if err != nil {
		return nil, err
	}
	if h.BadRows > 0 && !skipBad {
		return nil, &BadRowsError{h.Bad, h.BadRows}
	}
	return h, nil
}

// BadRowsError names rows that cannot be used.
type BadRowsError struct {
	Rows []string // the first of them, each with its line
	N    int
}

// Error implements error.
func (e *BadRowsError) Error() string {
	text := strings.Join(e.Rows, "; ")
	if e.N > len(e.Rows) {
		text += fmt.Sprintf("; and %d more", e.N-len(e.Rows))
	}
	return text
}

// bounded hands on what it reads as long as records end.
type bounded struct {
	r    io.Reader
	read int64
	free int64 // up to where may be read; 0 before the first record
}

var errTooLong = fmt.Errorf("a row is longer than %d bytes, or a quote is not closed", maxRecord)

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.read > max(b.free, maxRecord)+int64(len(p)) { // the CSV reader reads ahead by as much
		return 0, errTooLong
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	return n, err //nolint:wrapcheck // its reader says what it did
}

// names numbers texts in the order in which they come.
type names map[string]uint32

type reader struct {
	h                       *History
	at                      []int // which field is which column
	matches, players, teams names
	ended                   []int64 // of matches
	bytes                   int
	line                    int // of the last good row
}

// heading says whether the first row names the columns, and takes in their order. A heading that lacks one leaves the
// column out of bounds, so that each row says what is missing.
func (rd *reader) heading(f []string) bool {
	f = slices.Clone(f)
	for i := range f {
		f[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(f[i], "\ufeff")))
	}
	if !slices.Contains(f, columns[0]) {
		return false
	}
	for i, name := range columns {
		rd.at[i] = slices.Index(f, name)
	}
	return true
}

// bad notes an error of a row; what ends the file is returned.
func (rd *reader) bad(err error, line int) error {
	if err == nil {
		rd.line = line
		return nil
	}
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		err, line = broken.Err, broken.Line
	case line == 0:
		return fmt.Errorf("after line %d: %w", rd.line, err)
	}
	rd.note(line, err)
	return nil
}

func (rd *reader) note(line int, err error) {
	rd.h.BadRows++
	if len(rd.h.Bad) < maxTold {
		rd.h.Bad = append(rd.h.Bad, fmt.Sprintf("line %d: %v", line, err))
	}
}

func (rd *reader) row(f []string, line int) error {
	var v [5]string
	for i, at := range rd.at {
		if at < 0 || at >= len(f) {
			return fmt.Errorf("there is no %s: %d columns, want %s", columns[i], len(f), strings.Join(columns, ","))
		}
		v[i] = strings.TrimSpace(f[at])
		if len(v[i]) > maxName {
			return fmt.Errorf("%s has %d bytes, at most %d allowed", columns[i], len(v[i]), maxName)
		}
	}
	ended, ok := moment(v[0])
	if !ok {
		return fmt.Errorf("ended_at is %q, want a time like 2026-01-02T03:04:05Z or Unix time", v[0])
	}
	score, err := strconv.ParseFloat(v[4], 64)
	switch {
	case v[1] == "" || v[2] == "":
		return errors.New("game_id or player is empty")
	case err != nil || math.IsNaN(score) || math.IsInf(score, 0):
		return fmt.Errorf("score is %q, want a finite number", v[4])
	}
	e := entry{score: score, line: uint32(min(line, math.MaxUint32))} //nolint:gosec // bounded
	for _, n := range []struct {
		in   names
		name string
		to   *uint32
	}{{rd.matches, v[1], &e.match}, {rd.players, v[2], &e.player}, {rd.teams, v[3], &e.team}} {
		if *n.to, err = rd.number(n.in, n.name); err != nil {
			return err
		}
	}
	if int(e.match) == len(rd.ended) {
		rd.ended = append(rd.ended, ended)
	}
	rd.ended[e.match] = max(rd.ended[e.match], ended)
	rd.h.entries = append(rd.h.entries, e)
	return nil
}

func (rd *reader) number(in names, name string) (uint32, error) {
	n, known := in[name]
	if !known {
		if rd.bytes += len(name); rd.bytes > maxNames {
			return 0, fmt.Errorf("names have more than %d bytes in all", maxNames)
		}
		n = uint32(len(in)) //nolint:gosec // at most as many as rows
		in[strings.Clone(name)] = n
	}
	return n, nil
}

// moment reads a time, in microseconds of Unix time.
func moment(s string) (us int64, ok bool) {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if math.Abs(f) >= 1e11 { // the year 5138 in seconds, 1973 in milliseconds
			f /= 1000
		}
		if !(math.Abs(f) < 1e11) {
			return 0, false
		}
		return int64(math.Round(f * 1e6)), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMicro(), true
		}
	}
	return 0, false
}

// finish sorts the rows into matches, and the matches by time; those that end at once stay as the file has them.
func (rd *reader) finish() (*History, error) {
	h := rd.h
	h.players, h.teams = len(rd.players), len(rd.teams)
	order := make([]uint32, len(rd.ended))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return cmp.Compare(rd.ended[a], rd.ended[b]) })
	place := make([]uint32, len(order))
	for i, m := range order {
		place[m] = uint32(i)
	}
	for i := range h.entries {
		h.entries[i].match = place[h.entries[i].match]
	}
	slices.SortFunc(h.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.match, b.match), cmp.Compare(a.team, b.team), cmp.Compare(a.player, b.player), cmp.Compare(a.line, b.line))
	})
	for left := h.entries; len(left) > 0; {
		n := 1
		for n < len(left) && left[n].match == left[0].match {
			n++
		}
		p := played{ended: rd.ended[order[left[0].match]], entries: left[:n]}
		left = left[n:]
		if n > MaxPlayers {
			return nil, fmt.Errorf("line %d: the match has more than %d players", p.entries[0].line, MaxPlayers)
		}
		p.entries = rd.once(p.entries)
		h.matches = append(h.matches, p)
	}
	return h, nil
}

// once leaves a player's first row in a match and notes the others as bad.
func (rd *reader) once(list []entry) []entry {
	first := make(map[uint32]uint32, len(list)) // the line of each player's first row
	for _, e := range list {
		if at, ok := first[e.player]; !ok || e.line < at {
			first[e.player] = e.line
		}
	}
	if len(first) == len(list) {
		return list
	}
	kept := make([]entry, 0, len(first))
	for _, e := range list {
		if at := first[e.player]; e.line == at {
			kept = append(kept, e)
		} else {
			rd.note(int(e.line), fmt.Errorf("the player is in this match already, by line %d", at))
		}
	}
	return kept
}

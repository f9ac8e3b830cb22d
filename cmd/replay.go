package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"muster/match"
)

// replayCmd holds what can be done with replay files.
type replayCmd struct {
	Show   replayShowCmd   `cmd:"" help:"Say what is in a replay: players, ticks, inputs. It needs no game."`
	Verify replayVerifyCmd `cmd:"" help:"Run replays again and say whether today's rules play them the same."`
	Play   replayPlayCmd   `cmd:"" help:"Show a replay in the browser: a running server plays it by the game's rules, with seek and speed."`
	Bisect replayBisectCmd `cmd:"" help:"Name the first tick and the first field at which today's rules play a replay otherwise."`
}

// The exit statuses of verify and bisect, beside 0 for a replay that is the same.
const (
	statusDiffers    = 1
	statusUnreadable = 2
)

// maxSpool bounds a replay that comes from standard input, in bytes.
const maxSpool = 4 << 30

// replayFile is an open replay. It reads no more once ctx is done, and tells every second how far it is.
type replayFile struct {
	*os.File
	name   string          // for people
	ctx    context.Context //nolint:containedctx // the command's, for as long as the file is open
	size   int64
	off    int64
	tell   io.Writer // nil: nobody looks on
	told   time.Time
	remove bool // it is a copy of standard input
}

// openReplay opens a replay, "-" being standard input. What can be wrong with the name is in the error.
func (p *program) openReplay(name string) (*replayFile, error) {
	f := &replayFile{name: shownName(name), ctx: p.ctx, told: time.Now()}
	if out, ok := p.stderr.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		f.tell = out
	}
	if name == "-" {
		err := f.spool(os.Stdin, maxSpool)
		return f, err
	}
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no file; pipe it to -, which is standard input")
	}
	if err == nil {
		f.File, err = os.Open(name) //nolint:gosec // whoever runs the command names it
	}
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	f.size = info.Size()
	return f, nil
}

// shownName is a file's name for people.
func shownName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return text(file)
}

// spool copies standard input, in which nobody can seek, to a file of its own, of at most so many bytes.
func (f *replayFile) spool(from io.Reader, most int64) (err error) {
	if f.File, err = os.CreateTemp("", "muster-replay-*"); err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	f.remove = true
	f.size, err = io.Copy(f.File, io.LimitReader(from, most+1))
	if err == nil && f.size > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	if err != nil {
		f.close()
		return fmt.Errorf("reading standard input: %w", err)
	}
	return nil
}

// close closes the file, which was only read.
func (f *replayFile) close() {
	_ = f.File.Close()
	if f.remove {
		_ = os.Remove(f.File.Name())
	}
}

// Seek implements io.Seeker.
func (f *replayFile) Seek(offset int64, whence int) (int64, error) {
	off, err := f.File.Seek(offset, whence)
	f.off = off
	return off, err //nolint:wrapcheck // callers say what they did
}

// Read implements io.Reader.
func (f *replayFile) Read(b []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	if f.tell != nil && time.Since(f.told) >= time.Second {
		f.told = time.Now()
		_, _ = fmt.Fprintf(f.tell, "%s: %d %%\n", f.name, 100*f.off/max(1, f.size)) // nobody reads it: no reason to stop
	}
	n, err := f.File.Read(b)
	f.off += int64(n)
	return n, err //nolint:wrapcheck // callers say what they did
}

// replayed is a replay that was run again.
type replayed struct {
	game *match.Game
	rep  *match.Report
	took time.Duration
}

// replay runs a replay again with the rules that this program has of its game.
func (p *program) replay(name string) (*replayed, error) {
	f, err := p.openReplay(name)
	if err != nil {
		return nil, err
	}
	defer f.close()
	defer context.AfterFunc(p.ctx, p.interrupted)() // rules that do not return are ended by the second interrupt
	game, err := p.gameOf(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	began := time.Now()
	rep, err := match.VerifyReplay(*game, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return &replayed{game, rep, time.Since(began)}, nil
}

// status is what the run came to.
func (r *replayed) status() int {
	switch {
	case r.rep.Differs != nil, r.rep.Panic != nil:
		return statusDiffers
	case r.rep.Checked+r.compared() == 0, r.rep.Damage != nil:
		return statusUnreadable // nothing was compared, or not all of it
	}
	return 0
}

// compared is how many checkpoints were compared with the run.
func (r *replayed) compared() int { return max(0, r.rep.Checkpoints-1-r.rep.Gaps) }

// text is a text of a file for people: as it is where it is plain, quoted and escaped where it is not. Nothing in it can
// command a terminal, pass for a line of ours or turn the direction of writing around.
func text(s string) string {
	plain := s != ""
	for _, c := range s {
		plain = plain && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-+/:", c))
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// line is a longer text for people, in one line and without anything that a terminal would obey.
func line(s string) string {
	if len(s) > maxLine {
		s = s[:maxLine] + "…"
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// maxLine bounds what is shown of a text of unknown length, in bytes.
const maxLine = 2000

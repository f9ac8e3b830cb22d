package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/door"
	"muster/match/cluster"
	"muster/match/journal"
)

// journals returns the store of the matches' journals, nil where none are wanted.
func (s *server) journals(rdb redis.UniversalClient, counted *journal.Metrics) (journal.Store, error) {
	dir, inFiles := strings.CutPrefix(s.set.Journal, journalDir)
	switch {
	case inFiles:
		f, err := journal.OpenFiles(journal.FilesConfig{Dir: dir, Keep: s.set.KeepFor, Log: s.log, Metrics: counted})
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it did
		}
		return f, nil
	case s.set.Journal == journalRedis:
		return cluster.NewJournal(rdb, s.set.Namespace, cluster.JournalConfig{Keep: s.set.KeepFor}), nil
	}
	return nil, nil //nolint:nilnil // it is wanted so
}

// crashes is the directory for replays of panics, "" for none.
func (s *settings) crashes() string {
	if s.CrashDir != "" || !s.development() {
		return s.CrashDir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "" // nobody asked for it
	}
	return filepath.Join(dir, "muster", "crashes")
}

// checkCrashes makes the directory that an operator has named for replays of panics and hangs, and sees that a file can be
// written there: he should hear of it now and not with the first panic.
func (s *settings) checkCrashes() error {
	if s.CrashDir == "" {
		return nil
	}
	err := os.MkdirAll(s.CrashDir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(s.CrashDir, ".probe-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("--crash-dir %s: %w", s.CrashDir, err)
	}
	return nil
}

// What settings.Record may have besides games.
const (
	recordAll  = "all"
	recordNone = "none"
)

// recorded returns the games, those of which matches are to leave replays with rooms that keep journals.
func (s *settings) recorded(games []Game) ([]Game, error) {
	wanted := map[string]bool{}
	for _, name := range s.Record {
		wanted[name] = name != recordNone
	}
	out := make([]Game, len(games))
	for i, g := range games {
		if wanted[recordAll] || wanted[g.Name()] {
			g.Game = g.Recorded()
		}
		out[i] = g
		delete(wanted, g.Name())
	}
	delete(wanted, recordAll)
	delete(wanted, recordNone)
	for name := range wanted {
		return nil, noGame("--record "+name, games)
	}
	return out, nil
}

const (
	// maxExports is how many replays are sent at once: for each one the store may hold a match's journal in memory.
	maxExports = 2
	// exportTimeout bounds one replay, exportStall how long its reader may take nothing.
	exportTimeout = 5 * time.Minute
	exportStall   = 15 * time.Second
)

// exports sends replays to operators.
type exports struct {
	store journal.Store // nil: there are none
	log   *zap.Logger
	slots chan struct{}
	stall time.Duration
}

func newExports(store journal.Store, log *zap.Logger) *exports {
	return &exports{store, log, make(chan struct{}, maxExports), exportStall}
}

// roomID is what a room may be called for this route: it stands in a file's name.
var roomID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ServeHTTP implements http.Handler.
func (e *exports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	room := r.PathValue("room")
	switch {
	case !roomID.MatchString(room):
		door.Problem(w, http.StatusUnprocessableEntity, "a room's id has 1 to 64 letters, digits, ., - and _")
		return
	case e.store == nil:
		door.Problem(w, http.StatusNotFound, "this server keeps no journals")
		return
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	default:
		w.Header().Set("Retry-After", "5")
		door.Problem(w, http.StatusTooManyRequests, fmt.Sprintf("%d replays are being sent already", maxExports))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	out := &export{w: w, control: http.NewResponseController(w), room: room, stall: e.stall}
	err := e.store.Export(ctx, room, out)
	switch {
	case err == nil:
	case out.begun: // the status is sent: that the rest is missing shows by the connection's end
		e.log.Warn("a replay was not sent whole", zap.Error(err))
		panic(http.ErrAbortHandler)
	case errors.Is(err, journal.ErrNone):
		door.Problem(w, http.StatusNotFound, "there is no replay of such a match")
	default:
		e.log.Warn("a replay could not be read", zap.Error(err))
		w.Header().Set("Retry-After", "5")
		door.Problem(w, http.StatusServiceUnavailable, "the journals cannot be read now")
	}
}

// export is a replay on its way. Its headers go out with its first bytes, until when it may turn out that there is none.
type export struct {
	w       http.ResponseWriter
	control *http.ResponseController
	room    string
	stall   time.Duration
	begun   bool
}

// Write implements io.Writer.
func (e *export) Write(b []byte) (int, error) {
	if !e.begun {
		e.begun = true
		h := e.w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="`+e.room+`.muster"`)
	}
	if err := e.control.SetWriteDeadline(time.Now().Add(e.stall)); err != nil {
		return 0, fmt.Errorf("sending a replay: %w", err)
	}
	n, err := e.w.Write(b)
	if err != nil {
		return n, fmt.Errorf("sending a replay: %w", err)
	}
	return n, nil
}

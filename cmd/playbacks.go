package cmd

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"muster/lobby"
	"muster/match/cluster"
	"muster/match/edge"
	"muster/match/journal"
	"muster/match/playback"
	"muster/proto"
)

// playbacks shows recordings for the lobby: a session is in the process that was asked to open it, and whichever is asked
// about it asks that one.
type playbacks struct {
	sessions *playback.Sessions
	store    journal.Store // nil: there are none
	process  string
	nodes    *cluster.Nodes
	peers    *playbackPeers
	exports  chan struct{}
}

var _ lobby.Replayer = (*playbacks)(nil)

// find returns a session of this process as a room, or nil.
func (p *playbacks) find(id string) edge.Hosted {
	if s := p.sessions.Session(id); s != nil {
		return s
	}
	return nil
}

// Open implements [lobby.Replayer].
func (p *playbacks) Open(ctx context.Context, w lobby.ReplayWish) (*lobby.ShownReplay, error) {
	if w.Match != "" {
		var err error
		if w.File, err = p.export(ctx, w.Match); err != nil {
			return nil, err
		}
	}
	s, err := p.sessions.Open(ctx, playback.Request{Owner: w.Player, View: w.As, File: w.File})
	if err != nil {
		return nil, p.refusal(err)
	}
	self, err := p.node(ctx, p.process)
	if err != nil {
		return nil, err
	}
	return &lobby.ShownReplay{State: shownState(s, w.Player, false), Marks: shownMarks(s), Key: s.Key(), Node: self}, nil
}

// export reads a match's replay into memory, as far as one may be shown.
func (p *playbacks) export(ctx context.Context, room string) ([]byte, error) {
	none := &lobby.ReplayError{Status: http.StatusNotFound, Detail: "there is no replay of such a match"}
	if p.store == nil {
		return nil, none
	}
	select {
	case p.exports <- struct{}{}:
		defer func() { <-p.exports }()
	default:
		return nil, p.refusal(playback.ErrBusy)
	}
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	var file boundedFile
	err := p.store.Export(ctx, room, &file)
	switch {
	case errors.Is(err, journal.ErrNone):
		return nil, none
	case errors.Is(err, errFileTooLong):
		return nil, &lobby.ReplayError{
			Status: http.StatusConflict,
			Detail: fmt.Sprintf("the replay has more than %d MiB, which is as much as is shown; muster replay reads it", playback.MaxFile>>20),
		}
	case err != nil:
		return nil, fmt.Errorf("reading the replay of room %s: %w", room, err)
	}
	return file, nil
}

var errFileTooLong = errors.New("the file is too long")

// boundedFile is a file in memory that takes no more than one that can be shown.
type boundedFile []byte

// Write implements io.Writer.
func (f *boundedFile) Write(b []byte) (int, error) {
	if len(*f)+len(b) > playback.MaxFile {
		return 0, errFileTooLong
	}
	*f = append(*f, b...)
	return len(b), nil
}

// refusal makes the answer of an error.
func (p *playbacks) refusal(err error) error {
	var rules *playback.RulesError
	answer := &lobby.ReplayError{Status: http.StatusUnprocessableEntity, Detail: line(err.Error())}
	switch {
	case errors.As(err, &rules):
		answer.Status = http.StatusConflict
	case errors.Is(err, playback.ErrGame), errors.Is(err, playback.ErrView):
	case errors.Is(err, playback.ErrFile):
		answer.Detail = line(playback.ErrFile.Error() + ": " + strings.TrimPrefix(err.Error(), playback.ErrFile.Error()+": "))
	case errors.Is(err, playback.ErrMany):
		answer.Status, answer.Retry = http.StatusTooManyRequests, "60"
	case errors.Is(err, playback.ErrBusy):
		answer.Status, answer.Retry = http.StatusTooManyRequests, "10"
	case errors.Is(err, playback.ErrStalled):
		answer.Status, answer.Retry = http.StatusServiceUnavailable, "60" // another server may, or the one that comes after it
	case errors.Is(err, playback.ErrClosed):
		answer.Status, answer.Retry = http.StatusServiceUnavailable, "1"
	default:
		return err
	}
	return answer
}

// node returns the node of a process, the one that is alone where it has not joined yet.
func (p *playbacks) node(ctx context.Context, process string) (cluster.Node, error) {
	live, err := p.nodes.Live(ctx)
	if err != nil {
		return cluster.Node{}, err //nolint:wrapcheck // says what it did
	}
	for _, n := range live {
		if n.Process == process {
			return n, nil
		}
	}
	return cluster.Node{Asked: true}, nil
}

// noSession is the answer for a session that is not there.
func noSession() error {
	return &lobby.ReplayError{Status: http.StatusNotFound, Detail: "no such replay is shown"}
}

// Ask implements [lobby.Replayer].
func (p *playbacks) Ask(ctx context.Context, q lobby.ReplayQuestion) (*lobby.ShownReplay, error) {
	process, ok := playback.Process(q.ID)
	if !ok {
		return nil, noSession()
	}
	n, err := p.node(ctx, process)
	if err != nil && process != p.process {
		return nil, err
	}
	var s *lobby.ShownReplay
	switch {
	case process == p.process:
		s, err = p.answer(q)
	case n.Peer == "":
		return nil, noSession()
	default:
		s, err = p.peers.ask(ctx, n.Peer, q)
	}
	if err != nil {
		return nil, err
	}
	s.Node = n
	return s, nil
}

// answer answers a question about a session of this process.
func (p *playbacks) answer(q lobby.ReplayQuestion) (*lobby.ShownReplay, error) {
	s := p.sessions.Session(q.ID)
	if s == nil {
		return nil, noSession()
	}
	owns := q.Admin || q.Player == s.Owner()
	keyed := q.Control != nil && subtle.ConstantTimeCompare([]byte(q.Control.Key), []byte(s.Key())) == 1
	if q.End && !owns || q.Control != nil && !owns && !keyed {
		return nil, &lobby.ReplayError{Status: http.StatusForbidden, Detail: "only who opened the replay can control it"}
	}
	clamped := false
	if q.Control != nil {
		var err error
		if _, clamped, err = s.Control(playback.Control{Tick: q.Control.Tick, Speed: q.Control.Speed, Paused: q.Control.Paused}); err != nil {
			return nil, &lobby.ReplayError{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
		}
	}
	if q.End {
		s.End(proto.Close{Code: proto.CodeDone, Reason: "the replay was closed"})
	}
	state := shownState(s, q.Player, q.Admin)
	state.Clamped = clamped
	out := &lobby.ShownReplay{State: state, Marks: shownMarks(s)}
	if q.Player == s.Owner() {
		out.Key = s.Key()
	}
	return out, nil
}

// shownState is a session as a player sees it.
func shownState(s *playback.Session, player string, admin bool) lobby.ReplayState {
	st, in := s.State(), s.Info()
	out := lobby.ReplayState{
		ID: s.ID(), Game: s.Game().Name(), Match: line(in.Header.Room), Rules: in.Header.Rules, As: s.View().String(),
		Yours: admin || player == s.Owner(), Rate: s.Rate(), From: st.From, To: st.To, Tick: st.Tick, Target: st.Target,
		Seeking: st.Seeking, Speed: st.Speed, Paused: st.Paused, Viewers: st.Viewers, HashTick: st.HashTick,
		Hash: fmt.Sprintf("%016x", st.Hash), Truncated: in.Truncated, Failed: st.Failed,
	}
	if !st.Seeking {
		out.Target = st.Tick
	}
	if st.Recorded != 0 {
		if out.Proof = "same"; st.Recorded != st.Hash {
			out.Proof = "differs"
		}
	}
	return out
}

func shownMarks(s *playback.Session) []lobby.ReplayMark {
	in := s.Info()
	marks := make([]lobby.ReplayMark, len(in.Marks))
	for i, m := range in.Marks {
		marks[i] = lobby.ReplayMark{Tick: m.Tick, Kind: string(m.Kind), Seat: m.Seat, Name: m.Name}
	}
	return marks
}

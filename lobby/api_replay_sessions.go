package lobby

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/proto"
)

const (
	// MaxReplayFile bounds a file that is sent to be shown, in bytes.
	MaxReplayFile = 32 << 20
	// uploadTime is how long it may take to come.
	uploadTime = 30 * time.Second
	// maxUploads is how many files may be on their way to a process at a time.
	maxUploads = 2
)

// ReplaySession is a recording that is shown, and the way to it.
type ReplaySession struct {
	ReplayState
	Marks []ReplayMark `json:"marks" nullable:"false" doc:"What happened, the first 512 of it."`
	URL   string       `json:"url" example:"ws://127.0.0.1:8080/v1/match/replay-x5n2rm7ksm6vqzcgq3nyzj4k5e-s7d2rm7ksm6vqzcgq3nyzj4k5e" doc:"Of the socket."`
	Key   string       `json:"key,omitempty" example:"s7d2rm7ksm6vqzcgq3nyzj4k5e" doc:"For who opened it: whoever is given it may control the session, too."`
	Token string       `json:"token" doc:"Good for sockets that are opened within 15 seconds. It watches and takes no seat." example:"eyJhbGciOiJIUzI1NiJ9.e30.c2ln"`
}

type (
	replaySessionOutput struct{ Body ReplaySession }
	replayStateOutput   struct{ Body ReplayState }
)

// InReplay names a session. Its name is exported because the library fills nothing else where it is embedded.
type InReplay struct {
	ID   string `path:"id" pattern:"^replay-[a-z0-9]{1,26}-[a-z0-9]{1,26}$" example:"replay-x5n2rm7ksm6vqzcgq3nyzj4k5e-s7d2rm7ksm6vqzcgq3nyzj4k5e" doc:"The session."`
	from asked
}

// Resolve implements huma.Resolver.
func (in *InReplay) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

type openReplayInput struct {
	Body struct {
		Match string `json:"match" maxLength:"64" pattern:"^[a-z0-9][a-z0-9._-]{0,63}$" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The match, which is its room."`
		As    string `json:"as,omitempty" maxLength:"10" pattern:"^(public|everything|seat:[1-9][0-9]{0,3})?$" example:"public" doc:"Whose eyes it is seen with: public (the default), everything, or seat:N."`
	}
	from asked
}

// Resolve implements huma.Resolver.
func (in *openReplayInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

type openReplayFileInput struct {
	As      string `query:"as" maxLength:"10" pattern:"^(public|everything|seat:[1-9][0-9]{0,3})?$" example:"everything" doc:"Whose eyes it is seen with: public (the default), everything, or seat:N."`
	RawBody []byte `contentType:"application/octet-stream"`
	from    asked
}

// Resolve implements huma.Resolver.
func (in *openReplayFileInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

type controlReplayInput struct {
	InReplay
	Body ReplayControl
}

func (l *Lobby) registerReplaySessions(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "open-replay", Method: http.MethodPost, Path: "/v1/replays", DefaultStatus: http.StatusCreated,
		Summary: "Show the replay of a match", Tags: []string{tagReplays},
		Errors: append([]int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict}, withBody...),
		Description: "It is run again by the game's rules, from where and as fast as one likes, and sent over a match's socket to all who " +
			"know the session's id. It begins paused at its first tick, and ends when nobody has watched for a minute. For those who may " +
			"fetch the replay, and for the role admin. 409: other rules recorded it. A player has two sessions at a time, and may open 20 an hour.",
	}), creating(l, l.openReplay))
	file := operation(huma.Operation{
		OperationID: "open-replay-file", Method: http.MethodPost, Path: "/v1/replays/files", DefaultStatus: http.StatusCreated,
		Summary: "Show a replay file", Tags: []string{tagReplays},
		Errors:          append([]int{http.StatusForbidden, http.StatusConflict}, withBody...),
		Description:     "For the role admin; in development for everybody. At most 32 MiB, sent within 30 seconds.",
		BodyReadTimeout: uploadTime, Middlewares: huma.Middlewares{l.uploads(api)},
	})
	file.MaxBodyBytes = MaxReplayFile
	huma.Register(api, file, l.openReplayFile)
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-replay-session", Method: http.MethodGet, Path: "/v1/replays/{id}",
		Summary: "Read how a replay that is shown stands", Tags: []string{tagReplays}, Errors: []int{http.StatusNotFound},
	}), l.getReplaySession)
	huma.Register(api, operation(huma.Operation{
		OperationID: "watch-replay", Method: http.MethodPost, Path: "/v1/replays/{id}/watch",
		Summary: "Watch a replay that is shown", Tags: []string{tagReplays}, Errors: []int{http.StatusNotFound},
		Description: "For everybody who knows its id, and again after a lost socket. A hundred connections may watch one, four of them a player's.",
	}), l.watchReplay)
	huma.Register(api, operation(huma.Operation{
		OperationID: "control-replay", Method: http.MethodPatch, Path: "/v1/replays/{id}",
		Summary: "Seek, pause, or change the speed", Tags: []string{tagReplays},
		Errors:      append([]int{http.StatusForbidden, http.StatusNotFound}, withBody...),
		Description: "For who opened it or has its key, and for the role admin. It takes effect with the session's next tick; a seek that takes longer shows its way.",
	}), l.controlReplay)
	huma.Register(api, operation(huma.Operation{
		OperationID: "close-replay", Method: http.MethodDelete, Path: "/v1/replays/{id}", DefaultStatus: http.StatusNoContent,
		Summary: "End a session", Tags: []string{tagReplays}, Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Description: "For who opened it, and for the role admin. Those who watch are told.",
	}), l.closeReplay)
}

// operator says whether who makes the request may do what operators may.
func (l *Lobby) operator(ctx context.Context) bool {
	return l.cfg.OpenAdmin || slices.Contains(playerOf(ctx).Roles, roleAdmin)
}

// uploads lets a file in from who may send one, few at a time, before it is read.
func (l *Lobby) uploads(api huma.API) func(huma.Context, func(huma.Context)) {
	slots := make(chan struct{}, maxUploads)
	return func(ctx huma.Context, next func(huma.Context)) {
		if !l.operator(ctx.Context()) {
			_ = huma.WriteErr(api, ctx, http.StatusForbidden, "a token with the role admin is needed to show a file") // nobody is left to tell
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next(ctx)
		default:
			ctx.SetHeader("Retry-After", "5")
			_ = huma.WriteErr(api, ctx, http.StatusTooManyRequests, fmt.Sprintf("%d files are on their way already", maxUploads)) // as above
		}
	}
}

// noReplays is the answer of a server that shows none.
func noReplays() error { return huma.Error404NotFound("this server shows no replays") }

func (l *Lobby) openReplay(ctx context.Context, in *openReplayInput) (*replaySessionOutput, error) {
	if l.cfg.Replayer == nil {
		return nil, noReplays()
	}
	if !l.operator(ctx) {
		if err := l.mayFetch(ctx, in.Body.Match); err != nil {
			return nil, err
		}
	}
	return l.opened(ctx, ReplayWish{Player: playerOf(ctx).ID, As: in.Body.As, Match: in.Body.Match}, &in.from)
}

// mayFetch is nil where a player may have the replay of a match, and counts it; otherwise it is the answer.
func (l *Lobby) mayFetch(ctx context.Context, room string) error {
	r, err := l.results.get(ctx, room)
	if err != nil {
		return l.problem("reading a result", err)
	}
	me := playerOf(ctx).ID
	played := slices.ContainsFunc(r.Placements, func(p proto.Placement) bool { return p.Player == me })
	if !played || !r.Recorded || l.cfg.Replays == nil || l.replayPath(r.Room, r.Game, r.Ended) == "" {
		return l.problem("reading a result", errNoResult)
	}
	if err := l.admitted(ctx, r.Game); err != nil {
		return err
	}
	if err := l.count(ctx, limitKey(ctx)+":replays", replayLimit, "you fetch too many replays"); err != nil {
		return l.problem("sending a replay", err)
	}
	return nil
}

func (l *Lobby) openReplayFile(ctx context.Context, in *openReplayFileInput) (*replaySessionOutput, error) {
	if l.cfg.Replayer == nil {
		return nil, noReplays()
	}
	return l.opened(ctx, ReplayWish{Player: playerOf(ctx).ID, As: in.As, File: in.RawBody}, &in.from)
}

func (l *Lobby) opened(ctx context.Context, w ReplayWish, from *asked) (*replaySessionOutput, error) {
	s, err := l.cfg.Replayer.Open(ctx, w)
	if err != nil {
		return nil, l.problem("opening a replay", err)
	}
	return l.replayFor(ctx, s, from)
}

// replayFor is a session with the way to it.
func (l *Lobby) replayFor(ctx context.Context, s *ShownReplay, from *asked) (*replaySessionOutput, error) {
	m, err := l.watched(s.State.ID, s.Node, playerOf(ctx), from)
	if err != nil {
		return nil, err
	}
	out := ReplaySession{ReplayState: s.State, Marks: s.Marks, Key: s.Key, URL: m.URL, Token: m.Token}
	if out.Marks == nil {
		out.Marks = []ReplayMark{}
	}
	return &replaySessionOutput{out}, nil
}

// askReplay asks of a session, where who makes the request may know of its game.
func (l *Lobby) askReplay(ctx context.Context, q ReplayQuestion) (*ShownReplay, error) {
	if l.cfg.Replayer == nil {
		return nil, noReplays()
	}
	q.Player, q.Admin = playerOf(ctx).ID, slices.Contains(playerOf(ctx).Roles, roleAdmin)
	s, err := l.cfg.Replayer.Ask(ctx, q)
	if err != nil {
		return nil, l.problem("asking of a replay", err)
	}
	return s, l.admitted(ctx, s.State.Game)
}

func (l *Lobby) getReplaySession(ctx context.Context, in *InReplay) (*replayStateOutput, error) {
	s, err := l.askReplay(ctx, ReplayQuestion{ID: in.ID})
	if err != nil {
		return nil, err
	}
	return &replayStateOutput{s.State}, nil
}

func (l *Lobby) watchReplay(ctx context.Context, in *InReplay) (*replaySessionOutput, error) {
	s, err := l.askReplay(ctx, ReplayQuestion{ID: in.ID})
	if err != nil {
		return nil, err
	}
	return l.replayFor(ctx, s, &in.from)
}

func (l *Lobby) controlReplay(ctx context.Context, in *controlReplayInput) (*replayStateOutput, error) {
	s, err := l.askReplay(ctx, ReplayQuestion{ID: in.ID, Control: &in.Body})
	if err != nil {
		return nil, err
	}
	return &replayStateOutput{s.State}, nil
}

func (l *Lobby) closeReplay(ctx context.Context, in *InReplay) (*struct{}, error) {
	_, err := l.askReplay(ctx, ReplayQuestion{ID: in.ID, End: true})
	return nil, err
}

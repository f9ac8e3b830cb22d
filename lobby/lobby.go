package lobby

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/complaint"
	"muster/lobby/chat"
	"muster/lobby/inbox"
	"muster/lobby/live"
	"muster/lobby/party"
	"muster/lobby/players"
	"muster/lobby/presence"
	"muster/lobby/queue"
	"muster/lobby/rating"
	"muster/lobby/ticket"
	"muster/match/cluster"
	"muster/proto/token"
)

// Config is what a Lobby needs. The zero value of a field that is not required means its default.
type Config struct {
	Redis     redis.UniversalClient // required
	Namespace string                // required
	Keys      *token.Keys           // required
	Queues    []queue.Rules         // required
	Games     []Game                // required: those that queues name
	// AddressRate is how many requests, and how many connections, one address may make in a second, at all lobbies
	// together, with bursts of five times as many. Many players may share an address. Default 1000.
	AddressRate int
	// Filter may change the text of a chat message, or refuse the message. Messages wait for it. It sees the channel as the
	// author does, and of a room's and its teams' the room and the game, so that a game can have a filter of its own. nil
	// lets all through.
	Filter func(ctx context.Context, m chat.Message) (text string, ok bool)
	// Origins are the hosts, besides the one that is asked, whose pages may open lobby sockets.
	Origins []string
	// SlowAfter is how long what was written to a lobby socket may wait to be read. Default 10 s.
	SlowAfter time.Duration
	// EdgeOnly makes a Lobby that does for match sockets alone what is to be done: it counts them, and knows who is in a
	// match. It makes no matches, stores no results, and must not be registered. Queues must be empty.
	EdgeOnly bool
	// Hostless says that no rooms run in this process: while none run anywhere tickets are refused, to be tried again.
	Hostless bool
	// Steady says whether this process knows what the others run, of whom live are there: not soon after its start, nor after
	// Redis has forgotten all, when hosts write the records of their rooms again. Until then no room that nobody knows is
	// opened by its name. nil: always.
	Steady func(live map[string]cluster.Node) bool
	// Guests lets anybody log in under any name. For development only.
	Guests bool
	// OpenAdmin asks for no token where otherwise one with the role admin is needed, and for no role of games. For
	// development only.
	OpenAdmin bool
	Version   string // of the server, for the API's description. Default "unknown"
	// Ratings is the model by which players are rated. Its zero value is the default one.
	Ratings rating.Model
	// Replays serves the replay of the room that the request's path value "room" names; nil: there are none. ReplaysFor is
	// how long after a match's end it has it.
	Replays    http.Handler
	ReplaysFor time.Duration
	// Replayer shows recordings. nil: none are shown.
	Replayer Replayer
	// Ordered, if it is not nil, is told of rooms, of this process or not, for which orders wait. It must not block.
	Ordered    func(room string)
	Log        *zap.Logger
	Registerer prometheus.Registerer
}

// Game is what the lobby must know of a game.
type Game struct {
	Name  string
	Rules string // the version of its rules
	Seats int
	// Persist says that its rooms have names, by which anybody may join them, and are kept when nobody is in them.
	Persist bool
	// Config is the zero value of the struct that its rooms' configs are read into, whose tags are those of a huma schema;
	// nil is none. CheckConfig says what else is wrong with one; it may be nil.
	Config      any
	CheckConfig func(config []byte) error
	// Watch says that its rooms may be watched by those who do not play, Delay how much later they see it.
	Watch bool
	Delay time.Duration
	// Role is what a player's token must have for its rooms and its queues; "" is nothing.
	Role string
	// OpenReplays lets its players fetch the replays of matches that they played to their end, with all that the game hid
	// from them meanwhile. It means nothing for games that persist: their rooms go on after a result.
	OpenReplays bool
}

const (
	// seatTTL is how long a seat token is good, in which the socket must be opened.
	seatTTL = 15 * time.Second
	// reserveTTL is how long the seat is reserved: as long as its token is accepted, late ones included.
	reserveTTL = seatTTL + 6*time.Second
)

// Lobby is a running lobby. Its Register mounts the REST interface; Close stops it. Any goroutine may use it.
type Lobby struct {
	cfg      Config
	log      *zap.Logger
	metrics  *metrics
	tickets  *ticket.Service
	results  *resultStore
	players  *players.Store
	limits   *limits
	rooms    *cluster.Directory
	nodes    *cluster.Nodes
	placer   *cluster.Placer
	bus      *cluster.Bus
	games    map[string]Game
	configs  map[string]*config
	owners   *owners
	waiters  waiters
	inbox    *inbox.Store
	parties  *party.Store
	chat     *chat.Store
	attempts attempts       // to open sockets
	requests attempts       // that bring a token
	said     complaint.Book // what is in the log already
	creating chan struct{}  // a place for each request that makes something new

	socket   socket
	live     *live.Server
	presence *presence.Tracker

	stop    context.CancelFunc
	closing context.Context //nolint:containedctx // ends when Close begins, and with it every long poll
	wg      sync.WaitGroup
}

// New returns a running lobby.
func New(cfg Config) (*Lobby, error) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Version == "" {
		cfg.Version = "unknown"
	}
	if cfg.AddressRate <= 0 {
		cfg.AddressRate = 1000
	}
	l := &Lobby{
		cfg: cfg, log: cfg.Log, metrics: newMetrics(cfg.Registerer), creating: make(chan struct{}, maxCreating),
		results: &resultStore{cfg.Redis, keys{cfg.Namespace}},
		players: players.New(cfg.Redis, cfg.Namespace, cfg.Ratings),
		limits:  &limits{cfg.Redis, cfg.Namespace},
		rooms:   cluster.NewDirectory(cfg.Redis, cfg.Namespace),
		nodes:   cluster.NewNodes(cfg.Redis, cfg.Namespace, cfg.Log), placer: cluster.NewPlacer(cfg.Registerer),
		games: map[string]Game{}, configs: map[string]*config{},
		socket: newSocket(),
	}
	l.owners = &owners{cfg.Redis, cfg.Namespace, l.rooms}
	errs := make([]error, 0, len(cfg.Games)+len(cfg.Queues))
	l.addSocial()
	l.addTickets()
	for _, g := range cfg.Games {
		c, err := newConfig(&g)
		l.games[g.Name], l.configs[g.Name] = g, c
		errs = append(errs, err)
	}
	if err := cfg.Ratings.Validate(); err != nil {
		return nil, fmt.Errorf("the rating model: %w", err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.closing = stop, ctx
	l.addLive()
	l.bus = cluster.NewBus(cfg.Redis, cfg.Namespace, l.log, l.notice, l.gap)
	if err := l.startTickets(); err != nil {
		stop()
		l.closeLive()
		return nil, err
	}
	l.bus.Start()
	if !cfg.EdgeOnly {
		l.wg.Go(func() { l.drainResults(ctx) })
		l.wg.Go(func() { l.tidyRooms(ctx) })
	}
	return l, nil
}

// notice hears from the bus that something has changed.
func (l *Lobby) notice(n cluster.Notice) {
	switch n.Kind {
	case cluster.NoticeOrder:
		if l.cfg.Ordered != nil {
			l.cfg.Ordered(n.ID)
		}
	case noticeQueue:
		l.tickets.Wake(n.ID)
	case inbox.Notice:
		l.inboxNotice(n.ID)
		l.live.Notice(n)
	default:
		l.live.Notice(n)
	}
}

// gap hears from the bus that notices may be missing: everything is looked at again.
func (l *Lobby) gap() {
	l.waiters.wakeAll()
	l.live.Gap()
	l.tickets.WakeAll()
}

// noticeQueue is the kind of the notice that a queue has changed; its ID is the queue's name.
const noticeQueue = "queue"

// publish sends notices. One that is lost costs a wait until the next look, so the error is only logged.
func (l *Lobby) publish(ctx context.Context, notices ...cluster.Notice) {
	if err := l.bus.Publish(ctx, notices...); err != nil {
		l.complain("a notice was not published", err)
	}
}

// Ready says what keeps the lobby from doing its work, in words for anybody; "" when nothing does.
func (l *Lobby) Ready(ctx context.Context) (obstacle string) {
	switch err := l.cfg.Redis.Ping(ctx).Err(); {
	case err != nil:
		l.complain("not ready", err)
		return "Redis does not answer"
	case l.closing.Err() != nil:
		return "the server is shutting down"
	case !l.bus.Live():
		return "the notice bus is not connected"
	}
	return ""
}

// reach returns the URL by which clients reach the rooms of a node; "" is the server that they asked: each is an edge for
// the rooms of all, and whatever brought a client to it, a balancer perhaps, brings it there again.
func reach(n cluster.Node) string {
	if n.Asked {
		return ""
	}
	return n.URL
}

// way is reach for a node that was there a while ago. Where it is gone clients come as they did: the server that they ask
// knows where the room is by then, or goes on with it.
func (l *Lobby) way(ctx context.Context, n cluster.Node) string {
	if n.Asked {
		return ""
	}
	live, err := l.nodes.Live(ctx)
	if _, ok := live[n.ID]; err == nil && !ok {
		return ""
	}
	return reach(n)
}

// Drain ends long polls: they answer with what is known now. New ones do not wait. Sockets are closed, so that their
// players go elsewhere. Matchmaking stops too.
func (l *Lobby) Drain() {
	l.stop()
	l.tickets.Stop()
	l.live.Drain()
}

// Close ends long polls, sockets and background work, and waits for the latter two.
func (l *Lobby) Close() {
	l.stop()
	l.closeLive()
	l.tickets.Close()
	l.wg.Wait()
	l.bus.Close()
}

// maxBody bounds a request's body, in bytes.
const maxBody = 8 << 10

// Register mounts the lobby's socket, the REST interface and its description at /openapi.json, and returns the latter.
func (l *Lobby) Register(mux *http.ServeMux) *huma.OpenAPI {
	c := huma.DefaultConfig("Muster lobby", l.cfg.Version)
	c.Info.Description = "Tickets bring players to matches. Every call but the guests' needs a player token as a bearer. " +
		"Errors are problem documents (RFC 9457)."
	c.DocsPath, c.CreateHooks = "", nil // the page is served elsewhere; responses carry no links to schemas
	c.SchemasPath = ""
	c.RejectUnknownQueryParameters = true
	c.Formats = strictFormats()
	c.Transformers = append(c.Transformers, shortenEcho)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"player": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "A player token."},
	}
	mux.Handle("GET /v1/lobby", l.live)
	api := humago.New(mux, c)
	api.UseMiddleware(l.authenticate(api), l.limit(api))
	l.registerTickets(api)
	l.registerQueues(api)
	l.registerRooms(api)
	l.registerNamed(api)
	l.registerMatches(api)
	l.registerParties(api)
	l.registerReplays(api)
	l.registerReplaySessions(api)
	l.registerMe(api)
	l.registerBlocks(api)
	l.registerMutes(api)
	l.registerChat(api)
	l.registerGroups(api)
	l.registerNotifications(api)
	l.registerInbox(api)
	l.registerAdmin(api)
	l.registerAdminRooms(api)
	l.registerPublish(api)
	if l.cfg.Guests {
		l.registerGuests(api)
	}
	describeRetries(api.OpenAPI())
	return api.OpenAPI()
}

// describeRetries says of answers that are for now that they say when to come again.
func describeRetries(doc *huma.OpenAPI) {
	const after = "Retry-After"
	doc.Components.Headers = map[string]*huma.Header{after: {
		Description: "After how many seconds to come again; none: it is not known, or of no use.",
		Schema:      &huma.Schema{Type: huma.TypeInteger, Examples: []any{1}},
	}}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
				if r := op.Responses[strconv.Itoa(status)]; r != nil {
					r.Headers = map[string]*huma.Param{after: {Ref: "#/components/headers/" + after}}
				}
			}
		}
	}
}

// withBody are the errors of operations that read a body.
var withBody = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}

// operation fills in what all operations share.
func operation(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = maxBody
	op.Errors = append(op.Errors, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if op.Security == nil {
		op.Security = []map[string][]string{{"player": {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized)
		if !isForBackends(&op) {
			op.Errors = append(op.Errors, http.StatusForbidden)
		}
	}
	slices.Sort(op.Errors)
	op.Errors = slices.Compact(op.Errors)
	return op
}

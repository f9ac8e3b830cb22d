package lobby

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"muster/match/cluster"
)

const (
	tagAdmin  = "Operators"
	roleAdmin = "admin"
)

// AdminNode is a server as operators see it.
type AdminNode struct {
	ID       string            `json:"id" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"Of this run of it; it changes when others have taken its rooms over."`
	Role     string            `json:"role" example:"match" doc:"lobby, match or all."`
	URL      string            `json:"url,omitempty" example:"https://eu1.play.example" doc:"Where clients reach its rooms directly; none: they come by any server."`
	Peer     string            `json:"peer_url,omitempty" example:"http://10.0.0.7:8080" doc:"Where other servers reach it: its own address, also behind a load balancer."`
	Version  string            `json:"version,omitempty" example:"v1.4.0" doc:"The release that it runs."`
	Began    *time.Time        `json:"started_at,omitempty" example:"2026-01-02T03:04:05.678Z" doc:"When its process began, by its own clock."`
	Region   string            `json:"region,omitempty" example:"eu"`
	Tags     map[string]string `json:"tags,omitempty" example:"{\"disk\":\"fast\"}"`
	Games    map[string]string `json:"games" example:"{\"arena\":\"3\"}" doc:"The version of the rules by game."`
	Capacity int               `json:"capacity,omitempty" example:"200" doc:"The most rooms that it takes; none: its load alone decides."`
	Load     AdminLoad         `json:"load"`
	Lease    int64             `json:"lease_ms" example:"1312" doc:"For how long it counts as alive if it says nothing; below 0 since when it does not."`
	Draining bool              `json:"draining" example:"false" doc:"An operator wants no new rooms on it."`
	Closed   string            `json:"closed,omitempty" example:"it drains" doc:"Why it takes no new rooms."`
}

// AdminLoad is how busy a server is, measured each second.
type AdminLoad struct {
	Tick    float64 `json:"tick" example:"0.31" doc:"Share of its processors' time that its rooms' ticks took, from 0 to 1."`
	Late    float64 `json:"late" example:"0.002" doc:"Share of its ticks that began late."`
	Rooms   int     `json:"rooms" example:"41"`
	Players int     `json:"players" example:"390"`
	Sockets int     `json:"sockets" example:"402" doc:"Of matches, for rooms of other servers, too."`
	Heap    int64   `json:"heap_bytes" example:"84000000" doc:"What is alive."`
	Limit   int64   `json:"limit_bytes,omitempty" example:"512000000" doc:"What its process may use; none: no bound."`

	Watching int     `json:"watching,omitempty" example:"12" doc:"Connections that watch its rooms without a seat."`
	Asleep   int     `json:"asleep,omitempty" example:"3" doc:"Of its rooms, those that do not tick since nobody is connected."`
	Ticks    uint64  `json:"ticks,omitempty" example:"81213" doc:"Of its rooms, since it began."`
	TickRate float64 `json:"tick_rate,omitempty" example:"802.4" doc:"Ticks a second."`
	P50      int64   `json:"tick_p50_us,omitempty" example:"127" doc:"Microseconds that half of the last five seconds' ticks did not exceed."`
	P99      int64   `json:"tick_p99_us,omitempty" example:"1151" doc:"Microseconds that 99 in 100 of them did not exceed."`
	Out      uint64  `json:"out_bytes,omitempty" example:"40960000" doc:"Written to sockets of matches since it began."`
	OutRate  float64 `json:"out_rate,omitempty" example:"51234.5" doc:"Bytes a second."`
}

func adminNode(r *cluster.Registered) AdminNode {
	n := AdminNode{
		ID: r.ID, Role: cmp.Or(r.Role, cluster.RoleAll), URL: r.URL, Region: r.Region, Tags: r.Tags, Games: r.Games, Capacity: r.Capacity,
		Peer: r.Peer, Version: r.Version,
		Load: AdminLoad(r.Load), Lease: r.Left.Milliseconds(), Draining: r.Draining, Closed: r.Closed(),
	}
	if r.Began > 0 {
		began := time.UnixMilli(r.Began).UTC()
		n.Began = &began
	}
	if r.Asked {
		n.URL = ""
	}
	if r.Left <= 0 {
		n.Closed = "nothing was heard of it in time"
	}
	return n
}

type adminNodesOutput struct{ Body AdminNodes }

// AdminNodes are the servers of the deployment.
type AdminNodes struct {
	Nodes []AdminNode `json:"nodes"`
}

type adminNodeInput struct {
	ID string `path:"id" pattern:"^[a-z0-9-]{1,64}$" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The server's."`
}

type placementInput struct {
	Game   string   `query:"game" required:"true" pattern:"^[a-z][a-z0-9_-]{0,30}$" example:"arena" doc:"The game."`
	Region string   `query:"region" pattern:"^[a-z][a-z0-9_-]{0,30}$" example:"eu" doc:"Where the room is to be; none is anywhere."`
	Tag    []string `query:"tag,explode" maxItems:"16" example:"[\"disk=fast\"]" doc:"What the server must have, as NAME=VALUE."`
	tags   map[string]string
}

// Resolve implements huma.Resolver.
func (in *placementInput) Resolve(huma.Context) []error {
	for _, t := range in.Tag {
		name, value, ok := strings.Cut(t, "=")
		if !ok || name == "" || value == "" {
			return []error{&huma.ErrorDetail{Message: "expected NAME=VALUE", Location: "query.tag", Value: t}}
		}
		if in.tags == nil {
			in.tags = map[string]string{}
		}
		in.tags[name] = value
	}
	return nil
}

type placementOutput struct{ Body AdminPlacement }

// AdminPlacement says where a room would go now.
type AdminPlacement struct {
	Rules  string         `json:"rules" example:"3" doc:"The version of the game's rules that this lobby makes rooms for."`
	Node   string         `json:"node,omitempty" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The server that would get it; none: there is no room to be had."`
	Reason string         `json:"reason,omitempty" example:"the servers take no new matches now" doc:"Why there is no room to be had."`
	Nodes  []AdminVerdict `json:"nodes"`
}

// AdminVerdict is what placement thinks of one server.
type AdminVerdict struct {
	ID     string  `json:"id" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Why    string  `json:"why,omitempty" example:"it is in region us" doc:"Why it gets no room."`
	Score  float64 `json:"score" example:"0.31" doc:"Share of its time that it is taken to need, with late ticks and rooms that were placed a moment ago: less is better."`
	Drawn  bool    `json:"drawn" example:"true" doc:"It was one of the two that were compared."`
	Chosen bool    `json:"chosen" example:"true" doc:"It would get the room; the next one may go elsewhere."`
}

func (l *Lobby) registerAdmin(api huma.API) {
	admin := func(op huma.Operation) huma.Operation {
		op.Tags = []string{tagAdmin}
		op.Errors = append(op.Errors, http.StatusForbidden)
		op.Description = "For tokens with the role admin. " + op.Description
		return op
	}
	huma.Register(api, operation(admin(huma.Operation{
		OperationID: "list-nodes", Method: http.MethodGet, Path: "/v1/admin/nodes", Summary: "List the servers",
		Description: "Each with its load, how long it counts as alive, and why it takes no new rooms.",
	})), l.adminNodes)
	huma.Register(api, operation(admin(huma.Operation{
		OperationID: "explain-placement", Method: http.MethodGet, Path: "/v1/admin/placement", Summary: "Explain where a room would go",
		Errors:      []int{http.StatusNotFound},
		Description: "Nothing is made. Of the servers that fit two are drawn, and the one with more headroom is taken.",
	})), l.placement)
	huma.Register(api, noContent(admin(huma.Operation{
		OperationID: "drain-node", Method: http.MethodPost, Path: "/v1/admin/nodes/{id}/drain", Summary: "Give a server no more rooms",
		Errors:      []int{http.StatusNotFound},
		Description: "What runs on it goes on. It lasts until the server's end, or until it is taken back.",
	})), l.drainNode)
	huma.Register(api, noContent(admin(huma.Operation{
		OperationID: "undrain-node", Method: http.MethodDelete, Path: "/v1/admin/nodes/{id}/drain", Summary: "Give a server rooms again",
		Errors:      []int{http.StatusNotFound},
		Description: "It takes back that the server drains.",
	})), l.undrainNode)
}

// audit logs what an operator or a backend did. Where an error leaves open whether it is done, the line says so: what is done
// is never without one.
func (l *Lobby) audit(ctx context.Context, what string, err error, more ...zap.Field) {
	if err != nil {
		more = append(more, zap.Bool("unsure", true))
	}
	l.log.Info("audit", append([]zap.Field{zap.String("what", what), zap.String("by", operator(ctx))}, more...)...)
}

// operator is who makes the request.
func operator(ctx context.Context) string { return cmp.Or(playerOf(ctx).ID, "anybody") }

func (l *Lobby) adminNodes(ctx context.Context, _ *struct{}) (*adminNodesOutput, error) {
	all, err := l.nodes.Registered(ctx)
	if err != nil {
		return nil, l.problem("listing the servers", err)
	}
	out := &adminNodesOutput{AdminNodes{Nodes: make([]AdminNode, len(all))}}
	for i := range all {
		out.Body.Nodes[i] = adminNode(&all[i])
	}
	return out, nil
}

func (l *Lobby) placement(ctx context.Context, in *placementInput) (*placementOutput, error) {
	g, ok := l.games[in.Game]
	if !ok {
		return nil, huma.Error404NotFound(noGame)
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, l.problem("explaining placement", err)
	}
	node, verdicts, err := l.placer.Explain(live, g.want(in.Region, in.tags))
	out := &placementOutput{AdminPlacement{Rules: g.Rules, Node: node.ID, Nodes: make([]AdminVerdict, len(verdicts))}}
	if err != nil {
		out.Body.Reason = reasonOf(err)
	}
	for i := range verdicts {
		v := &verdicts[i]
		out.Body.Nodes[i] = AdminVerdict{v.Node.ID, v.Why, v.Score, v.Drawn, v.Chosen}
	}
	return out, nil
}

func (l *Lobby) drainNode(ctx context.Context, in *adminNodeInput) (*struct{}, error) {
	if err := l.nodes.Drain(ctx, in.ID, operator(ctx)); err != nil {
		return nil, l.nodeProblem("draining a server", err)
	}
	l.audit(ctx, "a server drains", nil, zap.String("node", in.ID))
	return nil, nil //nolint:nilnil // there is nothing to answer
}

func (l *Lobby) undrainNode(ctx context.Context, in *adminNodeInput) (*struct{}, error) {
	if err := l.nodes.Undrain(ctx, in.ID); err != nil {
		return nil, l.nodeProblem("ending that a server drains", err)
	}
	l.audit(ctx, "a server drains no longer", nil, zap.String("node", in.ID))
	return nil, nil //nolint:nilnil // there is nothing to answer
}

func (l *Lobby) nodeProblem(doing string, err error) error {
	if errors.Is(err, cluster.ErrNoSuchNode) {
		return huma.Error404NotFound("there is no such server now")
	}
	return l.problem(doing, err)
}

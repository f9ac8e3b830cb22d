package lobby

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/party"
	"muster/lobby/players"
)

// Profile is what a player says of himself. What is left out is empty.
type Profile struct {
	About   string `json:"about,omitempty" maxLength:"200" example:"Plays at night." doc:"A few words, without line breaks."`
	Avatar  string `json:"avatar,omitempty" maxLength:"200" example:"https://pictures.example/alice.png" doc:"The https address of a picture. Who shows it tells that server who looks: fetch it from hosts that you trust alone."`
	Country string `json:"country,omitempty" maxLength:"2" pattern:"^([A-Z]{2})?$" example:"NZ" doc:"Two letters (ISO 3166)."`
	Status  string `json:"status,omitempty" maxLength:"60" example:"looking for a fourth" doc:"What is on the player's mind now, without line breaks."`
}

// GameRating is a player's rating in one game.
type GameRating struct {
	Game      string  `json:"game" example:"arena"`
	Rating    float64 `json:"rating" example:"1134" doc:"In whole points: 1000 is a new player's, and who has 200 more wins seven of ten."`
	Deviation float64 `json:"deviation" example:"87" doc:"How unsure it is, as a standard deviation; 333 for a new player."`
	Matches   int     `json:"matches" example:"42" doc:"How many were rated."`
}

// Player is a player as everybody sees him.
type Player struct {
	Player string `json:"player" example:"alice" doc:"The player's id."`
	Name   string `json:"name,omitempty" example:"Alice" doc:"As it stood in the player's token when he was last here."`
	Profile
	Ratings []GameRating `json:"ratings" nullable:"false" doc:"By the games' names."`
}

// Me is a player as he sees himself.
type Me struct {
	Player
	Watch string `json:"watch" enum:"everyone,party,nobody" example:"everyone" doc:"Who may see whether the player is online, in a queue or in a match. Whom he blocks never may."`
	// What a client that lost its memory goes on with.
	Tickets []string `json:"tickets,omitempty" nullable:"false" doc:"The player's tickets that have not ended: those that wait, and those of matches that have just been made. None is left out." example:"[\"arena.q2gc3zkqav6ohzd3uqp6tmy4ra\"]"`
	Party   string   `json:"party,omitempty" doc:"The player's party, if there is one." example:"s7d2rm7ksm6vqzcgq3nyzj4k5e"`
}

type meOutput struct{ Body Me }

type putMeInput struct {
	Body struct {
		Profile
		Watch string `json:"watch,omitempty" enum:"everyone,party,nobody" example:"everyone" doc:"Who may see whether the player is online, in a queue or in a match. Default everyone."`
	}
}

// Resolve implements huma.Resolver.
func (in *putMeInput) Resolve(huma.Context) []error {
	var errs []error
	for _, f := range []struct{ name, value string }{{"about", in.Body.About}, {"status", in.Body.Status}} {
		if !printable(f.value) {
			errs = append(errs, &huma.ErrorDetail{
				Message: "expected text without control characters", Location: "body." + f.name, Value: f.value,
			})
		}
	}
	if !isAvatar(in.Body.Avatar) {
		errs = append(errs, &huma.ErrorDetail{
			Message: "expected an https address of at most 200 bytes", Location: "body.avatar", Value: in.Body.Avatar,
		})
	}
	return errs
}

// isAvatar says whether a text may be where a player's picture is: nothing, or an address that a page can fetch and that
// hides nothing.
func isAvatar(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && len(s) <= 200 && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Opaque == "" &&
		strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"'<>\^{|}`+"`", r) }) < 0
}

// playerPath names another player. An id may have any letters, percent-encoded.
type playerPath struct {
	ID string `path:"player" maxLength:"64" example:"bob" doc:"The player's id, percent-encoded."`
}

// Resolve implements huma.Resolver.
func (in *playerPath) Resolve(huma.Context) []error {
	if plainText(in.ID) {
		return nil
	}
	return []error{&huma.ErrorDetail{
		Message: "expected at most 64 bytes without control characters", Location: "path.player", Value: in.ID,
	}}
}

type playerOutput struct{ Body Player }

func (l *Lobby) registerMe(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-me", Method: http.MethodGet, Path: "/v1/me",
		Summary: "Read one's own profile, ratings, tickets and party", Tags: []string{"Players"},
		Description: "It also notes that the player is here: who has not been here for 400 days is forgotten.",
	}), l.getMe)
	huma.Register(api, operation(huma.Operation{
		OperationID: "put-me", Method: http.MethodPut, Path: "/v1/me",
		Summary: "Replace one's own profile", Tags: []string{"Players"}, Errors: withBody,
		Description: "What is left out becomes empty. The name is the token's.",
	}), l.putMe)
	huma.Register(api, operation(huma.Operation{
		OperationID: "delete-me", Method: http.MethodDelete, Path: "/v1/me", DefaultStatus: http.StatusNoContent,
		Summary: "Forget what is kept of one: profile, ratings, blocks, mutes and list of matches", Tags: []string{"Players"},
		Description: "Nobody is shown the ratings any more; they are gone after 30 days, and until then who comes back has them again: " +
			"it is no way to begin anew. Results of matches go by themselves within a week. What others keep, their lists and blocks, stays.",
	}), l.deleteMe)
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-player", Method: http.MethodGet, Path: "/v1/players/{player}",
		Summary: "Read a player's profile and ratings", Tags: []string{"Players"}, Errors: []int{http.StatusNotFound},
		Description: "Whom the player blocks sees no status.",
	}), l.getPlayer)
}

func (l *Lobby) getMe(ctx context.Context, _ *struct{}) (*meOutput, error) {
	p := playerOf(ctx)
	known, err := l.players.Come(ctx, p.ID, p.Name)
	if err != nil {
		return nil, l.problem("reading a profile", err)
	}
	return l.meOutput(ctx, known)
}

// meOutput shows a player himself.
func (l *Lobby) meOutput(ctx context.Context, known players.Player) (*meOutput, error) {
	me := Me{Player: shownPlayer(known), Watch: string(known.Watch)}
	var err error
	if me.Tickets, err = l.tickets.Of(ctx, known.ID); err != nil {
		return nil, l.problem("reading a player's tickets", err)
	}
	group, err := l.parties.Members(ctx, known.ID)
	switch {
	case err == nil:
		me.Party = group.ID
	case !errors.Is(err, party.ErrNone):
		return nil, l.problem("reading a player's party", err)
	}
	return &meOutput{me}, nil
}

func (l *Lobby) putMe(ctx context.Context, in *putMeInput) (*meOutput, error) {
	p := playerOf(ctx)
	known, err := l.players.SetProfile(ctx, p.ID, p.Name, players.Profile{
		About: in.Body.About, Avatar: in.Body.Avatar, Country: in.Body.Country, Status: in.Body.Status, Watch: players.Watch(in.Body.Watch),
	})
	if err != nil {
		return nil, l.problem("storing a profile", err)
	}
	l.presence.Changed(ctx, p.ID) // who may watch may be others now
	return l.meOutput(ctx, known)
}

func (l *Lobby) deleteMe(ctx context.Context, _ *struct{}) (*struct{}, error) {
	if err := l.players.Delete(ctx, playerOf(ctx).ID); err != nil {
		return nil, l.problem("deleting a player", err)
	}
	l.presence.Changed(ctx, playerOf(ctx).ID)
	return nil, nil //nolint:nilnil // no content
}

func (l *Lobby) getPlayer(ctx context.Context, in *playerPath) (*playerOutput, error) {
	p, err := l.players.Player(ctx, in.ID)
	if err != nil {
		return nil, l.problem("reading a player", err)
	}
	blocked, err := l.players.Blocked(ctx, in.ID, asker(ctx))
	if err != nil {
		return nil, l.problem("reading a player", err)
	}
	if blocked {
		p.Status = ""
	}
	return &playerOutput{shownPlayer(p)}, nil
}

func shownPlayer(p players.Player) Player {
	out := Player{
		Player: p.ID, Name: p.Name, Ratings: make([]GameRating, len(p.Ratings)),
		Profile: Profile{About: p.About, Avatar: p.Avatar, Country: p.Country, Status: p.Status},
	}
	for i, r := range p.Ratings {
		points := r.Rounded()
		out.Ratings[i] = GameRating{Game: r.Game, Rating: points.Mean, Deviation: points.Deviation, Matches: r.Matches}
	}
	return out
}

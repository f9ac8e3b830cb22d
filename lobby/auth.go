package lobby

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"muster/proto"
	"muster/proto/token"
)

type playerKey struct{}

// playerOf returns who makes a request; only operations that need a token may ask.
func playerOf(ctx context.Context) token.Player {
	p, _ := ctx.Value(playerKey{}).(token.Player)
	return p
}

// errUnauthorized is the same for every cause, so that nobody learns what is wrong with a forged token.
const unauthorized = "a valid player token is needed, as Authorization: Bearer TOKEN"

// authenticate lets a request through when its operation needs no token or it has a good one. From an address that makes too
// many none is looked at.
func (l *Lobby) authenticate(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if len(ctx.Operation().Security) == 0 {
			next(ctx)
			return
		}
		if often := l.countHere(&l.requests, ctx.RemoteAddr(), tooMany); often != nil {
			refuseOften(api, ctx, often)
			return
		}
		p, err := Authenticate(l.cfg.Keys, ctx.Header("Authorization"))
		if err != nil && ctx.Header("Authorization") == "" && l.cfg.OpenAdmin && slices.Contains(ctx.Operation().Tags, tagAdmin) {
			next(ctx)
			return
		}
		if err != nil {
			l.metrics.refused.Inc()
			ctx.SetHeader("WWW-Authenticate", "Bearer")
			_ = huma.WriteErr(api, ctx, http.StatusUnauthorized, unauthorized) // nobody is left to tell
			return
		}
		if !mayAsk(p, ctx.Operation()) {
			_ = huma.WriteErr(api, ctx, http.StatusForbidden, noPlayer) // nobody is left to tell
			return
		}
		if roles := l.lacks(p, ctx.Operation()); roles != "" { // before anything of the request is looked at
			_ = huma.WriteErr(api, ctx, http.StatusForbidden, "a token with the role "+roles+" is needed") // nobody is left to tell
			return
		}
		next(huma.WithValue(ctx, playerKey{}, p))
	}
}

// lacks is which roles would do for an operation where the player has none of them; "" where he may ask. In development
// everybody is an operator.
func (l *Lobby) lacks(p token.Player, op *huma.Operation) string {
	var roles []string
	switch {
	case op.OperationID == publishOp || op.OperationID == notifyOp:
		roles = rolesNotify
	case slices.Contains(op.Tags, tagAdmin) && !l.cfg.OpenAdmin:
		roles = []string{roleAdmin}
	}
	if len(roles) == 0 || slices.ContainsFunc(p.Roles, func(r string) bool { return slices.Contains(roles, r) }) {
		return ""
	}
	return strings.Join(roles, " or ")
}

// errBadPlayer means that a token is genuine and names a player whom the wire cannot carry.
var errBadPlayer = errors.New("the token's subject or name is not usable")

// Authenticate returns the player of an Authorization header.
func Authenticate(keys *token.Keys, header string) (token.Player, error) {
	scheme, value, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return token.Player{}, token.ErrInvalid
	}
	return authenticate(keys, strings.TrimSpace(value))
}

// authenticate returns the player of a token.
func authenticate(keys *token.Keys, bearer string) (token.Player, error) {
	p, err := keys.VerifyPlayer(bearer)
	if err != nil {
		return token.Player{}, err //nolint:wrapcheck // says what it is
	}
	if p.Name == "" {
		p.Name = p.ID
	}
	if !plainText(p.ID) || !plainText(p.Name) {
		return token.Player{}, errBadPlayer
	}
	return p, nil
}

// plainText says whether a player's id or name is 1 to 64 bytes of UTF-8 without control characters.
func plainText(s string) bool { return s != "" && len(s) <= proto.MaxID && printable(s) }

// printable says whether a text is UTF-8 without control characters.
func printable(s string) bool { return utf8.ValidString(s) && strings.IndexFunc(s, unprintable) < 0 }

// unprintable covers what has no place in a name: control characters, line separators, and the marks that turn the
// direction of text around.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

package lobby

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Requests that one player, and for guests' logins one address, may make; all lobbies count together. What an address
// may make besides is Config.AddressRate.
var (
	playerLimit = rate{Rate: 10, Burst: 30, Period: time.Second}
	guestLimit  = rate{Rate: 50, Burst: 200, Period: time.Second}
)

// ticketLimit is how many tickets a player may create.
var ticketLimit = rate{Rate: 30, Burst: 30, Period: time.Minute}

// How often codes of rooms and parties may be tried by one player and from one address, so that nobody finds one by
// guessing. At the player's rate, all the time, the code of one of 1,000 parties is hit after a month.
var (
	codeLimit        = rate{Rate: 10, Burst: 10, Period: time.Minute}
	codeAddressLimit = rate{Rate: 60, Burst: 60, Period: time.Minute}
)

// openLimit is how many rooms a player may make or, where they have names, open, which are kept for ever. Joining those
// that are open is free.
var openLimit = rate{Rate: 20, Burst: 20, Period: time.Hour}

// silenceLimit is how often a player may mute others in rooms, and take it back: of each the other one is told.
var silenceLimit = rate{Rate: 60, Burst: 60, Period: time.Minute}

// stateLimit is how often an operator may look into rooms' states: each costs the room a part of a tick.
var stateLimit = rate{Rate: 5, Burst: 10, Period: time.Second}

// What a backend may publish, in the place of playerLimit, and to all besides: each socket of the deployment is written to.
var (
	publishLimit    = rate{Rate: 50, Burst: 100, Period: time.Second}
	publishAllLimit = rate{Rate: 2, Burst: 10, Period: time.Second}
)

// tooOftenError says that a limit is reached, and after how many seconds it is worth trying again.
type tooOftenError struct {
	what  string
	after int
}

func (e *tooOftenError) Error() string { return e.what }

// limitKey is the beginning of the keys of what is counted of the player who makes a request.
func limitKey(ctx context.Context) string { return limitKeyOf(playerOf(ctx).ID) }

func limitKeyOf(player string) string { return "{player:" + digest(player) + "}" }

// count counts one more of what key names. Where that is over the limit its error is a tooOftenError, which says what.
func (l *Lobby) count(ctx context.Context, key string, limit rate, what string) error {
	return l.countAll(ctx, counter{key, limit, what})
}

// countCode counts a code that a player tries.
func (l *Lobby) countCode(ctx context.Context, address string) error {
	const what = "you try too many codes"
	return l.countAll(ctx, counter{limitKey(ctx) + ":codes", codeLimit, what}, counter{"{address:" + address + "}:codes", codeAddressLimit, what})
}

// countAll counts one more for each of a few counters, in one exchange with Redis.
func (l *Lobby) countAll(ctx context.Context, list ...counter) error {
	err := l.limits.take(ctx, list...)
	var often *tooOftenError
	if errors.As(err, &often) {
		l.metrics.limited.Inc()
	}
	return err
}

// limit refuses requests over the limits with 429 and says when to come again. Without Redis nothing is counted and
// nothing can be done, so the answer is 503.
func (l *Lobby) limit(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		of := addressKey(ctx.RemoteAddr())
		list := []counter{{of, l.addressLimit(), tooMany}, {limitKey(ctx.Context()), playerLimit, tooMany}}
		if ctx.Operation().OperationID == publishOp && mayPublish(ctx.Context()) {
			list[1] = counter{limitKey(ctx.Context()) + ":publish", publishLimit, "you publish too often"}
		}
		if ctx.Operation().OperationID == createTicket {
			list = append(list, counter{limitKey(ctx.Context()) + ":tickets", ticketLimit, "you create too many tickets"})
		}
		if len(ctx.Operation().Security) == 0 {
			list = []counter{{of + ":guests", guestLimit, tooMany}}
		}
		var often *tooOftenError
		switch err := l.countAll(ctx.Context(), list...); {
		case errors.As(err, &often):
			refuseOften(api, ctx, often)
			return
		case err != nil:
			l.complain("a request could not be counted", err)
			ctx.SetHeader("Retry-After", "1")
			_ = huma.WriteErr(api, ctx, http.StatusServiceUnavailable, notNow) // nobody is left to tell
			return
		}
		next(ctx)
	}
}

// refuseOften answers a request that is over a limit.
func refuseOften(api huma.API, ctx huma.Context, often *tooOftenError) {
	ctx.SetHeader("Retry-After", strconv.Itoa(often.after))
	_ = huma.WriteErr(api, ctx, http.StatusTooManyRequests, often.what) // nobody is left to tell
}

// CountRequest counts a request that a player makes otherwise than over REST, as one of those. Its error is one for
// clients.
func (l *Lobby) CountRequest(ctx context.Context, player string) error {
	if err := l.count(ctx, limitKeyOf(player), playerLimit, tooMany); err != nil {
		return l.problem("counting a request", err)
	}
	return nil
}

const tooMany = "too many requests"

// addressLimit is how many requests, and how many connections, one address may make.
func (l *Lobby) addressLimit() rate {
	return rate{Rate: l.cfg.AddressRate, Burst: 5 * l.cfg.AddressRate, Period: time.Second}
}

// addressKey is the beginning of the keys of what is counted of an address, which may have a port. Of IPv6 it is the
// network that one subscriber has, since he chooses the rest.
func addressKey(remote string) string { return "{address:" + network(remote) + "}" }

func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		p, _ := a.Prefix(64) // which it has
		return p.String()
	}
	return a.String()
}

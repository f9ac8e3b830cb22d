package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"
	"github.com/swaggest/swgui/v5emb"
	"go.uber.org/zap"

	"muster/internal/door"
	"muster/lobby"
	"muster/match/cluster"
)

// readyTimeout bounds what a readiness check waits for Redis.
const readyTimeout = time.Second

// routes is everything on the port.
func (s *server) routes(games []Game, registry *prometheus.Registry) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", s.counted(s.edge))
	if !s.set.serves() {
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			door.Problem(w, http.StatusNotFound, "this server runs matches and is no lobby; ask one with the role lobby or all")
		})
	}
	mux.Handle("POST "+cluster.ProbePath, s.member.Load())
	mux.Handle("POST "+playbackPath, s.shown.peers)
	mux.HandleFunc("GET /livez", s.live)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.operatorsOnly(promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}), "metrics", "admin"))
	mux.Handle("GET /v1/admin/replays/{room}", s.operatorsOnly(newExports(s.replays, s.log), "admin"))
	if s.set.serves() {
		s.lobbyRoutes(mux)
		var err error
		if s.played, err = registerPages(mux, games); err != nil {
			return nil, err
		}
	}
	s.asked = newRequests(registry)
	return s.shared(mux), nil
}

// lobbyRoutes are those of the lobby.
func (s *server) lobbyRoutes(mux *http.ServeMux) {
	s.lobby.Register(mux)
	if !s.set.development() { // the pages here, and games that are new to it, ask all the same
		for _, path := range []string{"POST /v1/guests", "POST /v1/guests/renew"} {
			mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
				door.Problem(w, http.StatusNotFound, "this server takes no guests: players come with a token that its login signs")
			})
		}
	}
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, _ *http.Request) {
		door.Problem(w, http.StatusNotFound, "there is no such route; /docs lists them")
	})
	mux.Handle("/docs/", docsHeaders(v5emb.New("Muster lobby", "/openapi.json", "/docs/")))
	mux.Handle("GET /docs", http.RedirectHandler("/docs/", http.StatusFound))
}

// counted counts attempts to open a match's socket against what an address may make.
func (s *server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.lobby.Admit(r.Context(), r.RemoteAddr, ""); err != nil {
			refuseOften(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuseOften answers a request that the lobby counts as one too many.
func refuseOften(w http.ResponseWriter, err error) {
	var headers interface{ GetHeaders() http.Header }
	if errors.As(err, &headers) {
		w.Header().Set("Retry-After", headers.GetHeaders().Get("Retry-After"))
	}
	door.Problem(w, http.StatusTooManyRequests, err.Error())
}

// shared wraps what is common to all routes.
func (s *server) shared(next http.Handler) http.Handler {
	next = s.recovering(next)
	origins := make([]string, 0, 2*len(s.set.Origins))
	for _, host := range s.set.Origins {
		origins = append(origins, "http://"+host, "https://"+host)
	}
	if len(origins) > 0 { // else the package would allow all
		next = cors.New(cors.Options{
			AllowedOrigins: origins, AllowedMethods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type", "Idempotency-Key"}, ExposedHeaders: []string{"Retry-After"}, MaxAge: 600,
		}).Handler(next)
	}
	known, _ := parseProxies(s.set.Proxies) // check has read them
	return behind(known, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")                                             // assets say otherwise
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'") // pages say otherwise
		h.Set("Referrer-Policy", "no-referrer")
		s.asked.count(w, r, next)
	}))
}

// recovering is recovered around a handler.
func (s *server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.recovered(w, r)
		next.ServeHTTP(w, r)
	})
}

// recovered is deferred around a request: a panic is logged and ends that request alone.
func (s *server) recovered(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler: // a handler's way to close the connection
		panic(p)
	default:
		s.log.Error("a request panicked", zap.String("route", r.Pattern), zap.Any("panic", p), zap.Stack("stack"))
		door.Problem(w, http.StatusInternalServerError, "the server failed")
	}
}

// docsHeaders lets the API's page run what it brings, and nothing from elsewhere.
func docsHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'; "+
			"style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'")
		next.ServeHTTP(w, r)
	})
}

// live says whether the process is worth keeping: when it is not, whoever watches it should let its matches end and
// start it anew.
func (s *server) live(w http.ResponseWriter, _ *http.Request) {
	if why := s.host.Unfit(); why != "" {
		door.Problem(w, http.StatusServiceUnavailable, why)
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
}

// ready says whether new players can be served.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	obstacle := s.lobby.Ready(ctx)
	if why := s.host.Full(); obstacle == "" && why != "" && s.set.hosts() {
		obstacle = "the server takes no new matches: " + why
	}
	if obstacle == "" && s.draining.Load() {
		obstacle = "the server drains"
	}
	if obstacle != "" {
		door.Problem(w, http.StatusServiceUnavailable, obstacle)
		return
	}
	_, _ = fmt.Fprintln(w, "ready")
}

// operatorsOnly asks for one of the roles, but in development.
func (s *server) operatorsOnly(next http.Handler, roles ...string) http.Handler {
	if s.set.development() {
		return next
	}
	needed := "a token with the role " + strings.Join(roles, " or ") + " is needed"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.lobby.Knock(r.RemoteAddr); err != nil {
			refuseOften(w, err)
			return
		}
		p, err := lobby.Authenticate(s.keys, r.Header.Get("Authorization"))
		switch {
		case err != nil:
			w.Header().Set("WWW-Authenticate", "Bearer")
			door.Problem(w, http.StatusUnauthorized, needed)
		case !slices.ContainsFunc(p.Roles, func(role string) bool { return slices.Contains(roles, role) }):
			door.Problem(w, http.StatusForbidden, needed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

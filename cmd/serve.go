package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// gcPercent is how much garbage there may be, in percent of what is alive, where GOGC says nothing else. Ticks and frames
// make none, so a collection is rare and the memory that waits for one is worth more than its time.
const gcPercent = 50

// serveCmd runs a server until it is interrupted.
type serveCmd struct {
	settings
}

// Help implements kong's HelpProvider.
func (serveCmd) Help() string {
	return `Example, for two servers that share one Redis:

  muster serve --listen 127.0.0.1:8081 --redis redis://127.0.0.1:6379 --key-file key

The same over TLS, where Redis wants a login and a certificate:

  MUSTER_REDIS_PASSWORD=… muster serve --key-file key --redis rediss://redis.example.com:6380 --redis-user muster \
    --redis-ca ca.pem --redis-cert muster.pem --redis-key muster.key`
}

// Run implements the command.
func (c *serveCmd) Run(p *program) error {
	if err := c.check(); err != nil {
		return err
	}
	if len(c.Record) == 0 && c.development() && c.Redis == "" {
		c.Record = []string{recordAll} // whoever tries it out looks at replays, too
	}
	keys, devFile, err := c.keys()
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	log := newLogger(p.stderr, c.LogLevel)
	defer func() { _ = log.Sync() }() // a terminal has nothing to sync
	s, err := startServer(p.ctx, &c.settings, p.games, keys, log)
	if err != nil {
		return err
	}
	s.banner(p.stdout, devFile)
	s.logRun()
	select {
	case <-p.ctx.Done():
		p.interrupted() // the next one ends the process at once
		fmt.Fprintln(p.stdout, "stopping: players are told and may come back elsewhere")
		l := s.host.Load()
		s.logEnd("the server stops", zap.Int("rooms", l.Rooms), zap.Int("players", l.Players))
	case err = <-s.failed:
	}
	stop, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if cerr := s.Close(stop); cerr != nil {
		return fmt.Errorf("stopping: %w", cerr)
	}
	s.logEnd("the server has stopped")
	return err
}

// logRun logs that the server runs, and as what others know it. In development the banner says so.
func (s *server) logRun() {
	if s.set.development() {
		return
	}
	s.log.Info("the server runs", zap.String("node", s.self()), zap.String("version", version()), zap.String("role", s.set.role()),
		zap.String("url", s.url), zap.String("public_url", s.set.PublicURL), zap.String("redis", s.set.redisMasked()),
		zap.String("namespace", s.set.Namespace), zap.Strings("games", s.games))
}

func (s *server) logEnd(what string, more ...zap.Field) {
	if !s.set.development() {
		s.log.Info(what, append(more, zap.String("node", s.self()))...)
	}
}

// banner says what is served where.
func (s *server) banner(w io.Writer, devFile string) {
	store := "embedded in this process; nothing is kept after exit"
	if s.set.Redis != "" {
		store = s.set.redisMasked()
	}
	key := s.set.KeyFile
	if s.set.development() {
		key = devFile + " (a DEVELOPMENT key: loopback only, guests may log in)"
	}
	var what string
	for _, path := range s.played {
		what += "  play     " + s.url + path + "\n"
	}
	what += fmt.Sprintf("  watch    %s/watch\n  lobby    %s/v1   described at %s/docs", s.url, s.url, s.url)
	if what += "\n  admin    " + s.url + "/admin"; !s.set.serves() {
		what = "  role     " + s.set.role() + ": no lobby here"
	} else if !s.set.hosts() {
		what += "\n  role     " + s.set.role() + ": no rooms here"
	}
	_, _ = fmt.Fprintf(w, `Muster %s

%s
  metrics  %s/metrics
  redis    %s
  key      %s

Ctrl-C stops.
`, version(), what, s.url, store, key)
}

// newLogger writes to w: one JSON object a line. Nothing is sampled away.
func newLogger(w io.Writer, level string) *zap.Logger {
	l, err := zapcore.ParseLevel(level)
	if err != nil {
		l = zap.InfoLevel // kong has checked it
	}
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(enc), zapcore.Lock(zapcore.AddSync(w)), l))
}

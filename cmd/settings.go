package cmd

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"muster/internal/secret"
	"muster/match/cluster"
	"muster/proto/token"
)

// settings are those of serve.
type settings struct {
	Listen    string        `help:"Address to listen on." default:"127.0.0.1:8080" env:"MUSTER_LISTEN" yaml:"listen"`
	Redis     string        `help:"URL of a Redis server (redis://HOST:PORT), of one that Sentinels watch (redis+sentinel://HOST:PORT,HOST:PORT/MASTER) or of a Redis Cluster (redis+cluster://HOST:PORT,HOST:PORT); rediss is over TLS. Without it one is embedded, for this process alone; nothing is kept after exit." placeholder:"URL" env:"MUSTER_REDIS" yaml:"redis"`
	Access    redisAccess   `embed:"" yaml:",inline"`
	Namespace string        `help:"Prefix of all keys and channels, so that deployments can share a Redis." default:"muster" env:"MUSTER_NAMESPACE" yaml:"namespace"`
	PublicURL string        `name:"public-url" help:"URL by which clients reach this server, when it differs from the one they ask." placeholder:"URL" env:"MUSTER_PUBLIC_URL" yaml:"public_url"`
	PeerURL   string        `name:"peer-url" help:"URL by which other servers reach this one directly. Default: where it listens." placeholder:"URL" env:"MUSTER_PEER_URL" yaml:"peer_url"`
	Lease     time.Duration `help:"How long after a server's last sign of life others take its matches over. Longer rides out longer stalls." default:"1500ms" env:"MUSTER_LEASE" yaml:"lease"`
	Alone     bool          `help:"No other server shares this Redis: matches go on without it, whoever else may be registered." env:"MUSTER_ALONE" yaml:"alone"`
	Region    string        `help:"Where this server is, as queues and requests for rooms name regions. Servers without it serve all." env:"MUSTER_REGION" yaml:"region"`
	Role      string        `help:"What this server does: lobby (the lobby, and no rooms), match (rooms, and no lobby) or all. Each is an edge for all matches." enum:"lobby,match,all" default:"all" env:"MUSTER_ROLE" yaml:"role"`
	Tags      []string      `name:"tag" help:"What is special about this server, as NAME=VALUE, for rooms that want it. May be repeated." placeholder:"NAME=VALUE" env:"MUSTER_TAGS" yaml:"tags"`
	Capacity  int           `help:"The most rooms that this server takes. 0: its load alone decides." default:"0" env:"MUSTER_CAPACITY" yaml:"capacity"`
	KeyFile   string        `name:"key-file" help:"File with the signing key: at least 32 bytes of text. Without it a development key is used, on loopback only." placeholder:"FILE" env:"MUSTER_KEY_FILE" yaml:"key_file"`
	Origins   []string      `name:"origin" help:"Host whose pages may open sockets besides the server's own. May be repeated." placeholder:"HOST" env:"MUSTER_ORIGINS" yaml:"origins"`
	Proxies   []string      `name:"trusted-proxy" help:"Network or address of a proxy before this server, whose X-Forwarded-For and X-Forwarded-Proto are believed. May be repeated. Without one they are ignored." placeholder:"CIDR" env:"MUSTER_TRUSTED_PROXIES" yaml:"trusted_proxies"`
	AddrRate  int           `name:"address-rate" help:"Requests, and connections, that one address may make in a second, at all servers together; bursts of five times as many. Many players may share an address." default:"1000" env:"MUSTER_ADDRESS_RATE" yaml:"address_rate"`
	SlowAfter time.Duration `name:"slow-after" help:"How long a player's socket may take nothing before it is closed; the player may come back." default:"10s" env:"MUSTER_SLOW_AFTER" yaml:"slow_after"`
	WatchMem  int           `name:"spectator-memory" help:"MiB that all matches here may keep for those who watch, above all for the delay. Without place for more, those who watch miss frames and go on with a later one." default:"256" env:"MUSTER_SPECTATOR_MEMORY" yaml:"spectator_memory"`
	Queues    string        `help:"YAML file of the queues; SIGHUP reads it again. Default: one queue for each game, by the game's name." placeholder:"FILE" env:"MUSTER_QUEUES" yaml:"queues"`
	Journal   string        `help:"Where matches of games that ask for durability keep what outlives their process: redis, dir:PATH (a directory of this process alone, for a deployment of one server) or none." default:"redis" env:"MUSTER_JOURNAL" yaml:"journal"`
	KeepFor   time.Duration `name:"replays-for" help:"How long the replay of a match is kept after its end." default:"24h" env:"MUSTER_REPLAYS_FOR" yaml:"replays_for"`
	OpenFor   []string      `name:"open-replays" help:"Game whose players may fetch the replays of their matches after the end, with everybody's inputs and all that the game hid. May be repeated." placeholder:"GAME" env:"MUSTER_OPEN_REPLAYS" yaml:"open_replays"`
	Record    []string      `help:"Game whose matches leave replays though its rules ask for no journal; all is every game, none is none. May be repeated. Default: all with the development key and an embedded Redis, else none." placeholder:"GAME" env:"MUSTER_RECORD" yaml:"record"`
	CrashDir  string        `name:"crash-dir" help:"Directory for replays of what made a game's rules panic or hang, at most 100 of them. Default: none with a signing key, muster/crashes in the user's cache with the development key." placeholder:"DIR" env:"MUSTER_CRASH_DIR" yaml:"crash_dir"`
	Sigma     float64       `name:"rating-sigma" help:"How unsure a new player's rating is; see muster ratings eval, by which these are chosen." default:"8.333333333333334" env:"MUSTER_RATING_SIGMA" yaml:"rating_sigma"`
	Beta      float64       `name:"rating-beta" help:"How much a player's performance varies between matches." default:"4.166666666666667" env:"MUSTER_RATING_BETA" yaml:"rating_beta"`
	Tau       float64       `name:"rating-tau" help:"How much skills drift from match to match." default:"0.08333333333333333" env:"MUSTER_RATING_TAU" yaml:"rating_tau"`
	LogLevel  string        `name:"log-level" help:"Least level that is logged." enum:"debug,info,warn,error" default:"info" env:"MUSTER_LOG_LEVEL" yaml:"log_level"`
}

// development says whether the server runs with the development key: guests may log in and metrics are open.
func (s *settings) development() bool { return s.KeyFile == "" }

// namespace is what a namespace may be: it stands in keys beside hash tags and separators.
var namespace = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,30}$`)

// region is what queues call regions.
var region = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

// Bounds of SlowAfter: a stall of a phone's network is no reason to close, and a socket that is held costs memory.
const (
	leastSlowAfter = time.Second
	mostSlowAfter  = 5 * time.Minute
)

// Bounds of WatchMem, in MiB.
const (
	leastWatchMem = 1
	mostWatchMem  = 64 << 10
)

// Bounds of Lease: a shorter one ends with every pause of a busy machine, a longer one lets players wait.
const (
	leastLease = 500 * time.Millisecond
	mostLease  = 30 * time.Second
)

// mostAddressRate is as good as no limit.
const mostAddressRate = 100_000

// What Journal may be, journalDir with a path behind it.
const (
	journalRedis = "redis"
	journalNone  = "none"
	journalDir   = "dir:"
)

// Bounds of KeepFor. What a Redis keeps is memory.
const (
	leastKeepFor = time.Minute
	mostKeepFor  = 90 * 24 * time.Hour
)

// check refuses settings that cannot work, or not together.
func (s *settings) check() error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: want HOST:PORT", s.Listen)
	}
	if !namespace.MatchString(s.Namespace) {
		return fmt.Errorf("--namespace %q: want up to 31 of a-z, 0-9, _ and -", s.Namespace)
	}
	if err := s.Access.check(s.Redis); err != nil {
		return err
	}
	if s.Region != "" && !region.MatchString(s.Region) {
		return fmt.Errorf("--region %q: want up to 31 of a-z, 0-9, _ and -, with a letter first", s.Region)
	}
	if err := s.checkRole(); err != nil {
		return err
	}
	for _, origin := range s.Origins {
		if u, err := url.Parse("//" + origin); err != nil || u.Host != origin || origin == "" || strings.ContainsAny(origin, "*@ ") {
			return fmt.Errorf("--origin %q: want a host like play.example.com or play.example.com:8443", origin)
		}
	}
	if _, err := parseProxies(s.Proxies); err != nil {
		return err
	}
	if s.AddrRate < 1 || s.AddrRate > mostAddressRate {
		return fmt.Errorf("--address-rate %d: want 1 to %d", s.AddrRate, mostAddressRate)
	}
	if s.SlowAfter < leastSlowAfter || s.SlowAfter > mostSlowAfter {
		return fmt.Errorf("--slow-after %v: want %v to %v", s.SlowAfter, leastSlowAfter, mostSlowAfter)
	}
	if s.WatchMem < leastWatchMem || s.WatchMem > mostWatchMem {
		return fmt.Errorf("--spectator-memory %d: want %d to %d", s.WatchMem, leastWatchMem, mostWatchMem)
	}
	if dir, ok := strings.CutPrefix(s.Journal, journalDir); s.Journal != journalRedis && s.Journal != journalNone && (!ok || dir == "") {
		return fmt.Errorf("--journal %q: want redis, dir:PATH or none", s.Journal)
	}
	if s.KeepFor < leastKeepFor || s.KeepFor > mostKeepFor {
		return fmt.Errorf("--replays-for %v: want %v to %v", s.KeepFor, leastKeepFor, mostKeepFor)
	}
	if _, err := ratingModel("--rating-", s.Sigma, s.Beta, s.Tau); err != nil {
		return err
	}
	if s.development() && !loopback(host) {
		return fmt.Errorf("--listen %s is not a loopback address, and the development key works on loopback only: "+
			"give a signing key with --key-file", s.Listen)
	}
	if s.Lease < leastLease || s.Lease > mostLease {
		return fmt.Errorf("--lease %v: want %v to %v", s.Lease, leastLease, mostLease)
	}
	if err := checkURL("--public-url", s.PublicURL); err != nil {
		return err
	}
	return checkURL("--peer-url", s.PeerURL)
}

// checkURL refuses what is not the URL of a server. "" is none.
func checkURL(name, text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return fmt.Errorf("%s %q: want http://HOST or https://HOST", name, text)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// redisMasked is the address of Redis without its passwords.
func (s *settings) redisMasked() string {
	if s.Redis == "" {
		return ""
	}
	return cluster.MaskedAddress(s.Redis)
}

// configCmd prints the effective settings of serve.
type configCmd struct {
	settings
}

// Help implements kong's HelpProvider.
func (configCmd) Help() string {
	return `It takes the flags, variables and file of serve, and prints a file that says the same.

Example:

  muster config --config muster.yaml --listen 127.0.0.1:8081`
}

// Run implements the command.
func (c *configCmd) Run(p *program) error {
	if err := c.check(); err != nil {
		return err
	}
	shown := c.settings
	shown.Redis = c.redisMasked()
	out, err := yaml.Marshal(shown)
	if err != nil {
		return fmt.Errorf("printing the settings: %w", err)
	}
	_, err = p.stdout.Write(out)
	return err //nolint:wrapcheck // of standard output
}

// keys returns the signing keys, and where a development key lies.
func (s *settings) keys() (k *token.Keys, devFile string, err error) {
	file := s.KeyFile
	if s.development() {
		if file, err = developmentKey(); err != nil {
			return nil, "", err
		}
		devFile = file
	}
	text, err := readKey(file)
	if err != nil {
		return nil, "", err
	}
	k, err = token.New(text, nil)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", file, err)
	}
	return k, devFile, nil
}

// readKey reads a key file, which nobody but its owner may read.
func readKey(file string) ([]byte, error) {
	if err := secret.CheckFile(file); err != nil {
		return nil, fmt.Errorf("reading the signing key: %w", err)
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("reading the signing key: %w", err)
	}
	return []byte(strings.TrimSpace(string(text))), nil
}

// developmentKey returns the file of the development key, made at its first use: one for each user of the machine, so
// that "muster token" and a running server agree.
func developmentKey() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for the development key: %w; give a key with --key-file", err)
	}
	dir = filepath.Join(dir, "muster")
	file := filepath.Join(dir, "development.key")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the development key: %w", err)
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	// The key comes to its name whole, whoever else makes one at the same time: a link, unlike a rename, never replaces.
	tmp, err := os.CreateTemp(dir, "key-*")
	if err != nil {
		return "", fmt.Errorf("making the development key: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(hex.EncodeToString(key[:]) + "\n")
	if err = errors.Join(err, tmp.Close()); err != nil {
		return "", fmt.Errorf("making the development key: %w", err)
	}
	if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("making the development key: %w", err)
	}
	return file, nil
}

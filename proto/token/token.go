// Package token signs and verifies Muster's four kinds of JSON Web Token: a player's, a seat's, a resume secret
// and a spectator's.
// The algorithm is pinned, expiry and audience are required, and each kind has an audience of its own, so that one can
// never pass for another. The package reads no file and logs nothing.
package token

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Audiences, one for each kind of token.
const (
	audiencePlayer = "muster:player"
	audienceSeat   = "muster:seat"
	audienceResume = "muster:resume"
	audienceWatch  = "muster:watch"
	issuer         = "muster"
)

const (
	// MinKey is the least length of a signing key, in bytes (RFC 7518 section 3.2 for HS256).
	MinKey = 32
	// maxLen bounds a token before anything of it is parsed, in bytes.
	maxLen = 4 << 10
	// maxHeader bounds its header, which is decoded before the signature is checked and names a handful of fields.
	maxHeader = 512
	// MaxWatch is how long a watch token is good at most, since it can be used more than once.
	MaxWatch = time.Minute
	// Leeway is for how long after its end a token is still good, since clocks differ.
	Leeway = 5 * time.Second
)

// Errors that a caller decides on. Any other failure is ErrInvalid; the texts hold nothing of the token.
var (
	ErrInvalid = errors.New("token is not valid")
	ErrExpired = fmt.Errorf("%w: expired", ErrInvalid)
)

// RoleService is the role of a studio's own servers. A token that has it, whatever else it has, speaks for no player.
const RoleService = "service"

// Player is who a player token speaks for.
type Player struct {
	ID      string
	Name    string
	Roles   []string
	Expires time.Time
}

// Seat is what a seat token claims: one seat of one room, once, within seconds.
type Seat struct {
	Room          string
	Seat          uint16
	Player        string
	Name          string
	ID            string    // unique; burned at its first use
	PlayerExpires time.Time // when the player's own token expires
	Expires       time.Time
}

// Resume is what a resume secret claims: a seat that was taken, and how often it was resumed before.
type Resume struct {
	Room          string
	Seat          uint16
	Player        string
	Name          string
	Counter       uint32
	PlayerExpires time.Time
	Expires       time.Time
}

// Watch is what a watch token claims: to see what everybody may see of one room. It can be used more than once, within
// seconds.
type Watch struct {
	Room          string
	Player        string
	ID            string    // unique
	PlayerExpires time.Time // when the player's own token expires
	Expires       time.Time
}

type claims struct {
	jwt.RegisteredClaims
	Name    string           `json:"name,omitempty"`
	Roles   []string         `json:"roles,omitempty"`
	Room    string           `json:"room,omitempty"`
	Seat    uint16           `json:"seat,omitempty"`
	Counter uint32           `json:"ctr,omitempty"`
	Player  *jwt.NumericDate `json:"pexp,omitempty"`
}

// Keys signs and verifies with one HS256 key. Any number of goroutines may use it.
type Keys struct {
	key []byte
	now func() time.Time
	// one parser for each kind: the audience is part of a parser
	player, seat, resume, watch *jwt.Parser
}

// New returns Keys for a key of at least [MinKey] bytes. now is the clock; nil means time.Now.
func New(key []byte, now func() time.Time) (*Keys, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("signing key has %d bytes, at least %d needed", len(key), MinKey)
	}
	if now == nil {
		now = time.Now
	}
	return &Keys{
		key: append([]byte(nil), key...), now: now,
		player: parser(audiencePlayer, Leeway, now), seat: parser(audienceSeat, Leeway, now),
		resume: parser(audienceResume, Leeway, now), watch: parser(audienceWatch, Leeway, now),
	}, nil
}

// parser reads tokens of one audience that are good, or ended at most leeway ago.
func parser(audience string, leeway time.Duration, now func() time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired(),
		jwt.WithAudience(audience), jwt.WithIssuer(issuer), jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(now), jwt.WithStrictDecoding())
}

// SignPlayer returns a token for p that is valid for ttl; p.Expires is not used.
func (k *Keys) SignPlayer(p Player, ttl time.Duration) (string, error) {
	c := k.claims(audiencePlayer, p.ID, k.now().Add(ttl))
	c.Name, c.Roles = p.Name, p.Roles
	return k.sign(c)
}

// VerifyPlayer returns whom a player token speaks for.
func (k *Keys) VerifyPlayer(token string) (Player, error) {
	c, err := k.verify(k.player, token)
	if err != nil {
		return Player{}, err
	}
	return Player{ID: c.Subject, Name: c.Name, Roles: c.Roles, Expires: c.ExpiresAt.Time}, nil
}

// VerifyEnded returns whom a player token speaks for that is good, or ended at most ago before now: for its renewal, and
// for nothing else.
func (k *Keys) VerifyEnded(token string, ago time.Duration) (Player, error) {
	c, err := k.verify(parser(audiencePlayer, max(ago, Leeway), k.now), token)
	if err != nil {
		return Player{}, err
	}
	return Player{ID: c.Subject, Name: c.Name, Roles: c.Roles, Expires: c.ExpiresAt.Time}, nil
}

// SignSeat returns a token that claims s until ttl from now; s.Expires is not used.
func (k *Keys) SignSeat(s Seat, ttl time.Duration) (string, error) {
	c := k.claims(audienceSeat, s.Player, k.now().Add(ttl))
	c.Name, c.Room, c.Seat, c.RegisteredClaims.ID = s.Name, s.Room, s.Seat, s.ID
	c.Player = jwt.NewNumericDate(s.PlayerExpires)
	return k.sign(c)
}

// VerifySeat returns what a seat token claims. That it is used once is for the caller to see to.
func (k *Keys) VerifySeat(token string) (Seat, error) {
	c, err := k.verify(k.seat, token)
	if err != nil {
		return Seat{}, err
	}
	if c.Room == "" || c.Seat == 0 || c.RegisteredClaims.ID == "" || c.Player == nil {
		return Seat{}, ErrInvalid
	}
	return Seat{
		Room: c.Room, Seat: c.Seat, Player: c.Subject, Name: c.Name, ID: c.RegisteredClaims.ID,
		PlayerExpires: c.Player.Time, Expires: c.ExpiresAt.Time,
	}, nil
}

// SignResume returns a resume secret for r that is valid for ttl; r.Expires is not used.
func (k *Keys) SignResume(r Resume, ttl time.Duration) (string, error) {
	c := k.claims(audienceResume, r.Player, k.now().Add(ttl))
	c.Name, c.Room, c.Seat, c.Counter = r.Name, r.Room, r.Seat, r.Counter
	c.Player = jwt.NewNumericDate(r.PlayerExpires)
	return k.sign(c)
}

// VerifyResume returns what a resume secret claims. That its counter is not old is for the room to see to.
func (k *Keys) VerifyResume(token string) (Resume, error) {
	c, err := k.verify(k.resume, token)
	if err != nil {
		return Resume{}, err
	}
	if c.Room == "" || c.Seat == 0 || c.Player == nil {
		return Resume{}, ErrInvalid
	}
	return Resume{
		Room: c.Room, Seat: c.Seat, Player: c.Subject, Name: c.Name, Counter: c.Counter,
		PlayerExpires: c.Player.Time, Expires: c.ExpiresAt.Time,
	}, nil
}

// SignWatch returns a token that claims w until ttl from now, [MaxWatch] at most; w.Expires is not used.
func (k *Keys) SignWatch(w Watch, ttl time.Duration) (string, error) {
	c := k.claims(audienceWatch, w.Player, k.now().Add(min(ttl, MaxWatch)))
	c.Room, c.RegisteredClaims.ID = w.Room, w.ID
	c.Player = jwt.NewNumericDate(w.PlayerExpires)
	return k.sign(c)
}

// VerifyWatch returns what a watch token claims.
func (k *Keys) VerifyWatch(token string) (Watch, error) {
	c, err := k.verify(k.watch, token)
	if err != nil {
		return Watch{}, err
	}
	if c.Room == "" || c.Seat != 0 || c.RegisteredClaims.ID == "" || c.Player == nil || c.IssuedAt == nil ||
		c.ExpiresAt.Sub(c.IssuedAt.Time) > MaxWatch+time.Second { // times are whole seconds in a token
		return Watch{}, ErrInvalid
	}
	return Watch{
		Room: c.Room, Player: c.Subject, ID: c.RegisteredClaims.ID, PlayerExpires: c.Player.Time, Expires: c.ExpiresAt.Time,
	}, nil
}

// Until returns how long it is until a time by the keys' clock; it is negative where that is over.
func (k *Keys) Until(t time.Time) time.Duration { return t.Sub(k.now()) }

func (k *Keys) claims(audience, subject string, expires time.Time) *claims {
	return &claims{RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Subject: subject, Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(k.now()), ExpiresAt: jwt.NewNumericDate(expires),
	}}
}

func (k *Keys) sign(c *claims) (string, error) {
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(k.key)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return s, nil
}

func (k *Keys) verify(p *jwt.Parser, token string) (*claims, error) {
	if len(token) > maxLen || strings.IndexByte(token, '.') > maxHeader {
		return nil, ErrInvalid
	}
	c := &claims{}
	_, err := p.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) {
		if t.Method != jwt.SigningMethodHS256 {
			return nil, ErrInvalid
		}
		return k.key, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenInvalidAudience) &&
		!errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return nil, ErrExpired
	case err != nil, c.Subject == "":
		return nil, ErrInvalid
	}
	return c, nil
}

package token_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"muster/internal/race"
	"muster/proto/token"
)

var (
	key   = []byte("0123456789abcdef0123456789abcdef")
	start = time.Unix(1_790_000_000, 0)
)

// clock is a clock that a test sets.
type clock struct{ now time.Time }

func newKeys(t testing.TB, key []byte) (*token.Keys, *clock) {
	t.Helper()
	c := &clock{start}
	k, err := token.New(key, func() time.Time { return c.now })
	if err != nil {
		t.Fatal(err)
	}
	return k, c
}

// forge signs any header and claims by hand, so that no library's rules stand between a test and a bad token.
func forge(t testing.TB, header, claims map[string]any, key []byte, h func() hash.Hash) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(header) + "." + part(claims)
	if h == nil {
		return text + "."
	}
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func hs256() map[string]any { return map[string]any{"alg": "HS256", "typ": "JWT"} }

func goodClaims() map[string]any {
	return map[string]any{
		"iss": "muster", "aud": []string{"muster:player"}, "sub": "alice",
		"iat": start.Unix(), "exp": start.Add(time.Hour).Unix(),
	}
}

func TestPlayerTokenSurvivesARoundTrip(t *testing.T) {
	k, _ := newKeys(t, key)
	s, err := k.SignPlayer(token.Player{ID: "alice", Name: "Alice Ⅱ", Roles: []string{"admin"}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.VerifyPlayer(s)
	if err != nil || p.ID != "alice" || p.Name != "Alice Ⅱ" || len(p.Roles) != 1 || p.Roles[0] != "admin" ||
		!p.Expires.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestUntilCountsByTheKeysClock(t *testing.T) {
	k, c := newKeys(t, key)
	if d := k.Until(start.Add(time.Minute)); d != time.Minute {
		t.Errorf("a minute ahead is in %v", d)
	}
	c.now = start.Add(3 * time.Minute)
	if d := k.Until(start.Add(time.Minute)); d != -2*time.Minute {
		t.Errorf("two minutes ago is in %v", d)
	}
}

func TestSeatTokenSurvivesARoundTrip(t *testing.T) {
	k, _ := newKeys(t, key)
	want := token.Seat{
		Room: "arena-d1", Seat: math.MaxUint16, Player: "alice", Name: "Alice", ID: "x1",
		PlayerExpires: start.Add(time.Hour), Expires: start.Add(30 * time.Second),
	}
	s, err := k.SignSeat(want, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifySeat(s); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestResumeSecretSurvivesARoundTrip(t *testing.T) {
	k, _ := newKeys(t, key)
	want := token.Resume{
		Room: "arena-d1", Seat: 3, Player: "alice", Name: "Alice", Counter: math.MaxUint32,
		PlayerExpires: start.Add(time.Hour), Expires: start.Add(time.Minute),
	}
	s, err := k.SignResume(want, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifyResume(s); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWatchTokenSurvivesARoundTripAndIsGoodForAMinuteAtMost(t *testing.T) {
	k, c := newKeys(t, key)
	want := token.Watch{Room: "arena-d1", Player: "walter", ID: "x1", PlayerExpires: start.Add(time.Hour), Expires: start.Add(30 * time.Second)}
	s, err := k.SignWatch(want, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifyWatch(s); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	long, err := k.SignWatch(want, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.VerifyWatch(long); err != nil || !got.Expires.Equal(start.Add(token.MaxWatch)) {
		t.Errorf("one that was signed for an hour: %+v, %v", got, err)
	}
	c.now = start.Add(token.MaxWatch + token.Leeway + time.Second)
	if _, err := k.VerifyWatch(long); !errors.Is(err, token.ErrExpired) {
		t.Errorf("after its time: %v", err)
	}
}

func TestOneKindOfTokenNeverPassesForAnother(t *testing.T) {
	k, _ := newKeys(t, key)
	player, err1 := k.SignPlayer(token.Player{ID: "alice"}, time.Hour)
	seat, err2 := k.SignSeat(token.Seat{Room: "r", Seat: 1, Player: "alice", ID: "x", PlayerExpires: start}, time.Hour)
	resume, err3 := k.SignResume(token.Resume{Room: "r", Seat: 1, Player: "alice", PlayerExpires: start}, time.Hour)
	watch, err4 := k.SignWatch(token.Watch{Room: "r", Player: "alice", ID: "x", PlayerExpires: start}, time.Minute)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	verify := map[string]func(string) error{
		player: func(s string) error { _, err := k.VerifyPlayer(s); return err },
		seat:   func(s string) error { _, err := k.VerifySeat(s); return err },
		resume: func(s string) error { _, err := k.VerifyResume(s); return err },
		watch:  func(s string) error { _, err := k.VerifyWatch(s); return err },
	}
	for kind := range verify {
		for other, verify := range verify {
			if err := verify(kind); (err == nil) != (kind == other) {
				t.Errorf("token for %q, verified as %q: %v", audience(t, kind), audience(t, other), err)
			}
		}
	}
}

func audience(t *testing.T, s string) string {
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(s, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Aud []string }
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c.Aud[0]
}

func TestForgedTokensAreRefusedWithOneError(t *testing.T) {
	k, _ := newKeys(t, key)
	with := func(change func(header, claims map[string]any)) (map[string]any, map[string]any) {
		h, c := hs256(), goodClaims()
		change(h, c)
		return h, c
	}
	sign := func(change func(header, claims map[string]any)) string {
		h, c := with(change)
		return forge(t, h, c, key, sha256.New)
	}
	good := sign(func(_, _ map[string]any) {})
	if _, err := k.VerifyPlayer(good); err != nil {
		t.Fatalf("the good token that the others are made from: %v", err)
	}
	alg := func(name string) func(h, c map[string]any) {
		return func(h, _ map[string]any) { h["alg"] = name }
	}
	claim := func(name string, v any) string {
		return sign(func(_, c map[string]any) {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		})
	}
	noneHeader, noneClaims := with(alg("none"))
	h512, c512 := with(alg("HS512"))
	dots := strings.Split(good, ".")
	for name, s := range map[string]string{
		"nothing":                   "",
		"no dots":                   "alice",
		"only dots":                 "..",
		"a part more":               good + ".x",
		"alg none, unsigned":        forge(t, noneHeader, noneClaims, nil, nil),
		"alg none, signed":          sign(alg("none")),
		"alg None":                  sign(alg("None")),
		"alg missing":               sign(func(h, _ map[string]any) { delete(h, "alg") }),
		"alg RS256 with our key":    sign(alg("RS256")),
		"HS512, correctly signed":   forge(t, h512, c512, key, sha512.New),
		"another key":               forge(t, hs256(), goodClaims(), []byte("fedcba9876543210fedcba9876543210"), sha256.New),
		"an empty key":              forge(t, hs256(), goodClaims(), nil, sha256.New),
		"signature of other claims": dots[0] + "." + dots[1] + "." + strings.Split(claim("sub", "bob"), ".")[2],
		"claims of another":         dots[0] + "." + strings.Split(claim("sub", "bob"), ".")[1] + "." + dots[2],
		"signature cut":             good[:len(good)-4],
		"padded signature":          good + "=",
		"no expiry":                 claim("exp", nil),
		"expiry as a string":        claim("exp", "tomorrow"),
		"not yet valid":             claim("nbf", start.Add(6*time.Second).Unix()),
		"no audience":               claim("aud", nil),
		"another audience":          claim("aud", "muster:seat"),
		"an audience's prefix":      claim("aud", "muster"),
		"no issuer":                 claim("iss", nil),
		"another issuer":            claim("iss", "other"),
		"no subject":                claim("sub", nil),
		"an empty subject":          claim("sub", ""),
		"kid as a path":             sign(func(h, _ map[string]any) { h["kid"], h["alg"] = "../../dev/null", "HS384" }),
		"too long":                  claim("name", strings.Repeat("x", 4<<10)),
		"a megabyte":                strings.Repeat("a", 1<<20),
		"a million dots":            strings.Repeat(".", 1_000_000),
	} {
		p, err := k.VerifyPlayer(s)
		if !errors.Is(err, token.ErrInvalid) || errors.Is(err, token.ErrExpired) {
			t.Errorf("%s: %v", name, err)
		}
		if p.ID != "" || len(p.Roles) != 0 {
			t.Errorf("%s: says that it is %+v", name, p)
		}
		if err != nil && err.Error() != token.ErrInvalid.Error() {
			t.Errorf("%s: the text %q tells more than the others'", name, err)
		}
	}
}

func TestExpiryFollowsTheClockWithFiveSecondsOfLeeway(t *testing.T) {
	k, c := newKeys(t, key)
	s, err := k.SignPlayer(token.Player{ID: "alice"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]error{
		0: nil, time.Minute: nil, 64 * time.Second: nil, 66 * time.Second: token.ErrExpired, 1000 * time.Hour: token.ErrExpired,
	} {
		c.now = start.Add(after)
		if _, err := k.VerifyPlayer(s); !errors.Is(err, want) {
			t.Errorf("after %v: %v, want %v", after, err, want)
		}
	}
}

func TestATokenThatEndedCanBeRenewedForAsLongAsIsSaid(t *testing.T) {
	k, c := newKeys(t, key)
	s, err := k.SignPlayer(token.Player{ID: "alice", Name: "Alice"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]error{
		0: nil, time.Hour: nil, time.Hour + 59*time.Second: nil, time.Hour + 61*time.Second: token.ErrExpired,
	} {
		c.now = start.Add(after)
		p, err := k.VerifyEnded(s, time.Hour)
		if !errors.Is(err, want) || err == nil && (p.ID != "alice" || p.Name != "Alice") {
			t.Errorf("after %v: %+v, %v, want %v", after, p, err, want)
		}
	}
	c.now = start
	other, _ := newKeys(t, []byte("fedcba9876543210fedcba9876543210"))
	if _, err := other.VerifyEnded(s, time.Hour); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("another key: %v", err)
	}
	seat, err := k.SignSeat(token.Seat{Room: "r", Seat: 1, Player: "alice", ID: "i"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.VerifyEnded(seat, time.Hour); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("a seat token: %v", err)
	}
}

func TestAnExpiredTokenOfAnotherKeyIsNotCalledExpired(t *testing.T) {
	other, _ := newKeys(t, []byte("fedcba9876543210fedcba9876543210"))
	s, err := other.SignPlayer(token.Player{ID: "alice"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	k, c := newKeys(t, key)
	c.now = start.Add(time.Hour)
	if _, err := k.VerifyPlayer(s); errors.Is(err, token.ErrExpired) || !errors.Is(err, token.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

func TestSeatAndResumeTokensNeedAllTheirClaims(t *testing.T) {
	k, _ := newKeys(t, key)
	full := func(aud string) map[string]any {
		c := goodClaims()
		c["aud"], c["room"], c["seat"], c["jti"], c["pexp"] = aud, "r", 1, "x", start.Add(time.Hour).Unix()
		return c
	}
	if _, err := k.VerifySeat(forge(t, hs256(), full("muster:seat"), key, sha256.New)); err != nil {
		t.Fatal(err)
	}
	if _, err := k.VerifyResume(forge(t, hs256(), full("muster:resume"), key, sha256.New)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"room", "seat", "jti", "pexp", "sub", "exp"} {
		c := full("muster:seat")
		delete(c, name)
		if _, err := k.VerifySeat(forge(t, hs256(), c, key, sha256.New)); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("a seat token without %s: %v", name, err)
		}
		if c = full("muster:resume"); name == "jti" {
			continue
		}
		delete(c, name)
		if _, err := k.VerifyResume(forge(t, hs256(), c, key, sha256.New)); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("a resume secret without %s: %v", name, err)
		}
	}
	for _, seat := range []any{0, -1, 65536, 1.5, "1"} {
		c := full("muster:seat")
		c["seat"] = seat
		if _, err := k.VerifySeat(forge(t, hs256(), c, key, sha256.New)); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("a seat token for seat %v: %v", seat, err)
		}
	}
}

func TestWatchTokensNeedAllTheirClaimsAndNoSeat(t *testing.T) {
	k, _ := newKeys(t, key)
	full := func() map[string]any {
		c := goodClaims()
		c["aud"], c["room"], c["jti"], c["pexp"] = "muster:watch", "r", "x", start.Add(time.Hour).Unix()
		c["iat"], c["exp"] = start.Unix(), start.Add(time.Minute).Unix()
		return c
	}
	if _, err := k.VerifyWatch(forge(t, hs256(), full(), key, sha256.New)); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{
		"room": nil, "jti": nil, "pexp": nil, "sub": nil, "exp": nil, "iat": nil, "seat": 1,
		"nbf": start.Add(time.Hour).Unix(),
	} {
		c := full()
		if c[name] = v; v == nil {
			delete(c, name)
		}
		if _, err := k.VerifyWatch(forge(t, hs256(), c, key, sha256.New)); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("a watch token with %s %v: %v", name, v, err)
		}
	}
}

func TestWatchTokensThatWereSignedForLongAreRefused(t *testing.T) {
	k, _ := newKeys(t, key)
	c := goodClaims()
	c["aud"], c["room"], c["jti"], c["pexp"] = "muster:watch", "r", "x", start.Add(time.Hour).Unix()
	c["iat"], c["exp"] = start.Unix(), start.Add(2*time.Minute).Unix()
	if _, err := k.VerifyWatch(forge(t, hs256(), c, key, sha256.New)); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("one for two minutes: %v", err)
	}
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// nested is an object with n arrays in one another.
func nested(n int) string {
	return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
}

// maxAllocated is what reading any token may allocate, in bytes: a longer one than 4 KiB is not read.
const maxAllocated = 64 << 10

func TestHugeTokensCostNothing(t *testing.T) {
	k, _ := newKeys(t, key)
	most := time.Millisecond
	if race.Enabled { // which makes everything several times slower
		most *= 10
	}
	for name, s := range map[string]string{
		"a megabyte":           strings.Repeat("a", 1<<20),
		"a million dots":       strings.Repeat(".", 1_000_000),
		"as long as allowed":   strings.Repeat("a", 4<<10),
		"as many dots":         strings.Repeat(".", 4<<10),
		"a header of brackets": encode(strings.Repeat("[", 3000)) + ".e30.",
		"a nested header":      encode(nested(180)) + ".e30.",
		"nested claims":        encode(`{"alg":"HS256"}`) + "." + encode(nested(1400)) + ".",
	} {
		took, size := time.Hour, uint64(math.MaxUint64)
		for range 20 { // the least of a few: other work on the machine only adds
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := k.VerifyPlayer(s)
			took = min(took, time.Since(began))
			runtime.ReadMemStats(&after)
			size = min(size, after.TotalAlloc-before.TotalAlloc)
			if !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took > most || size > maxAllocated {
			t.Errorf("%s: %v, %d bytes allocated", name, took, size)
		}
	}
}

func TestShortKeysAreRefused(t *testing.T) {
	for _, n := range []int{0, 1, token.MinKey - 1} {
		if _, err := token.New(make([]byte, n), nil); err == nil {
			t.Errorf("took a key of %d bytes", n)
		}
	}
	if _, err := token.New(make([]byte, token.MinKey), nil); err != nil {
		t.Error(err)
	}
}

func TestKeysKeepTheirOwnCopyOfTheKey(t *testing.T) {
	mine := append([]byte(nil), key...)
	k, _ := newKeys(t, mine)
	s, err := k.SignPlayer(token.Player{ID: "alice"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	clear(mine)
	if _, err := k.VerifyPlayer(s); err != nil {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	k, _ := newKeys(f, key)
	f.Add(forge(f, hs256(), goodClaims(), key, sha256.New))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	other := []byte("fedcba9876543210fedcba9876543210")
	f.Add(forge(f, hs256(), goodClaims(), other, sha256.New))
	good := forge(f, hs256(), goodClaims(), key, sha256.New)
	f.Fuzz(func(t *testing.T, s string) {
		least := uint64(math.MaxUint64)
		for try := 0; try < 3 && least > 4*maxAllocated; try++ { // other goroutines may add to one
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if p, err := k.VerifyPlayer(s); err == nil && s != good {
				t.Fatalf("%q passes for %+v", s, p)
			}
			if _, err := k.VerifySeat(s); err == nil {
				t.Fatalf("%q passes for a seat token", s)
			}
			if _, err := k.VerifyResume(s); err == nil {
				t.Fatalf("%q passes for a resume secret", s)
			}
			if _, err := k.VerifyWatch(s); err == nil {
				t.Fatalf("%q passes for a watch token", s)
			}
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if least > 4*maxAllocated {
			t.Errorf("%d bytes allocated for %d", least, len(s))
		}
	})
}

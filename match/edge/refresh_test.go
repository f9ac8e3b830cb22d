package edge

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/simnet"
	"muster/proto"
	"muster/proto/token"
)

// playerToken returns a player's own token.
func (b *bench) playerToken(player string, ttl time.Duration) string {
	b.t.Helper()
	s, err := b.keys.SignPlayer(token.Player{ID: player}, ttl)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.secret(s)
}

func refreshMessage(bearer string) []byte {
	w := proto.NewWriter()
	(&proto.Refresh{Token: bearer}).Append(w)
	return w.Bytes()
}

// refresh brings a newer token.
func (p *peer) refresh(ctx context.Context, bearer string) {
	p.t.Helper()
	if err := p.Write(ctx, websocket.MessageBinary, refreshMessage(bearer)); err != nil {
		p.t.Fatal(err)
	}
}

// inTime runs a test in virtual time with a server in memory.
func inTime(t *testing.T, f func(t *testing.T, ctx context.Context, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		f(t, ctx, newSimBench(t, grow{}, simnet.Link{}, nil))
	})
}

// lasts reads to the end and checks that the socket is closed with 4205 when its player's token has ended.
func (p *peer) lasts(ctx context.Context, ends time.Time) {
	p.t.Helper()
	if bye, frame := p.closed(ctx); bye != proto.CodeTokenExpiry || frame != proto.CodeTokenExpiry {
		p.t.Errorf("bye %d, close frame %d, want 4205", bye, frame)
	}
	if late := time.Since(ends); late < token.Leeway-time.Second || // a token's end is in whole seconds
		late > token.Leeway+3*time.Second {
		p.t.Errorf("closed %v after the token's end, want the leeway of %v and a sweep", late, token.Leeway)
	}
}

func TestSocketOfAPlayerWhoseTokenEndsIsClosedWith4205(t *testing.T) {
	inTime(t, func(t *testing.T, ctx context.Context, b *bench) {
		ends := time.Now().Add(20 * time.Second)
		p := b.connect(ctx, "r", b.seatTokenUntil("r", 1, "alice", ends))
		if n := p.welcome.Expires; n < 19 || n > 20 {
			t.Errorf("the welcome says %d s", n)
		}
		p.lasts(ctx, ends)
		if b.closes("token_expired") != 1 {
			t.Errorf("%v closes are counted", b.closes("token_expired"))
		}
	})
}

func TestRefreshedTokenKeepsTheSocketOpenUntilItEnds(t *testing.T) {
	inTime(t, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.connect(ctx, "r", b.seatTokenUntil("r", 1, "alice", time.Now().Add(20*time.Second)))
		p.count(ctx, 15*time.Second)
		ends := time.Now().Add(time.Minute)
		p.refresh(ctx, b.playerToken("alice", time.Minute))
		p.until(ctx, proto.KindRefreshed)
		if n := p.renewed.Expires; n < 59 || n > 60 {
			t.Errorf("the answer says %d s", n)
		}
		p.lasts(ctx, ends)
	})
}

// The secret was made before the refresh, which the room remembers.
func TestResumeAfterARefreshGoesOnToTheNewerTokensEnd(t *testing.T) {
	inTime(t, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.connect(ctx, "r", b.seatTokenUntil("r", 1, "alice", time.Now().Add(20*time.Second)))
		ends := time.Now().Add(100 * time.Second)
		p.refresh(ctx, b.playerToken("alice", 100*time.Second))
		p.until(ctx, proto.KindRefreshed)
		p.count(ctx, 40*time.Second)
		_ = p.CloseNow()
		again := b.connect(ctx, "r", p.welcome.Resume)
		if n := again.welcome.Expires; n < 58 || n > 60 {
			t.Errorf("the welcome says %d s", n)
		}
		resume, err := b.keys.VerifyResume(again.welcome.Resume)
		if err != nil || resume.PlayerExpires.Before(ends.Add(-2*time.Second)) {
			t.Errorf("the next secret's player token ends at %v, want %v: %v", resume.PlayerExpires, ends, err)
		}
		again.lasts(ctx, ends)
	})
}

func TestResumeAfterThePlayersTokenHasEndedIsClosedWith4205(t *testing.T) {
	inTime(t, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.connect(ctx, "r", b.seatTokenUntil("r", 1, "alice", time.Now().Add(10*time.Second)))
		p.count(ctx, 9*time.Second)
		_ = p.CloseNow()
		time.Sleep(10 * time.Second)
		ws, _, err := b.dial(ctx, "r", p.welcome.Resume)
		if err != nil {
			t.Fatal(err)
		}
		again := &peer{Conn: ws, t: t}
		if kind := again.next(ctx); kind != proto.KindBye || again.bye.Code != proto.CodeTokenExpiry {
			t.Errorf("the first message is of kind %d, bye %+v", kind, again.bye)
		}
		_ = ws.CloseNow()
	})
}

func TestTokenWithoutAnEndNeverClosesTheSocket(t *testing.T) {
	inTime(t, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.connect(ctx, "r", b.seatTokenUntil("r", 1, "alice", time.Time{}))
		if p.welcome.Expires != 0 {
			t.Errorf("the welcome says %d s", p.welcome.Expires)
		}
		p.count(ctx, 2*time.Minute)
	})
}

func TestRefreshWithWhatIsNoTokenOfThePlayerClosesTheSocket(t *testing.T) {
	inTime(t, func(t *testing.T, ctx context.Context, b *bench) {
		other, err := token.New([]byte(strings.Repeat("x", 32)), nil)
		if err != nil {
			t.Fatal(err)
		}
		foreign, _ := other.SignPlayer(token.Player{ID: "alice"}, time.Hour)
		backend, _ := b.keys.SignPlayer(token.Player{ID: "alice", Roles: []string{"player", "service"}}, time.Hour)
		room := b.join(ctx, "r", 9, "watcher").welcome
		for name, c := range map[string]struct {
			msg  []byte
			want proto.Code
		}{
			"nothing":          {refreshMessage(""), proto.CodeTokenBad},
			"garbage":          {refreshMessage("garbage"), proto.CodeTokenBad},
			"another key's":    {refreshMessage(foreign), proto.CodeTokenBad},
			"a seat token":     {refreshMessage(b.seatToken("r", 1, "alice")), proto.CodeTokenBad},
			"a resume secret":  {refreshMessage(room.Resume), proto.CodeTokenBad},
			"a backend's":      {refreshMessage(b.secret(backend)), proto.CodeTokenBad},
			"one that ended":   {refreshMessage(b.playerToken("alice", -time.Minute)), proto.CodeTokenExpiry},
			"another player's": {refreshMessage(b.playerToken("bob", time.Hour)), proto.CodeNotYourSeat},
			"too long":         {refreshMessage(strings.Repeat("a", proto.MaxToken+1)), proto.CodeBadPayload},
			"not UTF-8":        {refreshMessage("\xff"), proto.CodeBadPayload},
			"a number":         {[]byte{0x92, proto.KindRefresh, 1}, proto.CodeBadPayload},
			"a megabyte":       {refreshMessage(strings.Repeat("a", 1<<20)), proto.CodeTooBig},
		} {
			p := b.join(ctx, "r", 1, "alice")
			_ = p.Write(ctx, websocket.MessageBinary, c.msg) // the socket may be closed before the end of it
			if _, frame := p.closed(ctx); frame != c.want {
				t.Errorf("%s: close frame %d, want %d", name, frame, c.want)
			}
			_ = p.CloseNow()
		}
	})
}

func TestRefreshBeforeTheWelcomeIsAProtocolError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no tick passes between the handshake and the message
		b := newSimBench(t, grow{}, simnet.Link{}, nil)
		c := b.rawDial("r", b.seatToken("r", 1, "alice"))
		if _, err := c.Write(clientFrame(finBinary, refreshMessage(b.playerToken("alice", time.Hour)))); err != nil {
			t.Fatal(err)
		}
		if end := goodbye(t, c); end.code != proto.CodeProtocol {
			t.Errorf("closed with %+v, want 1002", end)
		}
	})
}

// A socket that was replaced speaks for nobody any more.
func TestRefreshOfAReplacedSocketChangesNothing(t *testing.T) {
	inTime(t, func(_ *testing.T, ctx context.Context, b *bench) {
		old := b.connect(ctx, "r", b.seatTokenUntil("r", 1, "alice", time.Now().Add(20*time.Second)))
		ends := time.Now().Add(30 * time.Second)
		fresh := b.connect(ctx, "r", b.seatTokenUntil("r", 1, "alice", ends))
		_ = old.Write(ctx, websocket.MessageBinary, refreshMessage(b.playerToken("alice", time.Hour))) // may be too late
		old.closed(ctx)
		fresh.lasts(ctx, ends)
	})
}

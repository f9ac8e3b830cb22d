package arena

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"muster/match"
	"muster/match/matchtest"
	"muster/netcode"
)

func newRoom(t testing.TB, seed uint64, bots int) *matchtest.Room {
	t.Helper()
	return matchtest.New(t, Game, matchtest.Config{Seed: seed, Config: Config{Bots: bots}})
}

// botsOf are the ships that the rules fly.
func botsOf(w *World) (list []*Ship) {
	for _, ship := range w.Ships.All() {
		if ship.Mind.Flown {
			list = append(list, ship)
		}
	}
	return list
}

func TestBotsComeWithTheFirstPlayer(t *testing.T) {
	r := newRoom(t, 1, 8)
	r.Tick(100)
	if w := world(r); w.Ships.Len() != 0 || w.Round.V.Phase != Waiting {
		t.Fatalf("nobody is here, and there are %d ships in phase %v", w.Ships.Len(), w.Round.V.Phase)
	}
	r.Join(1, "alice", "Alice")
	r.Tick(1)
	names, seats := map[string]bool{}, map[netcode.Seat]bool{}
	for _, bot := range botsOf(world(r)) {
		names[bot.Name], seats[bot.Owner] = true, true
		if !bot.Alive() || bot.Owner < FirstBot || bot.Name == "" || len(bot.Name) > maxName {
			t.Errorf("a bot: %+v", bot)
		}
	}
	if len(names) != 8 || len(seats) != 8 || world(r).Ships.Len() != 9 {
		t.Errorf("%d names and %d seats of %d ships", len(names), len(seats), world(r).Ships.Len())
	}
	if shipOf(r, 1).Mind.Flown {
		t.Error("the player's ship is flown by the rules")
	}
}

func TestARoomWithoutBotsHasNone(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1})
	r.Join(1, "alice", "Alice")
	r.Join(2, "bob", "Bob")
	r.Tick(10)
	r.Leave(2)
	r.Tick(10)
	if n := world(r).Ships.Len(); n != 1 {
		t.Errorf("%d ships", n)
	}
}

func TestTheNumberOfBotsIsChecked(t *testing.T) {
	for _, c := range []struct {
		game match.Game
		most int
	}{{Game, 15}, {CrowdGame, 200}} {
		for bots, good := range map[int]bool{-1: false, 0: true, 1: true, c.most: true, c.most + 1: false} {
			err := c.game.CheckConfig(fmt.Appendf(nil, `{"bots":%d}`, bots))
			if good && err != nil || !good && !errors.Is(err, match.ErrConfig) {
				t.Errorf("%s with %d bots: %v", c.game.Name(), bots, err)
			}
		}
	}
}

// Whoever plays, bots fight: each comes to its kills and its deaths.
func TestBotsFight(t *testing.T) {
	for seed := range uint64(5) {
		r := newRoom(t, seed, 8)
		r.Join(1, "alice", "Alice")
		kills, respawns := 0, 0
		for range 60 * tickRate {
			r.Tick(1)
			for _, e := range r.Events(1) {
				switch e := e.(type) {
				case Kill:
					kills++
				case Spawned:
					if e.Seat >= FirstBot {
						respawns++
					}
				}
			}
		}
		points, deaths := 0, 0
		for _, bot := range botsOf(world(r)) {
			points, deaths = points+int(bot.Score), deaths+int(bot.Deaths)
			if bot.Score == 0 && bot.Deaths == 0 {
				t.Errorf("seed %d: bot %d did not fight", seed, bot.Owner)
			}
		}
		if kills < 20 || points != kills || respawns < deaths/2 {
			t.Errorf("seed %d: %d kills, the bots have %d points, %d deaths and %d respawns", seed, kills, points, deaths, respawns)
		}
		t.Logf("seed %d: %d kills in a minute", seed, kills)
	}
}

// The rules' own bots and those that play as clients have one pilot, so they are as good.
func TestARulesBotOfTheSameSkillIsAsGoodAsAClients(t *testing.T) {
	points := [2]int{} // of clients, of the rules
	for seed := range uint64(6) {
		r := newRoom(t, seed, 6)
		pilots := []*pilot{}
		for i := range 6 {
			r.Join(netcode.Seat(i+1), string(rune('a'+i)), "")
			pilots = append(pilots, newPilot())
		}
		for range 60 * tickRate {
			for i, p := range pilots {
				if in, ok := p.think(world(r), r.TickNumber(), netcode.Seat(i+1), r.Rand()); ok {
					matchtest.Input(r, netcode.Seat(i+1), in)
				}
			}
			r.Tick(1)
			for _, bot := range botsOf(world(r)) {
				bot.Mind.Skill = skilled
			}
		}
		for _, ship := range world(r).Ships.All() {
			if ship.Mind.Flown {
				points[1] += int(ship.Score)
			} else {
				points[0] += int(ship.Score)
			}
		}
	}
	t.Logf("%d points of clients, %d of the rules' bots", points[0], points[1])
	if points[1] < points[0]*3/4 || points[0] < points[1]*3/4 {
		t.Errorf("%d points of clients, %d of the rules' bots", points[0], points[1])
	}
}

func TestAPlayerWhoComesToAFullRoomTakesTheWorstBotsPlace(t *testing.T) {
	r := newRoom(t, 2, 15)
	r.Join(1, "alice", "Alice")
	r.Tick(20)
	w := world(r)
	if w.Ships.Len() != 16 {
		t.Fatalf("%d ships", w.Ships.Len())
	}
	for i, bot := range botsOf(w) {
		bot.Score = uint16(10 + i)
	}
	worst := botsOf(w)[4]
	worst.Score = 3
	gone := worst.Owner
	w.Bullets.Add(Bullet{X: 500, Y: 500, Owner: gone, End: 1000})
	r.Join(2, "bob", "Bob")
	r.Tick(1)
	if w.Ships.Len() != 16 || len(botsOf(w)) != 14 || shipOf(r, 2) == nil || shipOf(r, gone) != nil {
		t.Fatalf("%d ships, %d bots", w.Ships.Len(), len(botsOf(w)))
	}
	for _, b := range w.Bullets.All() {
		if b.Owner == gone {
			t.Error("its bullets are still there")
		}
	}
	for seat := netcode.Seat(3); seat <= 16; seat++ {
		r.Join(seat, fmt.Sprint("p", seat), "")
	}
	r.Tick(1)
	if w.Ships.Len() != 16 || len(botsOf(w)) != 0 || len(r.Refused()) != 0 {
		t.Fatalf("full of players: %d ships, %d bots, refused %v", w.Ships.Len(), len(botsOf(w)), r.Refused())
	}
	r.Leave(2)
	r.Tick(1)
	if w.Ships.Len() != 16 || len(botsOf(w)) != 1 {
		t.Errorf("one left: %d ships, %d bots", w.Ships.Len(), len(botsOf(w)))
	}
}

func TestBotsCountInTheRoundAndNotInTheResult(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1, Config: Config{Bots: 3, RoundSeconds: 10}})
	r.Join(1, "alice", "Alice")
	r.Join(2, "bob", "Bob")
	r.Tick(10 * tickRate)
	for _, ship := range world(r).Ships.All() {
		ship.Score = 1
	}
	best := botsOf(world(r))[1]
	best.Score = 9
	shipOf(r, 2).Score = 5
	r.Tick(1)
	if round := world(r).Round.V; round.Phase != Podium || round.Winner != best.Owner {
		t.Fatalf("%+v", round)
	}
	r.Tick(podiumTime * tickRate)
	result, ended := r.Ended()
	want := []match.Placement{{Seat: 2, Player: "bob", Rank: 1, Score: 5}, {Seat: 1, Player: "alice", Rank: 2, Score: 1}}
	if !ended || !slices.Equal(result, want) {
		t.Errorf("ended %v with %+v", ended, result)
	}
}

// withBots is a match of bots and of players who come, go and steer.
func withBots(config any, players int, ticks uint32) matchtest.Script {
	return matchtest.Script{
		Config: matchtest.Config{Seed: 5, Config: config},
		Ticks:  ticks,
		Steps: []matchtest.Step{
			{From: 1, Do: func(r *matchtest.Room) { r.Join(1, "a", "") }},
			{From: 40, Do: func(r *matchtest.Room) {
				for seat := netcode.Seat(2); int(seat) <= players; seat++ {
					r.Join(seat, string(rune('a'+seat)), "")
					r.Late(seat, float64(seat))
				}
			}},
			{From: ticks / 2, Do: func(r *matchtest.Room) { r.Leave(1) }},
			{From: 2, To: ticks, Do: func(r *matchtest.Room) {
				for seat := netcode.Seat(1); int(seat) <= players; seat++ {
					if r.Connected(seat) && r.Rand().Uint32N(8) == 0 {
						matchtest.Input(r, seat, Input{Turn: int8(r.Rand().IntN(256) - 128), Thrust: Full, Fire: true})
					}
				}
			}},
		},
	}
}

func TestAMatchWithBotsIsAFunctionOfItsRecords(t *testing.T) {
	matchtest.Deterministic(t, Game, withBots(Config{Bots: 12}, 6, 400), 4)
	matchtest.Deterministic(t, CrowdGame, withBots(CrowdConfig{}, 6, 100), 3)
}

func TestAReplayOfBotsIsVerified(t *testing.T) {
	for _, c := range []struct {
		game   match.Game
		script matchtest.Script
	}{{Game, withBots(Config{Bots: 12}, 6, 400)}, {CrowdGame, withBots(CrowdConfig{}, 6, 100)}} {
		file := filepath.Join(t.TempDir(), "bots.muster")
		matchtest.Run(t, c.game, c.script).Save(file)
		matchtest.Verify(t, c.game, file)
	}
}

// The recorded match proves that bots of this version of the rules still fly as they did, on this architecture, too.
func TestARecordedMatchOfBotsPlaysAsItDid(t *testing.T) {
	matchtest.Fixture(t, Game, withBots(Config{Bots: 12}, 6, 250), "testdata/bots.muster")
}

// A client steps the rows that it has. To it a bot is a ship of which no input is known: nobody flies it there, and the
// own ship is where the server has it.
func TestAClientThatPredictsFliesNoBots(t *testing.T) {
	s := newSim(1)
	s.w.Ships.Add(Ship{Owner: FirstBot, Name: "bot", Mind: Mind{Flown: true, Skill: skilled}})
	s.step(1)
	place(s.ship(1), 200, 200, 0)
	place(s.ship(FirstBot), 700, 700, 1)
	s.hold(1, Input{Turn: 30, Thrust: Full})
	e := newEncoder[World](t)
	l := newLink(e, 1)
	e.enc.Capture(s.tick, &s.w)
	l.frame(t, s.tick)
	var seen World
	l.load(t, &seen)
	mine, bot := (*Ship)(nil), (*Ship)(nil)
	for _, ship := range seen.Ships.All() {
		if ship.Owner == 1 {
			mine = ship
		} else {
			bot = ship
		}
	}
	if bot.Mind != (Mind{}) {
		t.Fatalf("a client knows its mind: %+v", bot.Mind)
	}
	client := netcode.NewDriver[World, Input](&seen, netcode.DriverConfig{Rate: tickRate, Seed: 7})
	at := bot.X
	for range 20 {
		s.step(1)
		client.Begin(s.tick)
		client.Input(1, s.tick, s.tick, 0, &s.inputs[1])
		client.Run(Arena{}.Step)
	}
	if bot.X != at || bot.Angle == 0 || bot.Mind != (Mind{}) {
		t.Errorf("the client flew the bot: %+v", bot)
	}
	if there := s.ship(FirstBot); there.X == 700 && there.Y == 700 {
		t.Error("the server's bot did not move: this shows nothing")
	}
	near(t, "the own ship's x", float64(mine.X), float64(s.ship(1).X), 0.1)
	near(t, "the own ship's y", float64(mine.Y), float64(s.ship(1).Y), 0.1)
}

func TestAStepOfBotsAllocatesNothing(t *testing.T) {
	s := newBots(CrowdSize, 200)
	s.step(20 * tickRate)
	for range 5 * tickRate { // the destroyed come back, the last bullets go
		for _, ship := range s.w.Ships.All() { // events do allocate
			ship.Shield, ship.ShieldEnd, ship.Reload = true, 1<<31, 1<<31
		}
		s.step(1)
	}
	if n := testing.AllocsPerRun(100, func() { s.step(1) }); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

// newBots is a world of bots alone.
func newBots(size uint16, n int) *sim {
	s := &sim{}
	s.drive(42)
	s.w.Field.V = Field{Size: size, Hearing: Look}
	for i := range n {
		s.w.Ships.Add(Ship{Owner: FirstBot + netcode.Seat(i), Mind: Mind{Flown: true, Skill: skilled}})
	}
	return s
}

func BenchmarkStepBots200(b *testing.B) {
	s := newBots(CrowdSize, 200)
	s.step(20 * tickRate)
	b.ReportAllocs()
	for b.Loop() {
		s.w.Round.V.Ends = s.tick + 1000
		s.step(1)
	}
}

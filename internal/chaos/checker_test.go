package chaos

import (
	"strings"
	"testing"
	"time"

	"muster/client"
	"muster/internal/testpace"
	"muster/netcode"
)

// What the scenarios check would be worth nothing if a bot noticed nothing.

// table is a state with one account.
func table(last uint32, chain uint32) *books {
	b := &books{}
	b.Accounts.Add(account{Owner: 1, Last: last, Chain: chain})
	return b
}

func frame(epoch uint64, tick uint32, at time.Time) *client.Frame {
	return &client.Frame{Epoch: epoch, Tick: tick, At: at}
}

func TestCourtNoticesTwoHostsAtOnce(t *testing.T) {
	now := time.Now()
	c := (&courts{list: map[string]*court{}}).of("room")
	for _, f := range []struct {
		frame *client.Frame
		what  string // is complained of
	}{
		{frame(1, 101, now), ""},
		{frame(2, 95, now.Add(time.Second)), ""},
		{frame(1, 102, now.Add(time.Second+lateFrame/2)), ""},
		{frame(1, 103, now.Add(time.Second+2*lateFrame)), "after epoch 2 began"},
	} {
		if wrong := c.hears(f.frame, table(1, 1)); !strings.Contains(wrong, f.what) || (wrong == "") != (f.what == "") {
			t.Errorf("tick %d of epoch %d: %q, want %q", f.frame.Tick, f.frame.Epoch, wrong, f.what)
		}
	}
	if c.hosts != 2 || c.overlap != 2*lateFrame {
		t.Errorf("%d hosts, %v", c.hosts, c.overlap)
	}
}

func TestCourtNoticesThatBotsSeeDifferentThings(t *testing.T) {
	now := time.Now()
	c := (&courts{list: map[string]*court{}}).of("room")
	tick := uint32(looked)
	if wrong := c.hears(frame(1, tick, now), table(3, 7)); wrong != "" {
		t.Error(wrong)
	}
	if wrong := c.hears(frame(1, tick, now), table(3, 7)); wrong != "" || c.agreed != 1 {
		t.Errorf("%q, and %d looks agree", wrong, c.agreed)
	}
	if wrong := c.hears(frame(2, tick, now), table(4, 8)); wrong != "" { // the same tick of another host is another
		t.Error(wrong)
	}
	if wrong := c.hears(frame(1, tick, now), table(3, 8)); !strings.Contains(wrong, "to others") {
		t.Errorf("another chain: %q", wrong)
	}
	for n := range uint32(2 * mostLooks) {
		c.hears(frame(2, n*looked, now), table(1, 1))
	}
	if len(c.looks) > mostLooks {
		t.Errorf("%d looks are kept", len(c.looks))
	}
}

// events tells a bot of numbered commands, its own by noted and others by posted, and returns what it complains of.
func events(slips bool, tell func(b *bot)) string {
	b := &bot{slips: slips, notes: notes{heard: map[netcode.Seat]uint32{}}}
	b.epoch.Store(1)
	tell(b)
	return strings.Join(b.notes.wrong, "; ")
}

func TestBotNoticesEventsThatAreLostOrDoubled(t *testing.T) {
	own := func(b *bot, list ...uint32) {
		for _, n := range list {
			b.hear(client.Event{Value: &noted{n}})
		}
	}
	all := func(b *bot, list ...uint32) {
		for _, n := range list {
			b.hear(client.Event{Value: &posted{2, n}})
		}
	}
	for name, c := range map[string]struct {
		slips bool
		tell  func(b *bot)
		wrong string
	}{
		"in order":                        {false, func(b *bot) { own(b, 1, 2, 3); all(b, 20, 30) }, ""},
		"one lost":                        {false, func(b *bot) { own(b, 1, 3) }, "says command 3 after 1"},
		"the first lost":                  {false, func(b *bot) { own(b, 2) }, "says command 2 after 0"},
		"one doubled":                     {false, func(b *bot) { own(b, 1, 2, 2) }, "says command 2 after 2"},
		"another's lost":                  {false, func(b *bot) { all(b, 10, 30) }, "says command 30 after 10"},
		"told again by another host":      {false, func(b *bot) { own(b, 1, 2, 3); b.newEpoch(2); own(b, 2) }, "says command 2 after 3"},
		"told again after a checkpoint":   {true, func(b *bot) { own(b, 1, 2, 3); b.newEpoch(2); own(b, 2, 3, 4) }, ""},
		"lost after a checkpoint":         {true, func(b *bot) { own(b, 1, 2, 3); b.newEpoch(2); own(b, 5) }, "says command 5 after 3"},
		"doubled later":                   {true, func(b *bot) { own(b, 1, 2, 3); b.newEpoch(2); own(b, 2, 3, 3) }, "says command 3 after 3"},
		"an epoch that goes back":         {true, func(b *bot) { b.newEpoch(3); b.newEpoch(2) }, "epoch 2 came after 3"},
		"an epoch that goes on":           {true, func(b *bot) { b.newEpoch(3); b.newEpoch(3); b.newEpoch(4) }, ""},
		"another's told again after that": {true, func(b *bot) { all(b, 10, 20); b.newEpoch(2); all(b, 20, 30) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := events(c.slips, c.tell)
			if !strings.Contains(wrong, c.wrong) || (wrong == "") != (c.wrong == "") {
				t.Errorf("%q, want %q", wrong, c.wrong)
			}
		})
	}
}

func TestBotNoticesCommandsThatAreLostDoubledOrTakenBack(t *testing.T) {
	now := time.Now()
	chains := []uint32{0, link(0, 1), link(link(0, 1), 2), link(link(link(0, 1), 2), 3)}
	for name, c := range map[string]struct {
		processed, durable uint32
		a                  account
		wrong              string
	}{
		"all is well":         {2, 1, account{Owner: 1, Last: 2, Chain: chains[2]}, ""},
		"no account":          {2, 1, account{Owner: 2, Last: 2, Chain: chains[2]}, "there is no account"},
		"out of order":        {2, 1, account{Owner: 1, Last: 2, Chain: chains[2], Wrong: 1}, "out of order"},
		"one counted twice":   {2, 1, account{Owner: 1, Last: 2, Chain: link(chains[2], 2)}, "the chain"},
		"said to be counted":  {3, 1, account{Owner: 1, Last: 2, Chain: chains[2]}, "has command 2, says 3"},
		"never sent":          {4, 1, account{Owner: 1, Last: 4, Chain: chains[3]}, "3 were sent"},
		"durable, taken back": {1, 1, account{Owner: 1, Last: 1, Chain: chains[1]}, "command 2 was durable"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bot{f: &fleet{machine: new(testpace.Pace)}, court: (&courts{list: map[string]*court{}}).of("room"), chains: chains, notes: notes{heard: map[netcode.Seat]uint32{}}}
			if strings.HasPrefix(name, "durable") {
				b.durable.Store(2)
			}
			state := &books{}
			state.Accounts.Add(c.a)
			f := frame(1, 5, now)
			f.Processed, f.Durable = c.processed, c.durable
			b.see(f, state, 1)
			wrong := strings.Join(b.notes.wrong, "; ")
			if !strings.Contains(wrong, c.wrong) || (wrong == "") != (c.wrong == "") {
				t.Errorf("%q, want %q", wrong, c.wrong)
			}
		})
	}
}

func TestBotNotesPausesAndWhatIsTakenBack(t *testing.T) {
	now := time.Now()
	b := &bot{f: &fleet{machine: new(testpace.Pace)}, court: (&courts{list: map[string]*court{}}).of("room"), chains: []uint32{0}, notes: notes{heard: map[netcode.Seat]uint32{}}}
	state := &books{}
	state.Accounts.Add(account{Owner: 1})
	for _, f := range []*client.Frame{
		frame(1, 10, now), frame(1, 11, now.Add(50*time.Millisecond)), frame(1, 20, now.Add(550*time.Millisecond)),
		frame(2, 16, now.Add(2550*time.Millisecond)), frame(2, 16, now.Add(2600*time.Millisecond)),
	} {
		b.see(f, state, 1)
	}
	p := b.notes.pauses
	if len(p) != 2 || p[0].long() != 500*time.Millisecond || p[0].over() || p[1].long() != 2*time.Second || !p[1].over() {
		t.Errorf("pauses %+v", p)
	}
	if r := b.notes.rollbacks; len(r) != 1 || r[0] != 5 {
		t.Errorf("ticks taken back: %v", r)
	}
	if len(b.notes.wrong) != 1 || !strings.Contains(b.notes.wrong[0], "tick 16 came after 16") {
		t.Errorf("complaints: %q", b.notes.wrong)
	}
}

func TestPercentileIsTheLeastThatSoManyDoNotExceed(t *testing.T) {
	for _, c := range []struct{ n, p, want int }{{1, 99, 1}, {2, 50, 1}, {100, 99, 99}, {100, 50, 50}, {101, 99, 100}, {200, 99, 198}, {10, 99, 10}} {
		var list []int
		for i := c.n; i > 0; i-- {
			list = append(list, i)
		}
		if got := percentile(list, c.p); got != c.want {
			t.Errorf("of 1 to %d the %dth is %d, want %d", c.n, c.p, got, c.want)
		}
	}
}

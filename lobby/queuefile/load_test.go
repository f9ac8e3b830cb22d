package queuefile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/lobby/queue"
)

// manual returns docs/QUEUES.md.
func manual(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "QUEUES.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// example is the file in the manual.
func example(t testing.TB) []byte {
	t.Helper()
	_, rest, _ := strings.Cut(manual(t), "```yaml\n")
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the manual has no example")
	}
	return []byte(text)
}

func TestTheManualHasEveryKey(t *testing.T) {
	t.Parallel()
	text := manual(t)
	for _, f := range (&document{}).queueFields(&queue.Rules{}, lines{}) {
		if !strings.Contains(text, "\n| `"+f.key+"` |") {
			t.Errorf("the table lacks %s", f.key)
		}
		if !bytes.Contains(example(t), []byte("\n    "+f.key+":")) {
			t.Errorf("the example lacks %s", f.key)
		}
	}
}

func TestTheManualsExampleIsRead(t *testing.T) {
	t.Parallel()
	got, err := Load(example(t), Options{Seats: map[string]int{"arena": 16}, Watched: map[string]bool{"arena": true}})
	if err != nil {
		t.Fatal(err)
	}
	ranked, err := queue.Rules{
		Name: "ranked", Game: "arena", Teams: 2, TeamSize: 5, Min: 8, Gather: 20 * time.Second, PartyMin: 1, PartyMax: 5,
		Rating:  []queue.Step{{Within: 100}, {After: 10 * time.Second, Within: 200}, {After: time.Minute, Any: true}},
		Regions: []string{"eu", "us", "asia"},
		Tags:    map[string]string{"disk": "fast"},
		Latency: []queue.Step{{Within: 60}, {After: 30 * time.Second, Within: 120}},
		Roles:   []queue.Role{{Name: "tank", PerTeam: 1}, {Name: "support", PerTeam: 1}, {Name: "damage", PerTeam: 3}},
		Attributes: []queue.Attribute{
			{Name: "mode", Kind: queue.Equal, Required: true},
			{Name: "maps", Kind: queue.AnyOf},
			{Name: "level", Kind: queue.Within, Until: 90 * time.Second, Within: []queue.Step{{Within: 5}, {After: 30 * time.Second, Within: 10}}},
		},
		Conditions: []queue.Condition{{Name: "other-clans", Until: 2 * time.Minute, Holds: func(*queue.Ticket, *queue.Ticket, time.Duration) bool { return true }}},
		AvoidFor:   2 * time.Minute, Confirm: 15 * time.Second, Connect: 15 * time.Second, Backfill: true,
		BotsAfter: 45 * time.Second, Watch: true, MaxWait: 5 * time.Minute,
	}.Validate()
	if err != nil {
		t.Fatal(err)
	}
	duel, err := queue.Rules{Name: "duel", Game: "arena", Teams: 2, TeamSize: 1}.Validate()
	if err != nil {
		t.Fatal(err)
	}
	ignored := cmp.Options{cmpopts.IgnoreFields(queue.Condition{}, "Holds"), cmpopts.IgnoreUnexported(queue.Rules{})}
	if diff := cmp.Diff([]queue.Rules{ranked, duel}, got, ignored); diff != "" {
		t.Error(diff)
	}
	a, b := ticket(map[string]any{"clan": "red"}, 1), ticket(map[string]any{"clan": "red"}, 2)
	if holds := got[0].Conditions[0].Holds; holds(a, b, time.Minute) || !holds(a, b, 61*time.Second) {
		t.Error("the expression is another one")
	}
}

// Each case is a file and what is said of it: "LINE: TEXT" for each mistake, all of them.
func TestMistakesAreNamedWithTheirLines(t *testing.T) {
	t.Parallel()
	const head = "queues:\n  q:\n    game: arena\n    team_size: 5\n"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"empty":              {"", []string{"0: it is empty: want the key queues"}},
		"comment alone":      {"# nothing\n", []string{"0: it is empty: want the key queues"}},
		"no map":             {"- queues\n", []string{"1: the file is a list, want a map of queues"}},
		"word":               {"queues\n", []string{`1: the file is "queues", want a map of queues`}},
		"no queues":          {"{}\n", []string{"1: it has no key queues"}},
		"none":               {"queues: {}\n", []string{"1: queues has 0 entries, want 1 to 64"}},
		"null":               {"queues:\n", []string{"1: queues is nothing, want a map of queues by their names"}},
		"misspelt root":      {"queue:\n  q: {}\n", []string{`1: "queue" is no key here, did you mean queues?`}},
		"misspelt keys":      {head + "    regoins: [eu]\n    tema_size: 4\n", []string{`5: "regoins" is no key here, did you mean regions?`, `6: "tema_size" is no key here, did you mean team_size?`}},
		"unlike any key":     {head + "    start: {first: 3}\n", []string{`5: "first" is no key here: want min, wait_for_more`}},
		"twice":              {head + "    game: arena\n", []string{"5: queues.q.game is here twice"}},
		"queue twice":        {head + "  q: {game: arena, team_size: 5}\n", []string{"5: queues.q is here twice"}},
		"bad name":           {"queues:\n  Ranked: {game: arena, team_size: 5}\n", []string{`2: the name of a queue is "Ranked", want a name: up to 31 of a-z, 0-9, _ and -, the first a letter`}},
		"no key":             {"queues:\n  [a, b]: {game: arena, team_size: 5}\n", []string{"2: a list is no key: want a word"}},
		"syntax":             {"queues:\n  q: [1\n", []string{"2: this is not YAML: did not find expected ',' or ']'"}},
		"bracket open":       {"queues: [\n", []string{"2: this is not YAML: did not find expected node content"}},
		"quote open":         {"queues:\n  q: {game: \"a}\n", []string{"2: this is not YAML: found unexpected end of stream"}},
		"dedent":             {"queues:\n    q: {}\n  r: {}\n", []string{"3: this is not YAML: did not find expected key"}},
		"colon":              {"queues:\n  q: a: b\n", []string{"2: this is not YAML: mapping values are not allowed"}},
		"no UTF-8":           {"queues: \xff\n", []string{"1: this is not YAML: "}},
		"tab":                {"queues:\n\tq: 1\n", []string{"2: this is not YAML: found character that cannot start any token"}},
		"two documents":      {head + "---\nmore: 1\n", []string{"5: a second document: want one"}},
		"alias":              {"queues:\n  a: &x {game: arena, team_size: 5}\n  b: *x\n", []string{"2: an anchor or alias (& or *): write it out, or put it in quotes where it is text"}},
		"merge":              {"queues:\n  <<: {a: {game: arena, team_size: 5}}\n", []string{`2: "<<" is no key: want a word`}},
		"tag":                {"queues:\n  q: !!binary aaaa\n", []string{`2: a tag "!!binary": want plain YAML`}},
		"queue is a list":    {"queues:\n  q: [1]\n", []string{"2: queues.q is a list, want a map of game, teams"}},
		"unknown game":       {"queues:\n  q:\n    game: chess\n    team_size: 5\n", []string{`3: queues.q.game is "chess", want one of the server's games: arena`}},
		"game is a number":   {"queues:\n  q: {game: 7, team_size: 5}\n", []string{`2: queues.q.game is "7", want the name of a game`}},
		"nothing said":       {"queues:\n  q: {}\n", []string{"2: queues.q has no game", "2: queues.q has no team_size"}},
		"too many seats":     {"queues:\n  q:\n    game: arena\n    teams: 4\n    team_size: 5\n", []string{"5: queues.q: a match has 20 players (4 teams of 5), and a room of arena has 16 seats"}},
		"team_size":          {"queues:\n  q:\n    game: arena\n    team_size: five\n", []string{`4: queues.q.team_size is "five", want a whole number from 1 to 1000`}},
		"fraction":           {"queues:\n  q:\n    game: arena\n    team_size: 2.5\n", []string{`4: queues.q.team_size is "2.5", want a whole number`}},
		"watch is a flag":    {head + "    watch: true\n", []string{`5: queues.q.watch is "true", want everyone or nobody`}},
		"watch by friends":   {head + "    watch: [friends]\n", []string{"5: queues.q.watch is a list, want everyone or nobody"}},
		"nobody may watch":   {head + "    watch: everyone\n", []string{"5: queues.q.watch is everyone, and the rules of arena let nobody watch"}},
		"teams":              {head + "    teams: 17\n", []string{`5: queues.q.teams is "17", want a whole number from 1 to 16`}},
		"min above max":      {head + "    start: {min: 6, wait_for_more: 0s}\n", []string{"5: queues.q.start.min is 6, and a match has 5 players (1 teams of 5)"}},
		"min without wait":   {head + "    start: {min: 2}\n", []string{"5: queues.q.start says min and no wait_for_more: want for how long 2 players wait for up to 5, 0s for not at all"}},
		"wait without min":   {head + "    start: {wait_for_more: 10s}\n", []string{"5: queues.q.start.wait_for_more without a min below 5: a match that starts full waits for nobody"}},
		"wait above expiry":  {head + "    start: {min: 2, wait_for_more: 2m}\n    expires: 1m\n", []string{"6: queues.q.expires is 1m, which is no more than start.wait_for_more (2m)"}},
		"bots above expiry":  {head + "    bots: {after: 5m}\n    expires: 5m\n", []string{"5: queues.q.bots.after is 5m, and tickets expire after 5m"}},
		"no unit":            {head + "    confirm: 15\n", []string{`5: queues.q.confirm is "15", want a time with its unit, as 90s or 2m, from 3s to 1m`}},
		"too long":           {head + "    expires: 24h\n", []string{`5: queues.q.expires is "24h", want a time with its unit, as 90s or 2m, from 10s to 1h`}},
		"negative":           {head + "    connect: -5s\n", []string{`5: queues.q.connect is "-5s", want a time`}},
		"no flag":            {head + "    backfill: yes\n", []string{`5: queues.q.backfill is "yes", want true or false`}},
		"bots too early":     {head + "    start: {min: 2, wait_for_more: 30s}\n    bots: {after: 20s}\n", []string{"6: queues.q.bots.after is 20s, which is before start.wait_for_more ends (30s)"}},
		"steps even":         {head + "    rating: [{within: 10}, {after: 9s, within: 10}]\n", []string{"5: queues.q.rating[1].within is 10, and the step before has 10: a bound widens with waiting"}},
		"party max":          {head + "    party: {max: 6}\n", []string{"5: queues.q.party.max is 6, and a team has 5: a party is never split"}},
		"party min":          {head + "    party: {min: 3, max: 2}\n", []string{"5: queues.q.party.min is 3, above its max"}},
		"latency alone":      {head + "    latency: [{within: 60}]\n", []string{"5: queues.q has latency and no regions: say which regions matches may be in"}},
		"region twice":       {head + "    regions: [eu, us, eu]\n", []string{"5: queues.q.regions[2]: eu is here twice"}},
		"region number":      {head + "    regions: [1]\n", []string{`5: queues.q.regions[0] is "1", want a name`}},
		"no regions":         {head + "    regions: []\n", []string{"5: queues.q.regions has 0 entries, want 1 to 32"}},
		"tags no list":       {head + "    tags: disk=fast\n", []string{`5: queues.q.tags is "disk=fast", want a list of tags of servers, as [disk=fast]`}},
		"tags as a map":      {head + "    tags: {disk: fast}\n", []string{"5: queues.q.tags is a map, want a list of tags of servers"}},
		"no tags":            {head + "    tags: []\n", []string{"5: queues.q.tags has 0 entries, want 1 to 8"}},
		"too many tags":      {head + "    tags: [a=1, b=1, c=1, d=1, e=1, f=1, g=1, h=1, i=1]\n", []string{"5: queues.q.tags has 9 entries, want 1 to 8"}},
		"tag without value":  {head + "    tags: [disk=fast, gpu]\n", []string{`5: queues.q.tags[1] is "gpu", want NAME=VALUE, a name of up to 31 of a-z, 0-9, _ and -, a value of up to 64 of letters, digits and ._:/-`}},
		"tag of no value":    {head + "    tags: [gpu=]\n", []string{`5: queues.q.tags[0] is "gpu=", want NAME=VALUE`}},
		"tag in capitals":    {head + "    tags: [GPU=yes]\n", []string{`5: queues.q.tags[0] is "GPU=yes", want NAME=VALUE`}},
		"long tag":           {head + "    tags: [gpu=" + strings.Repeat("y", 65) + "]\n", []string{`5: queues.q.tags[0] is "gpu=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…", want NAME=VALUE`}},
		"long tag's name":    {head + "    tags: [" + strings.Repeat("n", 32) + "=y]\n", []string{`5: queues.q.tags[0] is "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn=y", want NAME=VALUE`}},
		"tag is a map":       {head + "    tags: [disk: fast]\n", []string{"5: queues.q.tags[0] is a map, want NAME=VALUE"}},
		"tag twice":          {head + "    tags: [disk=fast, disk=slow]\n", []string{"5: queues.q.tags[1]: disk is here twice, and a server has one value of it"}},
		"roles":              {head + "    roles: {tank: 1, damage: 3}\n", []string{"5: queues.q.roles are of 4 players, and a team has 5"}},
		"role of none":       {head + "    roles: {tank: 0, damage: 5}\n", []string{`5: queues.q.roles.tank is "0", want a whole number from 1`}},
		"steps no list":      {head + "    rating: 100\n", []string{`5: queues.q.rating is "100", want a list of steps`}},
		"first step later":   {head + "    rating: [{after: 5s, within: 10}]\n", []string{"5: queues.q.rating[0].after is 5s: the first step counts from the beginning, so it has no after"}},
		"steps backwards":    {head + "    rating:\n    - {within: 10}\n    - {after: 9s, within: 20}\n    - {after: 8s, within: 30}\n", []string{"8: queues.q.rating[2].after is 8s, want more than the step before (9s)"}},
		"steps narrow":       {head + "    rating:\n    - {within: 10}\n    - {after: 9s, within: 5}\n", []string{"7: queues.q.rating[1].within is 5, and the step before has 10: a bound widens with waiting"}},
		"after any":          {head + "    rating:\n    - {any: true}\n    - {after: 9s, within: 5}\n", []string{"7: queues.q.rating[1] comes after a step with any: nothing is wider"}},
		"both":               {head + "    rating: [{within: 5, any: true}]\n", []string{"5: queues.q.rating[0] wants either within or any: true"}},
		"neither":            {head + "    rating: [{any: false}]\n", []string{"5: queues.q.rating[0] wants either within or any: true"}},
		"not a number":       {head + "    rating: [{within: .nan}]\n", []string{`5: queues.q.rating[0].within is ".nan", want a number from 0 to 1e+06`}},
		"infinite":           {head + "    rating: [{within: .inf}]\n", []string{`5: queues.q.rating[0].within is ".inf", want a number`}},
		"attribute rule":     {head + "    attributes: {mode: {rule: same}}\n", []string{`5: queues.q.attributes.mode.rule is "same", want equal, any or within`}},
		"attribute no rule":  {head + "    attributes: {mode: {required: true}}\n", []string{"5: queues.q.attributes.mode has no rule: want equal, any or within"}},
		"attribute no steps": {head + "    attributes: {level: {rule: within}}\n", []string{"5: queues.q.attributes.level is of rule within and has no steps"}},
		"attribute steps":    {head + "    attributes: {level: {rule: any, steps: [{within: 5}]}}\n", []string{"5: queues.q.attributes.level has steps, which are for rule within alone"}},
		"condition no name":  {head + "    rules: [{holds: 'true'}]\n", []string{"5: queues.q.rules[0] has no name"}},
		"condition no text":  {head + "    rules: [{name: x}]\n", []string{"5: queues.q.rules[0] has no holds"}},
		"condition twice":    {head + "    rules:\n    - {name: x, holds: 'true'}\n    - {name: x, holds: 'true'}\n", []string{"7: queues.q.rules[1]: there are two rules x"}},
		"condition wrong":    {head + "    rules:\n    - name: x\n      holds: a.ratting > 1\n", []string{"7: queues.q.rules[0].holds: column 3: there is no ratting: a ticket has rating, players, regions and attributes"}},
		"deep":               {"queues: " + strings.Repeat("[", 40) + "\n", []string{"1: lists and maps lie more than 32 deep in one another"}},
		"deep by lines":      {strings.Repeat("- ", 40) + "a\n", []string{"1: lists and maps lie more than 32 deep in one another"}},
		"three at once": {
			"queues:\n  q:\n    game: chess\n    team_size: 0\n    bckfill: true\n  ok: {game: arena, team_size: 2}\n",
			[]string{`3: queues.q.game is "chess"`, `4: queues.q.team_size is "0", want`, `5: "bckfill" is no key here, did you mean backfill?`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Load([]byte(c.file), Options{Name: "f.yaml", Seats: map[string]int{"arena": 16}, Watched: map[string]bool{"arena": false}})
			if got != nil {
				t.Errorf("it gives rules: %+v", got)
			}
			var list Mistakes
			if !errors.As(err, &list) || len(list) != len(c.want) {
				t.Fatalf("got %v, want %d mistakes", err, len(c.want))
			}
			for i, m := range list {
				if m.File != "f.yaml" || !strings.HasPrefix(fmt.Sprintf("%d: %s", m.Line, m.Text), c.want[i]) {
					t.Errorf("got %d: %s\nwant %s", m.Line, m.Text, c.want[i])
				}
			}
		})
	}
}

func TestMistakesAreBoundedAndInTheOrderOfLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("queues:\n")
	for i := range 30 {
		fmt.Fprintf(&b, "  q%d: {game: arena, team_size: 0}\n", i)
	}
	_, err := Load([]byte(b.String()), Options{})
	var list Mistakes
	if !errors.As(err, &list) || len(list) != 20 || !slices.IsSortedFunc(list, func(a, b Mistake) int { return a.Line - b.Line }) {
		t.Errorf("got %v, want 20 mistakes in order", err)
	}
	if want := `queues:2: queues.q0.team_size is "0", want a whole number from 1 to 1000`; !strings.HasPrefix(err.Error(), want+"\n") {
		t.Errorf("the error begins with %.90s, want %s", err, want)
	}
}

func TestAFileThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	large := append(example(t), bytes.Repeat([]byte("#"), MaxSize)...)
	file := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(file, large, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{}); err == nil || err.Error() != file+": it has more than 256 KiB" {
		t.Errorf("got %v", err)
	}
	var b strings.Builder
	b.WriteString("queues:\n")
	for i := range MaxQueues + 1 {
		fmt.Fprintf(&b, "  q%d: {game: arena, team_size: 1}\n", i)
	}
	if _, err := Load([]byte(b.String()), Options{}); err == nil || err.Error() != "queues:2: queues has 65 entries, want 1 to 64" {
		t.Errorf("got %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// A file of the greatest size that makes the parser work most ends soon.
func TestAHostileFileEndsSoon(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[{", MaxSize/2), "entries": "[" + strings.Repeat("a,", MaxSize/2-1), "lists": strings.Repeat("- ", MaxSize/2),
		"keys": strings.Repeat("? ", MaxSize/2), "indented": indented(700), "queues": "queues:\n" + strings.Repeat(" q: {}\n", MaxSize/8-1),
		"tags": strings.Repeat("!", MaxSize), "quotes": `"` + strings.Repeat(`\x`, MaxSize/2-1), "anchors": strings.Repeat("&a ", MaxSize/3),
	} {
		began := time.Now()
		if _, err := Load([]byte(text), Options{}); err == nil {
			t.Errorf("%s: it is taken", name)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

func indented(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// YAML has three spellings of each flag.
func TestEverySpellingOfAFlagCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false} {
		got, err := Load([]byte("queues:\n  q: {game: arena, team_size: 5, backfill: "+text+"}\n"), Options{})
		if err != nil || got[0].Backfill != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
}

// The README simulates it.
func TestTheExampleFileIsRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/ranked.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Load(text, Options{Seats: map[string]int{"arena": 16}}); err != nil || len(got) != 1 || got[0].Max() != 10 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// What a rule that does not look at the wait has refused needs not be tried again.
func TestRuleIsTimelessUnlessItLooksAtTheWait(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"a.players == b.players":                        true,
		"a.attributes.waited == b.attributes['waited']": true,
		"a.players == b.players or (30 < waited)":       false,
		"max(waited, a.rating) > 3":                     false,
	} {
		got, err := Load([]byte("queues:\n  q:\n    game: arena\n    team_size: 5\n    rules: [{name: r, holds: \""+text+"\"}]\n"), Options{})
		if err != nil || got[0].Conditions[0].Timeless != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

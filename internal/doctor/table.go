package doctor

import (
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	day   = 24 * time.Hour
	year  = 366 * day
	slack = time.Minute // by which clocks of masters may differ, and then some
)

// row is a kind of key: one pattern, one rule, one way to say what is wrong.
type row struct {
	// pattern is the key without the namespace. Its words in capitals stand for ids.
	pattern string
	kind    string // Redis's type
	// lasts is the longest time after which such a key ends by itself; 0 is one that need not end.
	lasts time.Duration
	// owner finds the keys, or parts of them, that nobody owns. nil: such a key needs nobody until it ends.
	owner rule

	match *regexp.Regexp
}

// words are what patterns are made of: ids as the packages that make them allow them.
var words = map[string]string{
	"ROOM": `[^{}]{1,128}?`, "NODE": `[a-z0-9]{1,64}`, "ID": `[a-z0-9]{1,64}`, "NAME": `[a-z][a-z0-9_-]{0,30}`,
	"DIGEST": `[0-9a-f]{32}`, "TICKET": `[a-z][a-z0-9_-]{0,30}\.[a-z0-9]{26}`, "CODE": `[0-9A-Z]{4,12}`,
	"ADDRESS": `[0-9a-zA-Z.:/%_-]{1,80}`, "N": `\d{1,20}`, "KEY": `.{0,400}`,
}

// rows are all kinds of keys that this release writes. Every store names its own; what is not here is of another program,
// or of a release that kept something else.
var rows = []row{
	// match/cluster/keys.go
	{pattern: "{room:ROOM}:record", kind: "hash", lasts: time.Minute, owner: recordRule},
	{pattern: "{room:ROOM}:seats", kind: "hash", lasts: time.Minute, owner: needs("{room:$1}:record", whyNoRoom)},
	{pattern: "{room:ROOM}:came", kind: "zset", lasts: time.Hour},
	{pattern: "{room:ROOM}:settled", kind: "hash", lasts: time.Hour},
	{pattern: "{room:ROOM}:orders", kind: "stream", lasts: time.Minute, owner: needs("{room:$1}:record", whyNoRoom)},
	{pattern: "{room:ROOM}:order:ID", kind: "hash", lasts: time.Hour},
	{pattern: "{room:ROOM}:hangs", kind: "set", lasts: 10 * time.Minute},
	{pattern: "{room:ROOM}:journal", kind: "hash", owner: journalRule},
	{pattern: "{room:ROOM}:journal:ticks", kind: "stream", owner: journalPartRule},
	{pattern: "{room:ROOM}:journal:state", kind: "string", owner: journalPartRule},
	{pattern: "{room:ROOM}:journal:parts", kind: "hash", owner: journalPartRule},
	{pattern: "{room:ROOM}:journal:order", kind: "list", owner: journalPartRule},
	{pattern: "{rooms:NAME}:public", kind: "zset", lasts: day, owner: members(listedRoom, whyListed)},
	{pattern: "{code:CODE}", kind: "string", lasts: time.Minute, owner: codeRule},
	{pattern: "{queue:NAME}:open", kind: "zset", lasts: day, owner: members(openRoom, whyListed)},
	{pattern: "{node:NODE}:rooms", kind: "set", lasts: nodeLasts, owner: nodeRoomsRule},
	{pattern: "{nodes}:live", kind: "zset", owner: nodesRule},
	{pattern: "{nodes}:info", kind: "hash", owner: members(registered, whyUnregistered)},
	{pattern: "{nodes}:leases", kind: "hash", owner: members(registered, whyUnregistered)},
	{pattern: "{nodes}:fenced", kind: "zset"}, // the last 4096
	{pattern: "{nodes}:epoch", kind: "string"},
	{pattern: "{nodes}:draining", kind: "hash", lasts: day},
	{pattern: "{outbox}:results", kind: "stream", owner: outboxRule},
	{pattern: "{outbox}:posted:ROOM:N:N", kind: "string", lasts: day},
	{pattern: "{outbox}:posted:ROOM:lost", kind: "string", lasts: day},

	// lobby/ticket/keys.go
	{pattern: "{queue:NAME}:waiting", kind: "zset", lasts: day, owner: waitingRule},
	{pattern: "{queue:NAME}:seen", kind: "zset", lasts: day, owner: members(ticketOfQueue, whyNoTicket)},
	{pattern: "{queue:NAME}:log", kind: "stream", lasts: day},
	{pattern: "{queue:NAME}:seq", kind: "string", lasts: day},
	{pattern: "{queue:NAME}:attempts", kind: "zset", lasts: day, owner: attemptsRule},
	{pattern: "{queue:NAME}:filling", kind: "zset", lasts: day},
	{pattern: "{queue:NAME}:leader", kind: "hash", lasts: day},
	{pattern: "{queue:NAME}:waits", kind: "list", lasts: day},
	{pattern: "{queue:NAME}:made", kind: "list", lasts: day},
	{pattern: "{queue:NAME}:ended", kind: "zset", lasts: day},
	{pattern: "{queue:NAME}:ticket:TICKET", kind: "hash", lasts: 25 * time.Hour, owner: ticketRule},
	{pattern: "{queue:NAME}:attempt:ID", kind: "hash", lasts: 10 * time.Minute, owner: attemptRule},
	{pattern: "{queue:NAME}:joined:ROOM", kind: "hash", lasts: 2 * time.Hour},
	{pattern: "{queue:NAME}:player:DIGEST", kind: "string", lasts: 25 * time.Hour, owner: markRule},
	{pattern: "{queue:NAME}:lost:ROOM", kind: "hash", lasts: time.Hour},
	{pattern: "{queue:NAME}:next:DIGEST", kind: "string", lasts: 10 * time.Minute},
	{pattern: "{player:DIGEST}:tickets", kind: "zset", lasts: 25 * time.Hour, owner: members(anyTicket, whyNoTicket)},
	{pattern: "{player:DIGEST}:busy", kind: "string", lasts: 4 * time.Minute, owner: busyRule},
	{pattern: "{player:DIGEST}:penalty", kind: "hash", lasts: day},
	{pattern: "{player:DIGEST}:request:ID", kind: "string", lasts: time.Hour},

	// what else the lobby keeps of players: lobby/players, lobby/presence, lobby/inbox, lobby/party, lobby/owners.go
	{pattern: "{player:DIGEST}:rating", kind: "hash", lasts: 2 * year},
	{pattern: "{player:DIGEST}:blocks", kind: "set", lasts: 2 * year},
	{pattern: "{player:DIGEST}:mutes", kind: "set", lasts: 2 * year},
	{pattern: "{player:DIGEST}:mutedby", kind: "set", lasts: 2 * year},
	{pattern: "{player:DIGEST}:profile", kind: "hash", lasts: 2 * year},
	{pattern: "{player:DIGEST}:matches", kind: "stream", lasts: 90 * day},
	{pattern: "{player:DIGEST}:rated:ROOM:N:N", kind: "string", lasts: 7 * day},
	{pattern: "{player:DIGEST}:presence", kind: "hash", lasts: 10 * time.Minute},
	{pattern: "{player:DIGEST}:inbox", kind: "stream", lasts: 7 * day},
	{pattern: "{player:DIGEST}:inbox:posted:KEY", kind: "string", lasts: time.Hour},
	{pattern: "{player:DIGEST}:rooms", kind: "zset", lasts: day},
	{pattern: "{player:DIGEST}:party", kind: "string", lasts: 2 * time.Hour, owner: partyMarkRule},

	// lobby/party/store.go, lobby/chat, lobby/inbox, lobby/keys.go, lobby/gcra.go
	{pattern: "{party:ID}:record", kind: "hash", lasts: time.Hour},
	{pattern: "{party:ID}:invites", kind: "zset", lasts: 10 * time.Minute, owner: needs("{party:$1}:record", whyNoParty)},
	{pattern: "{partycode:CODE}", kind: "string", lasts: time.Hour},
	{pattern: "{chat:DIGEST}:log", kind: "stream", lasts: 30 * day},
	{pattern: "{chat:DIGEST}:sent:DIGEST", kind: "string", lasts: time.Hour},
	{pattern: "{chat:DIGEST}:team:N:log", kind: "stream", lasts: 30 * day},
	{pattern: "{chat:DIGEST}:team:N:sent:DIGEST", kind: "string", lasts: time.Hour},
	{pattern: "{chat:DIGEST}:muted:DIGEST", kind: "string", lasts: day},
	{pattern: "{group:ID}:record", kind: "hash", lasts: 30 * day},
	{pattern: "{group:ID}:members", kind: "hash", lasts: 30 * day, owner: needs("{group:$1}:record", whyNoGroup)},
	{pattern: "{group:ID}:invites", kind: "zset", lasts: 7 * day, owner: needs("{group:$1}:record", whyNoGroup)},
	{pattern: "{notification:ID}", kind: "string", lasts: time.Hour},
	{pattern: "{broadcast}:inbox", kind: "stream", lasts: 7 * day},
	{pattern: "{broadcast}:inbox:posted:KEY", kind: "string", lasts: time.Hour},
	{pattern: "{match:ROOM}:result", kind: "string", lasts: day},
	{pattern: "{match:ROOM}:rating:N:N", kind: "string", lasts: 7 * day},
	{pattern: "rate:{player:DIGEST}", kind: "string", lasts: 2 * time.Hour},
	{pattern: "rate:{player:DIGEST}:NAME", kind: "string", lasts: 2 * time.Hour},
	{pattern: "rate:{chat:DIGEST}:NAME", kind: "string", lasts: 2 * time.Hour},
	{pattern: "rate:{chat:DIGEST}:NAME:DIGEST", kind: "string", lasts: 2 * time.Hour},
	{pattern: "rate:{address:ADDRESS}", kind: "string", lasts: 2 * time.Hour},
	{pattern: "rate:{address:ADDRESS}:NAME", kind: "string", lasts: 2 * time.Hour},
}

// table finds the row of a key: those with the same first word are tried.
type table map[string][]*row

var word = regexp.MustCompile(`[A-Z]+`)

func newTable() table {
	t := table{}
	for i := range rows {
		r := &rows[i]
		text := word.ReplaceAllStringFunc(regexp.QuoteMeta(r.pattern), func(w string) string { return "(" + words[w] + ")" })
		r.match = regexp.MustCompile("^(?s:" + text + ")$")
		t[firstWord(r.pattern)] = append(t[firstWord(r.pattern)], r)
	}
	return t
}

// firstWord is what a key begins with: "room" of "{room:ID}:record".
func firstWord(key string) string {
	key = strings.TrimPrefix(key, "{")
	if i := strings.IndexAny(key, ":}"); i >= 0 {
		return key[:i]
	}
	return key
}

// find returns a key's row and the ids in it; nil where it fits none. The key is without the namespace.
func (t table) find(key string) (*row, []string) {
	for _, r := range t[firstWord(key)] {
		if ids := r.match.FindStringSubmatch(key); ids != nil {
			return r, ids[1:]
		}
	}
	return nil, nil
}

// Known says whether a key, without the namespace, of a type of Redis's is one that this release writes.
func Known(key, kind string) bool {
	r, _ := theTable().find(key)
	return r != nil && r.kind == kind
}

var theTable = sync.OnceValue(newTable)

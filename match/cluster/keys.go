package cluster

// keys names what lies in Redis. All names begin with the deployment's namespace, and what one script touches shares a
// hash tag. Ids in them are our own random texts or validated names, never a player's words.
type keys struct{ ns string }

// room and seats are a room's record and who has its seats.
func (k keys) room(id string) string  { return k.ns + ":{room:" + id + "}:record" }
func (k keys) seats(id string) string { return k.ns + ":{room:" + id + "}:seats" }

// came are the tokens that took seats, each with its player, by the time; settled is how the room began and who was
// there, or that it did not.
func (k keys) came(id string) string    { return k.ns + ":{room:" + id + "}:came" }
func (k keys) settled(id string) string { return k.ns + ":{room:" + id + "}:settled" }

// all are a room's keys in the order in which every script gets them.
func (k keys) all(id string) []string {
	return []string{k.room(id), k.seats(id), k.came(id), k.settled(id)}
}

// public is the set of a game's public rooms, code says which room a code leads to.
func (k keys) public(game string) string { return k.ns + ":{rooms:" + game + "}:public" }
func (k keys) code(code string) string   { return k.ns + ":{code:" + code + "}" }

// hangs has one entry for each time that a room has hung its server.
func (k keys) hangs(id string) string { return k.ns + ":{room:" + id + "}:hangs" }

// orders are those that wait for a room, order is one and what came of it.
func (k keys) orders(id string) string      { return k.ns + ":{room:" + id + "}:orders" }
func (k keys) order(room, id string) string { return k.ns + ":{room:" + room + "}:order:" + id }

// journal is what is known of a room's journal, journalTicks its newest records, journalState the checkpoint before
// them, journalParts the segments that are closed, journalOrder the names of those in their order.
func (k keys) journal(id string) string      { return k.ns + ":{room:" + id + "}:journal" }
func (k keys) journalTicks(id string) string { return k.ns + ":{room:" + id + "}:journal:ticks" }
func (k keys) journalState(id string) string { return k.ns + ":{room:" + id + "}:journal:state" }
func (k keys) journalParts(id string) string { return k.ns + ":{room:" + id + "}:journal:parts" }
func (k keys) journalOrder(id string) string { return k.ns + ":{room:" + id + "}:journal:order" }

// open is the set of a queue's rooms that may have a free seat, by the time from which it is worth looking.
func (k keys) open(queue string) string { return k.ns + ":{queue:" + queue + "}:open" }

// rooms is the set of rooms that a node may have.
func (k keys) rooms(node string) string { return k.ns + ":{node:" + node + "}:rooms" }

// nodes are the nodes by the end of their leases, nodeInfo what each says of itself, leases what others may rely on,
// fenced those that are over, epochs the highest epoch that any of them knows of, draining those
// whose operators want no new rooms on them.
func (k keys) nodes() string    { return k.ns + ":{nodes}:live" }
func (k keys) nodeInfo() string { return k.ns + ":{nodes}:info" }
func (k keys) leases() string   { return k.ns + ":{nodes}:leases" }
func (k keys) fenced() string   { return k.ns + ":{nodes}:fenced" }
func (k keys) epochs() string   { return k.ns + ":{nodes}:epoch" }
func (k keys) draining() string { return k.ns + ":{nodes}:draining" }

// outbox is the stream of results, posted the mark that one was put into it.
func (k keys) outbox() string           { return k.ns + ":{outbox}:results" }
func (k keys) posted(key string) string { return k.ns + ":{outbox}:posted:" + key }

// link is the Pub/Sub channel of a node.
func (k keys) link(node string) string { return k.ns + ":{link:" + node + "}" }

// notices and beat are Pub/Sub channels, of one slot so that one subscription has both.
func (k keys) notices() string       { return k.ns + ":{notices}" }
func (k keys) beat(id string) string { return k.ns + ":{notices}:beat:" + id }

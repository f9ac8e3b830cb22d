package ticket

import (
	"regexp"

	"muster/lobby/keyspace"
)

// queueKeys names one queue's keys, which share a hash tag.
type queueKeys struct{ tag, queue string }

func keysOf(ns, queue string) queueKeys { return queueKeys{keyspace.Queue(ns, queue), queue} }

// waiting has the tickets that wait by when they were created; seen has them by when the one of their players who has not
// been heard of for longest was; attempts has match attempts by when somebody must look at them; filling has the rooms
// to which an attempt brings players by when that ends at the latest; log is the stream of changes, seq counts them;
// leader is the lease; joined has who was brought to a room that runs, by player; waits has how long players waited, made when matches were.
func (k queueKeys) waiting() string  { return k.tag + ":waiting" }
func (k queueKeys) seen() string     { return k.tag + ":seen" }
func (k queueKeys) log() string      { return k.tag + ":log" }
func (k queueKeys) seq() string      { return k.tag + ":seq" }
func (k queueKeys) attempts() string { return k.tag + ":attempts" }
func (k queueKeys) filling() string  { return k.tag + ":filling" }
func (k queueKeys) leader() string   { return k.tag + ":leader" }
func (k queueKeys) waits() string    { return k.tag + ":waits" }
func (k queueKeys) made() string     { return k.tag + ":made" }

// ended has tickets that ended other than by an attempt, by when whoever leads the queue looks whether their players' indices
// know it: a process may have died in between.
func (k queueKeys) ended() string { return k.tag + ":ended" }

func (k queueKeys) ticket(id string) string   { return k.tag + ":ticket:" + id }
func (k queueKeys) attempt(id string) string  { return k.tag + ":attempt:" + id }
func (k queueKeys) joined(room string) string { return k.tag + ":joined:" + room }
func (k queueKeys) mark(player string) string { return k.tag + ":player:" + keyspace.Digest(player) }

// lost says what became of the tickets of a match that was lost; nextTicket, of a player of one, since when his next ticket
// counts as waiting.
func (k queueKeys) lost(room string) string { return k.tag + ":lost:" + room }

func (k queueKeys) nextTicket(player string) string {
	return k.tag + ":next:" + keyspace.Digest(player)
}

// shared are the first keys of every script that changes tickets, in the order of the names in luaKeys.
func (k queueKeys) shared(more ...string) []string {
	keys := make([]string, 0, sharedKeys+len(more))
	keys = append(keys, k.waiting(), k.seen(), k.log(), k.seq(), k.attempts(), k.filling(), k.leader())
	return append(keys, more...)
}

const sharedKeys = 7

// playerKeys names the keys of one player.
type playerKeys struct{ tag string }

func playerOf(ns, id string) playerKeys { return playerKeys{keyspace.Player(ns, id)} }

// tickets has the player's tickets, in all queues, by when they are over at the latest: an index, whose entries may be
// outdated; penalty is what keeps him from new tickets; busy names the attempt that has him.
func (k playerKeys) tickets() string          { return k.tag + ":tickets" }
func (k playerKeys) penalty() string          { return k.tag + ":penalty" }
func (k playerKeys) busy() string             { return k.tag + ":busy" }
func (k playerKeys) request(id string) string { return k.tag + ":request:" + id }

// ticketID is a queue's name and a random text, so that the id says which keys belong to it.
var ticketID = regexp.MustCompile(`^([a-z][a-z0-9_-]{0,30})\.[a-z0-9]{26}$`)

// QueueOf returns the queue that a ticket's id names; ok is false where it is no ticket's id.
func QueueOf(id string) (name string, ok bool) {
	m := ticketID.FindStringSubmatch(id)
	if m == nil {
		return "", false
	}
	return m[1], true
}

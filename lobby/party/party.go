// Package party keeps the parties that players form before they play, in Redis. A party has a leader and an order, the
// one in which its members came; a player is in one party at most.
package party

import (
	"errors"
	"slices"
)

// Bounds of a party.
const (
	// MaxSize is how many members a party can have, DefaultSize how many where its creator does not say.
	MaxSize     = 32
	DefaultSize = 8
)

// Errors that callers decide on.
var (
	ErrNone         = errors.New("no such party") // also for who is not in it
	ErrFull         = errors.New("the party is full")
	ErrNotLeader    = errors.New("only the party's leader may do this")
	ErrNoMember     = errors.New("no such member")
	ErrInvites      = errors.New("the party has too many open invitations")
	ErrOtherRequest = errors.New("the id is that of another party")
	ErrEnded        = errors.New("the party has ended, or its creator has left it")
	ErrBusy         = errors.New("the party changes too often") // worth trying again
)

// ElsewhereError says that a player is in another party.
type ElsewhereError struct{ Party string }

func (e *ElsewhereError) Error() string { return "the player is in party " + e.Party }

// Member is a player in a party.
type Member struct {
	ID    string `json:"player"`
	Name  string `json:"name,omitempty"`
	Ready bool   `json:"ready"`

	join string // how he came: his mark says the same
}

// Party is a party as it was at one time.
type Party struct {
	ID      string   `json:"id"`
	Version uint64   `json:"version"` // grows with each change
	Leader  string   `json:"leader"`
	Max     int      `json:"max"`
	Code    string   `json:"code,omitempty"`           // lets anybody join
	Members []Member `json:"members" nullable:"false"` // the longest first
	// Born tells the party from those of the same id that ended before it; "" in what Create returns.
	Born string `json:"-"`

	digest  string // of the request that created it
	changed uint64 // the version with which members came or went last
	told    uint64 // up to which version everybody has been told
}

// Players returns the ids of the members.
func (p *Party) Players() []string {
	list := make([]string, len(p.Members))
	for i := range p.Members {
		list[i] = p.Members[i].ID
	}
	return list
}

// member returns a member, or nil.
func (p *Party) member(player string) *Member {
	i := slices.IndexFunc(p.Members, func(m Member) bool { return m.ID == player })
	if i < 0 {
		return nil
	}
	return &p.Members[i]
}

func (p *Party) add(m Member) error {
	if len(p.Members) >= p.Max {
		return ErrFull
	}
	p.Members = append(p.Members, m)
	return nil
}

// remove takes a member out; where that was the leader, whoever is there the longest leads.
func (p *Party) remove(player string) {
	p.Members = slices.DeleteFunc(p.Members, func(m Member) bool { return m.ID == player })
	if p.Leader == player && len(p.Members) > 0 {
		p.Leader = p.Members[0].ID
	}
}

// led returns an error where somebody may not do what the leader may.
func (p *Party) led(by string) error {
	switch {
	case p.member(by) == nil:
		return ErrNone
	case p.Leader != by:
		return ErrNotLeader
	}
	return nil
}

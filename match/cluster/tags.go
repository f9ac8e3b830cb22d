package cluster

import (
	"errors"
	"slices"
	"strings"
)

// LacksError means that servers run the game where the room is to be, and none of them has all the tags that it must
// have. It is an ErrNoNode.
type LacksError struct {
	// Tags are those that no such server has, as NAME=VALUE, sorted; where each of them is on some server, all that are
	// wanted.
	Tags []string
}

// Error implements error, in words for players.
func (e *LacksError) Error() string { return "no server of this game has " + inWords(e.Tags) + " now" }

// Unwrap makes it an ErrNoNode.
func (e *LacksError) Unwrap() error { return ErrNoNode }

// NoPlace is why no room can be placed, in words for players; "" where the error is another one.
func NoPlace(err error) string {
	var lacks *LacksError
	switch {
	case errors.As(err, &lacks):
		return lacks.Error()
	case errors.Is(err, ErrCrowded):
		return ErrCrowded.Error()
	case errors.Is(err, ErrNoNode):
		return ErrNoNode.Error()
	}
	return ""
}

// Lacks returns those of the tags that a node does not have, as NAME=VALUE, sorted.
func (n *Node) Lacks(tags map[string]string) (list []string) {
	for name, value := range tags {
		if n.Tags[name] != value {
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}

// inWords is a list of at least one tag.
func inWords(tags []string) string {
	if len(tags) == 1 {
		return "the tag " + tags[0]
	}
	return "the tags " + strings.Join(tags, ", ")
}

// lacking says which tags keep a room from all nodes that would do without them; nil where there are no such nodes.
func (w *Want) lacking(nodes []Node) *LacksError {
	bare := *w
	bare.Tags = nil
	missing, there := (&Node{}).Lacks(w.Tags), false
	for i := range nodes {
		if _, runs := bare.refuses(&nodes[i]); runs {
			there = true
			lacks := nodes[i].Lacks(w.Tags)
			missing = slices.DeleteFunc(missing, func(t string) bool { return !slices.Contains(lacks, t) })
		}
	}
	switch {
	case !there || len(w.Tags) == 0:
		return nil
	case len(missing) == 0:
		missing = (&Node{}).Lacks(w.Tags)
	}
	return &LacksError{missing}
}

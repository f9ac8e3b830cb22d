package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrNoSuchNode means that no live node has the id.
var ErrNoSuchNode = errors.New("there is no such node")

// drainKept is how long it is remembered that a process drains which is not live: it may be cut off and come back. Those
// that drain and live keep all of it for longer.
const drainKept = 24 * time.Hour

// drain is what is kept of a node that drains.
type drain struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// drains is the field of a node in the hash of those that drain: of its process, so that a new incarnation drains on.
func (n *Node) drains() string {
	if n.Process != "" {
		return n.Process
	}
	return n.ID
}

// Drain says that a live node takes no new rooms, until Undrain or the end of its process. What it runs goes on. by is
// whoever wants it. Asked again it says the same. Errors: ErrNoSuchNode.
func (n *Nodes) Drain(ctx context.Context, id, by string) error {
	node, live, err := n.find(ctx, id)
	if err == nil {
		err = n.forgetDrains(ctx, live)
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(drain{by, time.Now().UTC()})
	}
	if err == nil {
		pipe := n.rdb.Pipeline()
		pipe.HSetNX(ctx, n.draining(), node.drains(), text)
		pipe.PExpire(ctx, n.draining(), drainKept)
		_, err = pipe.Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("draining node %s: %w", id, err)
	}
	return nil
}

// Undrain lets a live node take new rooms again. Errors: ErrNoSuchNode.
func (n *Nodes) Undrain(ctx context.Context, id string) error {
	node, _, err := n.find(ctx, id)
	if err == nil {
		err = n.rdb.HDel(ctx, n.draining(), node.drains()).Err()
	}
	if err != nil {
		return fmt.Errorf("ending that node %s drains: %w", id, err)
	}
	return nil
}

// Drains says whether a node drains, for itself: it asks now and then, and so keeps what is known of it.
func (n *Nodes) Drains(ctx context.Context, node Node) (bool, error) {
	drains, err := n.rdb.HExists(ctx, n.draining(), node.drains()).Result()
	if err == nil && drains {
		err = n.rdb.PExpire(ctx, n.draining(), drainKept).Err()
	}
	if err != nil {
		return false, fmt.Errorf("asking whether node %s drains: %w", node.ID, err)
	}
	return drains, nil
}

// Drained forgets that a node drains whose process ends.
func (n *Nodes) Drained(ctx context.Context, node Node) error {
	if err := n.rdb.HDel(ctx, n.draining(), node.drains()).Err(); err != nil {
		return fmt.Errorf("forgetting that node %s drains: %w", node.ID, err)
	}
	return nil
}

func (n *Nodes) find(ctx context.Context, id string) (Node, map[string]Node, error) {
	live, err := n.Live(ctx)
	if err != nil {
		return Node{}, nil, err
	}
	node, ok := live[id]
	if !ok {
		return Node{}, nil, ErrNoSuchNode
	}
	return node, live, nil
}

// forgetDrains forgets that processes drain which are gone.
func (n *Nodes) forgetDrains(ctx context.Context, live map[string]Node) error {
	all, err := n.rdb.HGetAll(ctx, n.draining()).Result()
	if err != nil {
		return err //nolint:wrapcheck // callers say what they did
	}
	for _, node := range live {
		delete(all, node.drains())
	}
	for field, text := range all {
		var d drain
		if json.Unmarshal([]byte(text), &d) == nil && time.Since(d.At) < drainKept {
			continue
		}
		if err := n.rdb.HDel(ctx, n.draining(), field).Err(); err != nil {
			return err
		}
	}
	return nil
}

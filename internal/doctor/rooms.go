package doctor

import (
	"context"
	"strconv"
	"time"
)

const (
	// recordLasts is how long a room's record outlives the last sign of its host.
	recordLasts = time.Minute
	// nodeLasts is the same for the index of a node's rooms.
	nodeLasts = 75 * time.Second
	// claiming is how long after that sign a claim may be under way.
	claiming = 30 * time.Second
	// listedAt is how long the time is in a name of the list of public rooms.
	listedAt = len("0123456789123:")
)

// recordRule: a room needs a node that lives, or one that is about to claim it. One that was called off is kept for a
// minute for those who ask.
func recordRule(ctx context.Context, l *look, keys []*key) error {
	list, err := l.fields(ctx, namesOf(keys), "node", "off")
	for i, k := range keys {
		if err == nil && !l.live[list[i][0]] && list[i][1] == "" && k.ttl <= recordLasts-claiming {
			l.suspect(k, "", whyNoNode)
		}
	}
	return err
}

// journalRule: a journal needs a room, or that its match has ended, or that its room persists. Only the last may be for
// ever.
func journalRule(ctx context.Context, l *look, keys []*key) error {
	list, err := l.fields(ctx, namesOf(keys), "ended", "forever")
	if err != nil {
		return err
	}
	there, err := l.exist(ctx, keys, func(k *key) string { return l.key("{room:$1}:record", k.ids...) })
	if err != nil {
		return err
	}
	for i, k := range keys {
		ended, forever := list[i][0] != "", list[i][1] != ""
		switch {
		case !forever && k.ttl < 0:
			l.found(k, "", whyForever)
		case !ended && !forever && !there[k]:
			l.suspect(k, "", whyJournal)
		}
	}
	return nil
}

// journalPartRule: all else of a journal needs its hash, and lasts as it does.
func journalPartRule(ctx context.Context, l *look, keys []*key) error {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = l.key("{room:$1}:journal", k.ids...)
	}
	there, err := l.existing(ctx, names)
	if err != nil {
		return err
	}
	list, err := l.fields(ctx, names, "forever")
	if err != nil {
		return err
	}
	for i, k := range keys {
		switch {
		case !there[i]:
			l.suspect(k, "", whyPart)
		case k.ttl < 0 && list[i][0] == "":
			l.suspect(k, "", whyForever) // the hash may have become so between two reads
		}
	}
	return nil
}

// codeRule: a code leads to a room.
func codeRule(ctx context.Context, l *look, keys []*key) error {
	rooms, err := l.texts(ctx, keys)
	if err != nil {
		return err
	}
	there, err := l.exist(ctx, keys, func(k *key) string { return l.key("{room:$1}:record", rooms[k]) })
	for _, k := range keys {
		if err == nil && !there[k] {
			l.suspect(k, "", whyNoRoom)
		}
	}
	return err
}

// listedRoom: a name of the list of public rooms is CREATED:ID.
func listedRoom(ctx context.Context, l *look, k *key, list []string) ([]bool, error) {
	rooms := make([]string, len(list))
	for i, name := range list {
		rooms[i] = name[min(len(name), listedAt):]
	}
	return openRoom(ctx, l, k, rooms)
}

func openRoom(ctx context.Context, l *look, _ *key, rooms []string) ([]bool, error) {
	names := make([]string, len(rooms))
	for i, id := range rooms {
		names[i] = l.key("{room:$1}:record", id)
	}
	return l.existing(ctx, names)
}

// nodeRoomsRule: the index of a node's rooms needs the node, or those who are about to claim its rooms, as do those that
// were let go.
func nodeRoomsRule(_ context.Context, l *look, keys []*key) error {
	for _, k := range keys {
		if !l.live[k.ids[0]] && k.ttl <= nodeLasts-claiming {
			l.suspect(k, "", whyNoNode)
		}
	}
	return nil
}

// nodesRule: whoever renews a lease takes those out that are over.
func nodesRule(ctx context.Context, l *look, keys []*key) error {
	for _, k := range keys {
		over, err := l.cfg.Redis.ZRangeByScore(ctx, k.name, until(l.now)).Result()
		if err != nil {
			return err //nolint:wrapcheck // says the rule's caller
		}
		for _, id := range over {
			l.suspect(k, id, whyNode)
		}
	}
	return nil
}

// registered says which nodes are in the register, whether their leases are over or not.
func registered(ctx context.Context, l *look, _ *key, list []string) ([]bool, error) {
	scores, err := l.cfg.Redis.ZMScore(ctx, l.prefix+"{nodes}:live", list...).Result()
	if err != nil {
		return nil, err //nolint:wrapcheck // says the rule's caller
	}
	there := make([]bool, len(list))
	for i, s := range scores {
		there[i] = s > 0
	}
	return there, nil
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Players returns who has a taken seat in a room, each once and in no order; none where there is no such room.
func (d *Directory) Players(ctx context.Context, room string) ([]string, error) {
	entries, err := d.rdb.HVals(ctx, d.seats(room)).Result()
	if err != nil {
		return nil, fmt.Errorf("reading who plays in room %s: %w", room, err)
	}
	var list []string
	for _, e := range entries {
		deadline, rest, _ := strings.Cut(e, "|")
		if _, player, ok := strings.Cut(rest, "|"); ok && deadline == "0" {
			list = append(list, player)
		}
	}
	return list, nil
}

// Company is who sits in a room together.
type Company struct {
	Seed  uint64 // the room's: no two rooms have the same
	Owner string // the player who made the room; "" is nobody
	Game  string
	Seats []Seated
}

// Company returns who has a taken seat in a room, in no order, each with the team in which the rules have him now and
// without a Claim. Errors: ErrNoRoom.
func (d *Directory) Company(ctx context.Context, room string) (Company, error) {
	doing := "reading who plays in room " + room
	pipe := d.rdb.Pipeline()
	record, entries := pipe.HGetAll(ctx, d.room(room)), pipe.HGetAll(ctx, d.seats(room))
	if _, err := pipe.Exec(ctx); err != nil {
		return Company{}, fmt.Errorf("%s: %w", doing, err)
	}
	f := record.Val()
	seed, err := strconv.ParseUint(f["seed"], 10, 64)
	if len(f) == 0 {
		err = ErrNoRoom
	}
	if err != nil {
		return Company{}, fmt.Errorf("%s: %w", doing, err)
	}
	c := Company{Seed: seed, Owner: f["owner"], Game: f["game"]}
	var errs []error
	for seat, e := range entries.Val() {
		deadline, rest, _ := strings.Cut(e, "|")
		_, player, ok := strings.Cut(rest, "|")
		if !ok || deadline != "0" {
			continue
		}
		n, err := strconv.ParseUint(seat, 10, 16)
		errs = append(errs, err)
		c.Seats = append(c.Seats, Seated{Seat: uint16(n), Team: uint16(teamOfSeat(f, seat, player) & 0xffff), Player: player})
	}
	if err := errors.Join(errs...); err != nil {
		return Company{}, fmt.Errorf("%s: %w", doing, err)
	}
	return c, nil
}

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/lobby/rating"
	"muster/proto/token"
)

// The queue: two teams of five, whose ratings lie within a window that widens with waiting.
const (
	namespace = "bench"
	queueName = "ranked"
	gameName  = "arena"
	perMatch  = 10
	queueFile = `queues:
  ranked:
    game: arena
    teams: 2
    team_size: 5
    rating: [{within: 100}, {after: 1s, within: 200}, {after: 5s, within: 250}]
    connect: 1m
    expires: 30m
`
	// addressRate is --address-rate: all players of the benchmark come from one address.
	addressRate = 100_000
)

// Ratings of those who are to be matched. Those who wait are above them, in knots that are further from each other and
// from them than the widest window.
const (
	lowest, highest = 1000.0, 2000.0
	apart           = 300.0
	tokenTTL        = time.Hour
)

// player is one with his token and rating.
type player struct {
	token  string
	rating float64
}

// players makes the players who wait and those who are to be matched, and puts their ratings where the server finds them.
func players(ctx context.Context, rdb redis.UniversalClient, keys *token.Keys, o *options) (waiting, coming []player, err error) {
	rng := rand.New(rand.NewPCG(o.Seed, 2)) //nolint:gosec // a benchmark
	for i := range o.Waiting {
		waiting = append(waiting, player{rating: highest + apart*float64(1+i/o.Knot)})
	}
	for range int(float64(o.Rate)*(o.Warm+o.For+drainFor).Seconds()*1.1) + 100 {
		coming = append(coming, player{rating: lowest + (highest-lowest)*rng.Float64()})
	}
	for name, list := range map[string][]player{"waits": waiting, "comes": coming} {
		pipe := rdb.Pipeline()
		for i := range list {
			id := name + strconv.Itoa(i)
			if list[i].token, err = keys.SignPlayer(token.Player{ID: id, Name: id}, tokenTTL); err != nil {
				return nil, nil, err
			}
			// As lobby/players keeps it: "MU SIGMA GAMES".
			pipe.HSet(ctx, keyspace.Player(namespace, id)+":rating", gameName, fmt.Sprintf("%g %g %d", list[i].rating/rating.Scale, 2.0, 50))
			if pipe.Len() == 1000 || i == len(list)-1 {
				if _, err := pipe.Exec(ctx); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return waiting, coming, nil
}

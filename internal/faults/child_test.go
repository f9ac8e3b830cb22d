package faults

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"muster/cmd"
	"muster/games/scores"
	"muster/match"
	"muster/match/cluster"
)

// play is what this program does as a server.
func play(role string) {
	switch role {
	case "journal": // a node with journals in Redis, until it is killed
		err := playNode(os.Getenv("FAULTS_REDIS"), os.Getenv("FAULTS_EPOCH"))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case "serve": // the muster command
		collectWhenAsked()
		cmd.Main(cmd.Game{Game: neighbourGame}, cmd.Game{Game: badGame}, cmd.Game{Game: pairGame}, cmd.Game{Game: ledgerGame}, cmd.Game{Game: scores.Game})
	default:
		fmt.Fprintf(os.Stderr, "no such role: %q\n", role)
		os.Exit(2)
	}
}

// collectWhenAsked makes SIGUSR1 collect garbage: what a heap holds then is alive.
func collectWhenAsked() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			runtime.GC()
		}
	}()
}

func playNode(redisURL, epochText string) error {
	epoch, err := strconv.ParseUint(epochText, 10, 64)
	if err != nil {
		return err
	}
	rdb, err := cluster.Connect(context.Background(), redisURL)
	if err != nil {
		return err
	}
	n, err := newNode(nodeConfig{
		games: []match.Game{ledgerGame, slipGame}, store: cluster.NewJournal(rdb, "faults", cluster.JournalConfig{}), epoch: epoch,
	})
	if err != nil {
		return err
	}
	fmt.Println("listening on", n.addr)
	_, err = io.Copy(io.Discard, os.Stdin) // the parent's end is this one's, too
	return err
}

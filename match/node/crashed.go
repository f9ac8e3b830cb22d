package node

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"time"

	"muster/match/cluster"
)

// crashedTimeout bounds how long a node that is gone is asked for.
const crashedTimeout = 250 * time.Millisecond

// Crashed says whether a node that was fenced has lost its process: nobody listens where it was reached, or somebody who
// answers, which a process that stands still or cannot be reached does not. Such a one is not its rooms' fault.
func Crashed(ctx context.Context, n cluster.Node) bool {
	if n.Peer == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, crashedTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(n.Peer, "/")+"/livez", nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	res, err := client.Do(req)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	_ = res.Body.Close()
	return true
}

package node_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"muster/internal/testport"
	"muster/match/cluster"
	"muster/match/node"
)

func TestNodeHasCrashedWhereNobodyListensOrAnotherAnswers(t *testing.T) {
	still, err := net.Listen("tcp", "127.0.0.1:0") // as of a process that was stopped: connections are taken, and nothing is said
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = still.Close() }()
	nobody := "http://" + testport.Held(t)
	again := httptest.NewServer(http.NotFoundHandler())
	defer again.Close()
	for what, c := range map[string]struct {
		peer string
		want bool
	}{
		"nobody listens": {nobody, true}, "another answers": {again.URL, true}, "it stands still": {"http://" + still.Addr().String(), false},
		"it is not known where it was": {"", false},
	} {
		if got := node.Crashed(t.Context(), cluster.Node{Peer: c.peer}); got != c.want {
			t.Errorf("%s: crashed is %v", what, got)
		}
	}
}

package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"muster/proto"
)

// liveServer is a lobby that says hello and then does what a test wants.
func liveServer(t *testing.T, then func(r *http.Request, ws *websocket.Conn)) *Lobby {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{proto.SubprotocolLobby}})
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = ws.CloseNow() }()
		if _, _, err := ws.Read(r.Context()); err != nil {
			return
		}
		_ = ws.Write(r.Context(), websocket.MessageText, []byte(`{"hello":{"player":"alice","last":"0-0/0-0"}}`))
		then(r, ws)
	}))
	t.Cleanup(s.Close)
	return &Lobby{URL: s.URL, Token: "t", HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

func TestAnswerThatCameBeforeTheSocketsEndIsAnAnswer(t *testing.T) {
	v := &Live{done: make(chan struct{}), err: &CloseError{Code: proto.CodeNodeLeaving}}
	close(v.done)
	for range 100 { // which of the two is seen first is chance
		answer := make(chan liveMessage, 1)
		answer <- liveMessage{Re: 1}
		if m, err := v.await(t.Context(), answer); err != nil || m.Re != 1 {
			t.Fatalf("%+v, %v", m, err)
		}
		var closed *CloseError
		if _, err := v.await(t.Context(), answer); !errors.As(err, &closed) {
			t.Fatalf("without an answer: %v", err)
		}
	}
}

func TestWhatWasSaidBeforeTheSocketsEndIsReadToTheLast(t *testing.T) {
	l := liveServer(t, func(r *http.Request, ws *websocket.Conn) {
		for n := range 3 {
			_ = ws.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, `{"event":{"id":"%d-1/0-0","kind":"a","body":%d}}`, n+1, n))
		}
		_ = ws.Write(r.Context(), websocket.MessageText, []byte(`{"new":"of a later version"}`))
		_ = ws.Write(r.Context(), websocket.MessageText, []byte(`{"missed":true,"last":"7-1/0-0"}`))
		_ = ws.Write(r.Context(), websocket.MessageText, []byte(`{"bye":{"code":4002,"reason":"leaving","after_ms":250}}`))
	})
	v, err := l.Live(t.Context(), LiveOptions{After: "0-1/0-0"})
	if err != nil {
		t.Fatal(err)
	}
	<-v.done
	if v.Last() != "0-1/0-0" {
		t.Errorf("before anything was taken the last place is %s", v.Last())
	}
	for n := range 3 {
		news, err := v.Next(t.Context())
		if err != nil || news.Event == nil || string(news.Event.Body) != fmt.Sprint(n) || v.Last() != news.Event.ID {
			t.Fatalf("event %d: %+v, %v", n, news, err)
		}
	}
	if news, err := v.Next(t.Context()); err != nil || !news.Missed || v.Last() != "7-1/0-0" {
		t.Errorf("%+v, %v; the last place is %s", news, err, v.Last())
	}
	var closed *CloseError
	if _, err := v.Next(t.Context()); !errors.As(err, &closed) || closed.Code != proto.CodeNodeLeaving || closed.After == 0 {
		t.Errorf("the end is %+v", err)
	}
	_ = v.Close()
	_ = v.Close()
}

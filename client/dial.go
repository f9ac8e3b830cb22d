package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/coder/websocket"

	"muster/netcode"
	"muster/proto"
)

// Dial takes a seat, or with a watch token a place to watch from: it opens the match's socket and reads the welcome. ctx bounds that, not the connection, which
// lives until Close, Leave or a [CloseError]. S and In are the game's state and input types; when the server's differ,
// the error is a [SchemaError]. What watches is not taken up again when its socket is lost: the lobby gives another token. A refused upgrade is a [HandshakeError].
func Dial[S, In any](ctx context.Context, m Match, o Options) (*Conn[S, In], error) {
	o = o.withDefaults()
	schema := o.Schema
	if schema == nil {
		var err error
		if schema, err = netcode.Compile[S, In](o.Events...); err != nil {
			return nil, fmt.Errorf("compiling the game's types: %w", err)
		}
	}
	c := newConn[S, In](schema, m, o)
	sock, err := c.connect(ctx, m.URL, m.Token)
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("joining match %s: %w", m.Room, err)
	}
	if !c.adopt(sock) {
		return nil, ErrClosed
	}
	return c, nil
}

// connect opens a socket with a bearer token and reads its welcome, which it takes over.
func (c *Conn[S, In]) connect(ctx context.Context, url, bearer string) (*socket, error) {
	speaks := proto.Subprotocol
	if c.opts.Plain {
		speaks = proto.SubprotocolPlain
	}
	ws, res, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:   c.http,
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + bearer}},
		Subprotocols: []string{speaks},
	})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			return nil, handshakeError(res)
		}
		return nil, err //nolint:wrapcheck // Dial and takeUp say what for
	}
	// Until the welcome ctx bounds the wait: a server may look for the room for a while, and who leaves then and comes again
	// is replaced by himself.
	sock := newSocket(ws, c.opts.Silence, max(c.opts.Silence, attemptTimeout))
	if ws.Subprotocol() != speaks {
		err = c.stranger(ctx, sock, speaks)
	} else {
		err = c.welcome(ctx, sock)
	}
	if err != nil {
		sock.close()
		return nil, err
	}
	return sock, nil
}

// stranger says what a server that chose no subprotocol of ours has to say. Ours says in a bye which one it speaks; of
// another one nothing is read but that.
func (c *Conn[S, In]) stranger(ctx context.Context, sock *socket, speaks string) error {
	chosen := sock.ws.Subprotocol()
	var ce *CloseError
	if chosen == "" && errors.As(c.welcome(ctx, sock), &ce) && ce.Code == proto.CodeVersion {
		return ce
	}
	if chosen == "" {
		chosen = "none"
	}
	return &CloseError{
		Code: proto.CodeVersion, Reason: fmt.Sprintf("the server chose the protocol %s, this client speaks %s", chosen, speaks),
	}
}

func handshakeError(res *http.Response) error {
	var body []byte
	if res.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(res.Body, 1<<10))
	}
	e := apiError(res, body)
	return &HandshakeError{Status: e.Status, Detail: e.text(), RetryAfter: e.RetryAfter}
}

// welcome reads the first message: the welcome, or the bye of a server that changed its mind.
func (c *Conn[S, In]) welcome(ctx context.Context, sock *socket) error {
	select {
	case msg, ok := <-sock.msgs:
		if !ok {
			return sock.closeError()
		}
		defer sock.done(msg)
		c.received(msg)
		return c.readWelcome(msg)
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errEpoch = errors.New("the server's epoch is older than one seen before")

func (c *Conn[S, In]) readWelcome(msg message) error {
	c.reader.Reset(msg.data)
	kind, n, err := proto.ServerKind(c.reader)
	if err != nil {
		return fmt.Errorf("reading the welcome: %w", err)
	}
	var w proto.Welcome
	switch kind {
	case proto.KindWelcome:
		err = w.Parse(c.reader, n)
	case proto.KindBye:
		var bye proto.Bye
		if err = bye.Parse(c.reader, n); err == nil {
			return fromBye(&bye)
		}
	default:
		err = fmt.Errorf("its kind is %d", kind)
	}
	if err != nil {
		return fmt.Errorf("reading the welcome: %w", err)
	}
	if w.Version != proto.Version {
		return &CloseError{Code: proto.CodeVersion, Reason: fmt.Sprintf("the server speaks version %d, this client %d", w.Version, proto.Version)}
	}
	if err := c.checkSchema(&w); err != nil {
		return err
	}
	if w.Epoch < c.epoch {
		return errEpoch
	}
	c.begin(&w, msg.at)
	return nil
}

// checkSchema compares the server's schema with the local one.
func (c *Conn[S, In]) checkSchema(w *proto.Welcome) error {
	if bytes.Equal(w.Schema, c.schema.Binary()) {
		return nil
	}
	server, err := netcode.ParseSchema(w.Schema)
	if err != nil {
		return fmt.Errorf("reading the server's schema: %w", err)
	}
	if server.Fingerprint() != c.schema.Fingerprint() {
		return &SchemaError{Game: w.Game, Server: server.Fingerprint(), Local: c.schema.Fingerprint()}
	}
	return nil
}

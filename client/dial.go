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
	if err := checkView[S](schema, o.View); err != nil {
		return nil, err
	}
	c := newConn[S, In](schema, m, o)
	got := c.open(ctx, m.URL, m.Token)
	if got.err == nil {
		got.err = c.accept(got)
	}
	if got.err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("joining match %s: %w", m.Room, got.err)
	}
	return c, nil
}

// opened is a socket with its first message, or why there is none.
type opened struct {
	sock   *socket
	chosen string // the subprotocol, "" for none
	first  message
	err    error
}

func (o *opened) close() {
	if o.sock != nil {
		o.sock.close()
	}
}

// speaks is the subprotocol that is asked for.
func (c *Conn[S, In]) speaks() string {
	if c.opts.Plain {
		return proto.SubprotocolPlain
	}
	return proto.Subprotocol
}

// open opens a socket with a bearer token and reads its first message. It changes nothing of the Conn, so that any
// goroutine may call it.
func (c *Conn[S, In]) open(ctx context.Context, url, bearer string) opened {
	ws, res, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:   c.http,
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + bearer}},
		Subprotocols: []string{c.speaks()},
	})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			err = handshakeError(res)
		}
		return opened{err: err}
	}
	// Until the welcome ctx bounds the wait: a server may look for the room for a while, and who leaves then and comes again
	// is replaced by himself.
	o := opened{sock: newSocket(ws, c.opts.Silence, max(c.opts.Silence, attemptTimeout)), chosen: ws.Subprotocol()}
	if o.chosen != "" && o.chosen != c.speaks() {
		o.err = c.stranger(o.chosen)
	} else {
		o.first, o.err = o.sock.first(ctx)
	}
	if o.err != nil {
		o.sock.close()
	}
	return o
}

// stranger is the error of a server that chose no subprotocol of ours.
func (c *Conn[S, In]) stranger(chosen string) error {
	return &CloseError{
		Code: proto.CodeVersion, Reason: fmt.Sprintf("the server chose the protocol %s, this client speaks %s", chosen, c.speaks()),
	}
}

// accept takes a socket over that was opened, when its first message is a welcome; else it ends it. A server that chose
// no subprotocol may say in a bye which one it speaks: nothing else of it is read.
func (c *Conn[S, In]) accept(o opened) error {
	c.received(o.first)
	err := c.readWelcome(o.first, o.chosen != "")
	o.sock.done(o.first)
	var ce *CloseError
	if says := errors.As(err, &ce) && ce.Code == proto.CodeVersion; o.chosen == "" && !says {
		err = c.stranger("none")
	}
	if err != nil {
		o.close()
		return err
	}
	if !c.adopt(o.sock) {
		return ErrClosed
	}
	return nil
}

func handshakeError(res *http.Response) error {
	var body []byte
	if res.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(res.Body, 1<<10))
	}
	e := apiError(res, body)
	return &HandshakeError{Status: e.Status, Detail: e.text(), RetryAfter: e.RetryAfter}
}

var errEpoch = errors.New("the server's epoch is older than one seen before")

// readWelcome begins with a welcome; where only a bye is read, a welcome is nothing.
func (c *Conn[S, In]) readWelcome(msg message, welcome bool) error {
	c.reader.Reset(msg.data)
	kind, n, err := proto.ServerKind(c.reader)
	if err != nil {
		return fmt.Errorf("reading the welcome: %w", err)
	}
	var w proto.Welcome
	switch {
	case kind == proto.KindWelcome && welcome:
		err = w.Parse(c.reader, n)
	case kind == proto.KindBye:
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

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// answerTimeout bounds the wait for an answer: a long poll takes 25 s.
const answerTimeout = 35 * time.Second

// answer is what the server says.
type answer struct {
	status int
	ticket struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Match *struct {
			Room  string `json:"room"`
			Token string `json:"token"`
		} `json:"match"`
	}
	text string // of an answer that is none of the good ones
}

// conn is a connection with one request under way at a time. It is as little of HTTP as the server needs, so that the
// clients leave the two cores to what is measured.
type conn struct {
	net.Conn

	r    *bufio.Reader
	body []byte
}

// clients are the connections to the server.
type clients struct {
	addr string

	mu   sync.Mutex
	free []*conn
	made int
}

func (c *clients) get() (*conn, error) {
	c.mu.Lock()
	if n := len(c.free); n > 0 {
		to := c.free[n-1]
		c.free = c.free[:n-1]
		c.mu.Unlock()
		return to, nil
	}
	c.made++
	c.mu.Unlock()
	to, err := net.Dial("tcp", c.addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: to, r: bufio.NewReaderSize(to, 1024)}, nil
}

// put gives a connection back whose last answer was read.
func (c *clients) put(to *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, to)
}

// close closes the connections that nobody has.
func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, to := range c.free {
		_ = to.Close()
	}
	c.free = nil
}

// ask sends a request and reads the answer.
func (c *conn) ask(request []byte) (a answer, err error) {
	_ = c.SetDeadline(time.Now().Add(answerTimeout)) // it fails as the write does
	if _, err := c.Write(request); err != nil {
		return a, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return a, err
	}
	f := bytes.Fields(line)
	if len(f) < 2 {
		return a, fmt.Errorf("the answer begins with %.40q", line)
	}
	a.status, _ = strconv.Atoi(string(f[1]))
	length := -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return a, err
		}
		name, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		if !ok {
			break
		}
		if bytes.EqualFold(name, []byte("Content-Length")) {
			length, _ = strconv.Atoi(string(value))
		}
	}
	if length < 0 || length > 1<<16 {
		return a, fmt.Errorf("an answer with status %d and no length", a.status)
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	if _, err := io.ReadFull(c.r, c.body); err != nil {
		return a, err
	}
	if a.status/100 != 2 {
		a.text = string(c.body)
		return a, nil
	}
	return a, json.Unmarshal(c.body, &a.ticket)
}

// create is the request for a ticket.
func create(host, token string) []byte {
	const body = `{"queue":"` + queueName + `"}`
	return fmt.Appendf(nil, "POST /v1/tickets HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		host, token, len(body), body)
}

// poll is the request that waits for a ticket's match.
func poll(host, token, id string) []byte {
	return fmt.Appendf(nil, "GET /v1/tickets/%s?wait=25s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", id, host, token)
}

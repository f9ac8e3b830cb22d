package door

import (
	"errors"
	"fmt"
	"sync"
)

// Places counts the sockets of one kind, those that are being opened included. Any goroutine may use it.
type Places struct {
	most, mostPerAddress int

	mu     sync.Mutex
	taken  int
	byAddr map[string]int
	closed bool
}

// NewPlaces returns most places, of which one remote address may have mostPerAddress.
func NewPlaces(most, mostPerAddress int) *Places {
	return &Places{most: most, mostPerAddress: mostPerAddress, byAddr: map[string]int{}}
}

// take takes a place, or says what limit stands against it.
func (p *Places) take(addr string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errors.New("the server is shutting down")
	case p.taken >= p.most:
		return fmt.Errorf("the server has %d sockets already", p.most)
	case p.byAddr[addr] >= p.mostPerAddress:
		return fmt.Errorf("your address has %d sockets already", p.mostPerAddress)
	}
	p.taken++
	p.byAddr[addr]++
	return nil
}

// Give gives a place back: that of a socket that has ended, or of a handshake that came to nothing.
func (p *Places) Give(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.byAddr[addr]--; p.byAddr[addr] <= 0 {
		delete(p.byAddr, addr)
	}
}

// Close refuses new sockets from now on.
func (p *Places) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

// Taken returns how many places are taken, and by how many addresses.
func (p *Places) Taken() (sockets, addresses int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken, len(p.byAddr)
}

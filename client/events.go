package client

import (
	"fmt"
	"reflect"
	"slices"

	"muster/proto"
)

// handlers are those of events, by the event's type. Lists are never changed, so that a handler may add and take out
// others.
type handlers map[reflect.Type][]*handler

type handler struct{ call func(value any, e Event) }

// On has f called for each event of type E, once, in order, by the call of Next or Poll that brings it; the value is f's
// own. off ends that. It panics where the game has no such event: Options.Events, or Options.Schema, names them.
//
//	client.On(conn, func(hit *arena.Hit, e client.Event) { … })
func On[E, S, In any](c *Conn[S, In], f func(value *E, e Event)) (off func()) {
	if err := c.schema.WriteEvent(proto.NewWriter(), *new(E)); err != nil {
		panic(fmt.Sprintf("client.On: %v", err))
	}
	return c.handlers.add(reflect.TypeFor[*E](), &handler{func(value any, e Event) {
		f(value.(*E), e) //nolint:forcetypeassert // it is found by this type
	}})
}

func (h handlers) add(t reflect.Type, f *handler) (off func()) {
	h[t] = append(slices.Clone(h[t]), f)
	return func() {
		h[t] = slices.DeleteFunc(slices.Clone(h[t]), func(other *handler) bool { return other == f })
		if len(h[t]) == 0 {
			delete(h, t)
		}
	}
}

// tell calls the handlers of an event.
func (c *Conn[S, In]) tell(e Event) {
	if c.opts.OnEvent != nil {
		c.opts.OnEvent(e)
	}
	if len(c.handlers) > 0 {
		for _, h := range c.handlers[reflect.TypeOf(e.Value)] {
			h.call(e.Value, e)
		}
	}
}

package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/proto/token"
)

// feed has a backend feed all rooms, by any server, while the host of most is killed: what it gave counts once.
func (w *world) feed() {
	w.t.Helper()
	rooms := w.c.rooms()
	var wg sync.WaitGroup
	var halt atomic.Bool
	given := make([]atomic.Uint32, len(rooms))
	errs := make([]error, len(rooms))
	for i, room := range rooms {
		wg.Go(func() {
			for n := uint32(1); !halt.Load() && errs[i] == nil; n++ {
				errs[i] = w.f.publish(w.t.Context(), room, n)
				given[i].Store(n)
			}
		})
	}
	w.killOne()
	const least = 10
	until(w.t, "each room was fed often enough to show something", func() bool {
		return !slices.ContainsFunc(rooms, func(room string) bool { return given[slices.Index(rooms, room)].Load() < least })
	})
	halt.Store(true)
	wg.Wait()
	must(w.t, errors.Join(errs...))
	for i, room := range rooms {
		n := given[i].Load()
		if got := w.f.fed(room); got.N != n || got.Sum != n*(n+1)/2 {
			w.t.Errorf("room %s was fed %+v, want %d times", room, got, n)
		}
		w.t.Logf("room %s was fed %d times", room, n)
	}
}

// publish gives a room one input, asking again until it is done.
func (f *fleet) publish(ctx context.Context, room string, n uint32) error {
	text, err := f.keys.SignPlayer(token.Player{ID: "backend-" + room, Roles: []string{"service"}}, time.Hour)
	if err != nil {
		return err //nolint:wrapcheck // the test's
	}
	body := fmt.Sprintf(`{"to":"room:%s","input":{"N":%d}}`, room, n)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return again(ctx, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/v1/publish", strings.NewReader(body))
		if err != nil {
			return err //nolint:wrapcheck // the test's
		}
		req.Header.Set("Authorization", "Bearer "+text)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", fmt.Sprint(n))
		res, err := f.balanced.Do(req)
		if err != nil {
			return err //nolint:wrapcheck // the test's
		}
		defer func() { _ = res.Body.Close() }()
		answer, _ := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("publishing %d into %s: %d %s", n, room, res.StatusCode, answer)
		}
		return nil
	})
}

// fed is what an operator sees of what a room was fed.
func (f *fleet) fed(room string) (got fed) {
	f.t.Helper()
	text, err := f.keys.SignPlayer(token.Player{ID: "operator", Roles: []string{"admin"}}, time.Hour)
	must(f.t, err)
	var state struct {
		Tables []struct {
			Name string
			Rows []struct{ Fields json.RawMessage }
		}
	}
	until(f.t, "a room's state is shown", func() bool {
		status, body, err := fetch(&f.balanced, f.url+"/v1/admin/rooms/"+room+"/state", text)
		return err == nil && status == http.StatusOK && json.Unmarshal(body, &state) == nil
	})
	for _, t := range state.Tables {
		if t.Name == "Fed" {
			must(f.t, json.Unmarshal(t.Rows[0].Fields, &got))
		}
	}
	return got
}

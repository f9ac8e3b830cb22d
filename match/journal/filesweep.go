package journal

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// sweep drops replays of ended rooms that are too old, or too many. What it cannot remove is tried again next time.
func (f *Files) sweep() {
	dir := filepath.Join(f.cfg.Dir, endedDir)
	names, err := os.ReadDir(dir)
	if err != nil {
		f.cfg.Log.Warn("old replays are not looked at", zap.Error(err))
		return
	}
	var replays []fs.FileInfo
	var total int64
	for _, n := range names {
		if info, err := n.Info(); err == nil {
			replays = append(replays, info)
			total += info.Size()
		}
	}
	slices.SortFunc(replays, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range replays {
		if total <= f.cfg.MaxEnded && time.Since(info.ModTime()) <= f.cfg.Keep {
			return
		}
		if err := f.disk.remove(filepath.Join(dir, info.Name())); err != nil {
			f.cfg.Log.Warn("an old replay stays", zap.String("file", info.Name()), zap.Error(err))
			continue
		}
		f.cfg.Metrics.replaysDropped.Inc()
		total -= info.Size()
	}
}

// sweepLive drops the journals of rooms that nobody has gone on with for as long as replays are kept, but for persistent
// ones. It looks at them a few times in that while at most, since there may be many. The caller holds no room.
func (f *Files) sweepLive(ctx context.Context) {
	f.mu.Lock()
	due := time.Since(f.swept) >= f.cfg.Keep/10
	if due {
		f.swept = time.Now()
	}
	f.mu.Unlock()
	if !due {
		return
	}
	names, err := os.ReadDir(filepath.Join(f.cfg.Dir, liveDir))
	if err != nil {
		f.cfg.Log.Warn("rooms that nobody goes on with are not looked for", zap.Error(err))
		return
	}
	for _, n := range names {
		room, ok := unescape(n.Name())
		if !ok || !f.abandoned(room) {
			continue
		}
		if err := f.abandon(ctx, room); err != nil {
			f.cfg.Log.Warn("the journal of a room that nobody goes on with stays", zap.String("room", room), zap.Error(err))
		}
	}
}

// abandon removes a live room, unless somebody has written to it meanwhile.
func (f *Files) abandon(ctx context.Context, room string) error {
	return f.with(ctx, "removing the journal of room", room, func(r *fileRoom) error {
		if !f.abandoned(room) {
			return nil
		}
		r.known, r.segments, r.wrote, r.fence = false, nil, 0, 0
		if err := f.disk.remove(f.live(room)); err != nil {
			return err
		}
		f.cfg.Metrics.replaysDropped.Inc()
		return nil
	})
}

// abandoned says whether nothing was written of a live room for as long as replays are kept, and it is not persistent. A
// room in use is written all the time. One of which that cannot be said is kept.
func (f *Files) abandoned(room string) bool {
	dir := f.live(room)
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	names, err := os.ReadDir(dir) // by name, and so is the order of segments
	if err != nil {
		return false
	}
	newest, wrote := "", time.Time{}
	for _, n := range names {
		info, err := n.Info()
		if err != nil {
			return false // it is gone: somebody is at work
		}
		if info.ModTime().After(wrote) {
			wrote = info.ModTime()
		}
		if name := n.Name(); name != epochFile && !strings.HasSuffix(name, ".tmp") {
			newest = name
		}
	}
	if len(names) == 0 {
		wrote = info.ModTime()
	}
	if time.Since(wrote) <= f.cfg.Keep {
		return false
	}
	if newest == "" {
		return true // a crash came before its first segment
	}
	file, err := os.Open(filepath.Join(dir, newest)) //nolint:gosec // names are escaped
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it is only read
	r, err := NewReader(file)
	return err == nil && r.Header().Class != ClassPersistent
}

// unescape returns the room whose file's name escape has made.
func unescape(name string) (room string, ok bool) {
	var b []byte
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '_' {
			if i+2 >= len(name) {
				return "", false
			}
			n, err := strconv.ParseUint(name[i+1:i+3], 16, 8)
			if err != nil {
				return "", false
			}
			c, i = byte(n), i+2
		}
		b = append(b, c)
	}
	return string(b), escape(string(b)) == name
}

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/journal"
	"muster/proto"
)

// JournalConfig says how much a Journal keeps. The zero value of a field means its default.
type JournalConfig struct {
	// Keep is how long what a room has left is kept after its end, but for rooms that persist. Of one that has not ended it
	// is kept after its last checkpoint for as long, and at least for an hour. Default 24 h.
	Keep time.Duration
	// MaxBytes bounds the closed segments of a room, compressed; the oldest go first. Default 16 MiB: it is Redis's
	// memory.
	MaxBytes int64
}

// Journal keeps rooms' journals in Redis. Any goroutine may use it.
//
// The records since the newest checkpoint are a stream whose ids are their ticks. At the next checkpoint the segment is
// closed: read back, compressed and put away as a piece of the replay. All keys of a room are of one hash slot, with the
// room's record in the directory: an epoch that is older than the record's is refused, too. They end together.
//
// Where a failover can make a replica the master, a write is done when a replica has it. It fails where none has it in half
// a second, and is tried again like any other: its ticks are not called durable meanwhile.
type Journal struct {
	rdb redis.UniversalClient
	cfg JournalConfig
	keys
	replicated replicated
}

const (
	// journalCall and journalCallBytes bound the entries that one script is given.
	journalCall      = 1000
	journalCallBytes = 1 << 20
	// journalTurns is how often closing a segment is tried while somebody else writes.
	journalTurns = 8
	// journalRuns is how long at least the journal of a room that has not ended is kept after a checkpoint: its rules may
	// have the next one come more than 11 minutes later, and appends do not make it live longer.
	journalRuns = time.Hour
)

// NewJournal returns the journals of the deployment with this namespace.
func NewJournal(rdb redis.UniversalClient, namespace string, cfg JournalConfig) *Journal {
	if cfg.Keep == 0 {
		cfg.Keep = 24 * time.Hour
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 16 << 20
	}
	return &Journal{rdb: rdb, cfg: cfg, keys: keys{namespace}, replicated: replicated{rdb: rdb}}
}

// runs is for how many milliseconds what a room has that has not ended is kept.
func (j *Journal) runs() int64 { return max(j.cfg.Keep, journalRuns).Milliseconds() }

func (j *Journal) keysOf(room string) []string {
	return []string{
		j.room(room), j.journal(room), j.journalTicks(room), j.journalState(room), j.journalParts(room), j.journalOrder(room),
	}
}

// run runs a script and says how it went: "ok", "again", or an error.
func (j *Journal) run(ctx context.Context, s *redis.Script, room string, args ...any) (string, error) {
	answer, err := j.replicated.run(ctx, s, j.keysOf(room), args...)
	switch {
	case err != nil:
		return "", err
	case answer == "ok" || answer == "again":
		return answer, nil
	case answer == "gap":
		return "", journal.ErrGap
	case answer == "fenced":
		return "", journal.ErrFenced
	}
	return "", fmt.Errorf("unexpected answer %q", answer)
}

// journalScript makes a script that is told the epoch first. It ends at once for an epoch that is older than another that
// the room's record or journal knows. Epochs are compared as decimal numbers: not all of them fit Lua's.
//
// In the journal's hash: fence, the newest epoch; wrote, that of the newest write; base, the checkpoint's tick; last, the
// newest tick; count and live, how many records there are after the checkpoint and their bytes; seq, how many segments
// were closed; kept, the bytes of those that are still there; ended, the epoch in which the room ended; forever, that the
// room persists: its keys do not expire.
func journalScript(text string) *redis.Script {
	return redis.NewScript(`
local function older(a, b) return #a < #b or #a == #b and a < b end
local epoch = ARGV[1]
local owner = redis.call('HGET', KEYS[1], 'epoch')
local f = redis.call('HMGET', KEYS[2], 'fence', 'wrote', 'base', 'last', 'count', 'live', 'seq', 'kept', 'ended')
local fence, wrote, base, last, count, live = f[1], f[2], tonumber(f[3]), tonumber(f[4]), tonumber(f[5]), tonumber(f[6])
local seq, kept, ended = tonumber(f[7] or 0), tonumber(f[8] or 0), f[9]
if owner and older(epoch, owner) or fence and older(epoch, fence) then return 'fenced' end
local function expire(ms)
	local forever = redis.call('HGET', KEYS[2], 'forever')
	for i = 2, 6 do
		if forever then redis.call('PERSIST', KEYS[i]) else redis.call('PEXPIRE', KEYS[i], ms) end
	end
end
local function repeated()
	if fence then redis.call('HSET', KEYS[2], 'fence', fence) end
end
` + text)
}

// Append is journal.Store's.
func (j *Journal) Append(ctx context.Context, room string, epoch uint64, prev uint32, entries []journal.Entry) error {
	err := errors.Join(journal.CheckRoom(room), journal.CheckEntries(prev, entries))
	for once := true; err == nil && (once || len(entries) > 0); once = false {
		args := []any{epoch, j.runs(), prev, journal.MaxSegment}
		n, size := 0, 0
		for ; n < len(entries) && n < journalCall && size < journalCallBytes; n++ {
			args = append(args, entries[n].Tick, entries[n].Data)
			size += len(entries[n].Data)
			prev = entries[n].Tick
		}
		entries = entries[n:]
		_, err = j.run(ctx, journalAppend, room, args...)
	}
	if err != nil {
		return fmt.Errorf("appending to the journal of room %s: %w", room, err)
	}
	return nil
}

// A key that Redis evicted leaves a hole, which the count shows.
var journalAppend = journalScript(`
if ended == epoch then return 'fenced' end
local prev, fresh, before = tonumber(ARGV[3]), count == 0, last
if not base or prev > last or prev < last and wrote ~= epoch then return 'gap' end
if redis.call('EXISTS', KEYS[4]) == 0 or redis.call('XLEN', KEYS[3]) ~= count then return 'gap' end
for i = 5, #ARGV, 2 do
	local tick = tonumber(ARGV[i])
	if tick > last then
		if live > tonumber(ARGV[4]) then return 'gap' end
		redis.call('XADD', KEYS[3], ARGV[i] .. '-0', 'r', ARGV[i + 1])
		last, count, live = tick, count + 1, live + #ARGV[i + 1]
		redis.call('HSET', KEYS[2], 'fence', epoch, 'wrote', epoch, 'last', last, 'count', count, 'live', live)
	end
end
if last == before then repeated() end
if fresh then expire(ARGV[2]) end -- the stream is new; checkpoints do it for all that is there
return 'ok'`)

// saved is what is in Redis of a running room at one moment.
type saved struct {
	seen    string // what a script compares to know that nothing has changed
	base    uint32
	running bool
	header  []byte
	state   []byte
	entries []journal.Entry
	order   []string
}

// read reads what is there at one moment.
func (j *Journal) read(ctx context.Context, room string) (s saved, err error) {
	pipe := j.rdb.TxPipeline()
	fields := pipe.HMGet(ctx, j.journal(room), "header", "base", "wrote", "last", "count", "ended")
	state := pipe.Get(ctx, j.journalState(room))
	ticks := pipe.XRange(ctx, j.journalTicks(room), "-", "+")
	order := pipe.LRange(ctx, j.journalOrder(room), 0, -1)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return s, err //nolint:wrapcheck // callers say what they did
	}
	var text [6]string
	for i, v := range fields.Val() {
		text[i], _ = v.(string)
	}
	s.header, s.seen, s.order = []byte(text[0]), strings.Join(text[1:], "/"), order.Val()
	if text[1] == "" {
		return s, nil
	}
	base, err := strconv.ParseUint(text[1], 10, 32)
	if err != nil {
		return s, fmt.Errorf("%w: %w", journal.ErrMalformed, err)
	}
	s.base = uint32(base)
	s.state, err = state.Bytes()
	if errors.Is(err, redis.Nil) {
		return s, nil // evicted
	}
	if err != nil {
		return s, err //nolint:wrapcheck // callers say what they did
	}
	s.running = true
	for _, m := range ticks.Val() {
		tick, err := strconv.ParseUint(strings.TrimSuffix(m.ID, "-0"), 10, 32)
		if err != nil {
			return s, fmt.Errorf("%w: an entry named %q", journal.ErrMalformed, m.ID)
		}
		data, _ := m.Values["r"].(string)
		s.entries = append(s.entries, journal.Entry{Tick: uint32(tick), Data: []byte(data)})
	}
	return s, nil
}

// segment returns the bytes of the segment that is not closed yet, up to a tick.
func (s *saved) segment(limit uint32) []byte {
	if !s.running || s.base > limit {
		return nil
	}
	n := 0
	for n < len(s.entries) && s.entries[n].Tick <= limit {
		n++
	}
	return journal.AppendEntries(bytes.Clone(s.state), s.entries[:n])
}

// Checkpoint is journal.Store's.
func (j *Journal) Checkpoint(ctx context.Context, room string, epoch uint64, h journal.Header, cp journal.Checkpoint) error {
	h.Epoch = epoch
	head := proto.NewWriter()
	h.AppendTo(head)
	var state bytes.Buffer
	err := errors.Join(journal.CheckRoom(room), journal.BeginSegment(&state, h, cp))
	if err == nil {
		err = j.closing(ctx, room, cp.Tick, journalCheckpoint, func(seen string, segment []byte) []any {
			return []any{epoch, j.runs(), seen, segment, j.cfg.MaxBytes, cp.Tick, state.Bytes(), head.Bytes(), h.Class}
		})
	}
	if err != nil {
		return fmt.Errorf("storing a checkpoint of room %s: %w", room, err)
	}
	return nil
}

// closing runs a script that closes the segment that was read, unless that has changed meanwhile.
func (j *Journal) closing(ctx context.Context, room string, limit uint32, s *redis.Script, args func(seen string, segment []byte) []any) error {
	for range journalTurns {
		now, err := j.read(ctx, room)
		if err != nil && !errors.Is(err, journal.ErrMalformed) { // what cannot be read must not keep what can from being stored
			return err
		}
		answer, err := j.run(ctx, s, room, args(now.seen, now.segment(limit))...)
		if err != nil || answer == "ok" {
			return err
		}
	}
	return errors.New("others write it all the time")
}

// put is the part of a script that puts a closed segment away.
const put = `
local seen = {f[3] or '', f[2] or '', f[4] or '', f[5] or '', f[9] or ''}
if table.concat(seen, '/') ~= ARGV[3] then return 'again' end
if not f[7] or ended and ended ~= epoch then -- the room begins anew, or Redis forgot what it has of it
	redis.call('DEL', KEYS[5], KEYS[6])
	kept = 0
end
if #ARGV[4] > 0 then
	seq, kept = seq + 1, kept + #ARGV[4]
	local name = seq .. '-' .. f[3]
	redis.call('HSET', KEYS[5], name, ARGV[4])
	redis.call('RPUSH', KEYS[6], name)
	while kept > tonumber(ARGV[5]) and redis.call('LLEN', KEYS[6]) > 1 do
		local oldest = redis.call('LPOP', KEYS[6])
		kept = kept - redis.call('HSTRLEN', KEYS[5], oldest)
		redis.call('HDEL', KEYS[5], oldest)
	end
end
redis.call('DEL', KEYS[3])
`

var journalCheckpoint = journalScript(`
if ended == epoch then return 'fenced' end
local tick = tonumber(ARGV[6])
if base and wrote == epoch and (tick <= base or tick < last) and redis.call('EXISTS', KEYS[4]) == 1 then
	repeated()
	return 'ok'
end
` + put + `
redis.call('SET', KEYS[4], ARGV[7])
redis.call('HDEL', KEYS[2], 'ended')
redis.call('HSET', KEYS[2], 'fence', epoch, 'wrote', epoch, 'base', ARGV[6], 'last', ARGV[6], 'count', 0, 'live', 0,
	'seq', seq, 'kept', kept, 'header', ARGV[8])
if ARGV[9] == '` + journal.ClassPersistent + `' then redis.call('HSET', KEYS[2], 'forever', '1') end
expire(ARGV[2])
return 'ok'`)

// Load is journal.Store's.
func (j *Journal) Load(ctx context.Context, room string, epoch uint64) (*journal.Saved, error) {
	s, err := j.load(ctx, room, epoch)
	if err != nil {
		return nil, fmt.Errorf("loading the journal of room %s: %w", room, err)
	}
	return s, nil
}

func (j *Journal) load(ctx context.Context, room string, epoch uint64) (*journal.Saved, error) {
	err := journal.CheckRoom(room)
	if err == nil && epoch != 0 {
		_, err = j.run(ctx, journalFence, room, epoch)
	}
	if err != nil {
		return nil, err
	}
	now, err := j.read(ctx, room)
	if err != nil {
		return nil, err
	}
	if !now.running {
		return nil, journal.ErrNone
	}
	s, err := journal.LoadSegment(bytes.NewReader(now.state))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it is
	}
	for _, e := range now.entries {
		if err := s.Add(e.Data); err != nil {
			return nil, err //nolint:wrapcheck // says what it is
		}
	}
	return s, nil
}

var journalFence = journalScript(`
if base then redis.call('HSET', KEYS[2], 'fence', epoch) end
return 'ok'`)

// End is journal.Store's.
func (j *Journal) End(ctx context.Context, room string, epoch uint64) error {
	err := journal.CheckRoom(room)
	if err == nil {
		err = j.closing(ctx, room, ^uint32(0), journalEnd, func(seen string, segment []byte) []any {
			return []any{epoch, j.cfg.Keep.Milliseconds(), seen, segment, j.cfg.MaxBytes}
		})
	}
	if err != nil {
		return fmt.Errorf("ending the journal of room %s: %w", room, err)
	}
	return nil
}

var journalEnd = journalScript(`
if not base then
	repeated()
	return 'ok'
end
` + put + `
redis.call('DEL', KEYS[4])
redis.call('HDEL', KEYS[2], 'wrote', 'base', 'last', 'count', 'live', 'forever')
redis.call('HSET', KEYS[2], 'fence', epoch, 'ended', epoch, 'seq', seq, 'kept', kept)
expire(ARGV[2])
return 'ok'`)

// Delete is journal.Store's.
func (j *Journal) Delete(ctx context.Context, room string, epoch uint64) error {
	err := journal.CheckRoom(room)
	if err == nil {
		_, err = j.run(ctx, journalDelete, room, epoch)
	}
	if err != nil {
		return fmt.Errorf("deleting the journal of room %s: %w", room, err)
	}
	return nil
}

// Deleting nothing is no write. Making a key for that is.
var journalDelete = journalScript(`
redis.call('SET', KEYS[4], '')
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
return 'ok'`)

// Export is journal.Store's. The room goes on meanwhile.
func (j *Journal) Export(ctx context.Context, room string, w io.Writer) error {
	if err := j.export(ctx, room, w); err != nil {
		return fmt.Errorf("exporting room %s: %w", room, err)
	}
	return nil
}

func (j *Journal) export(ctx context.Context, room string, w io.Writer) error {
	if err := journal.CheckRoom(room); err != nil {
		return err //nolint:wrapcheck // says what it is
	}
	now, err := j.read(ctx, room)
	if err != nil {
		return err
	}
	if len(now.header) == 0 {
		return journal.ErrNone
	}
	var h journal.Header
	if err := h.Parse(now.header); err != nil {
		return err //nolint:wrapcheck // says what it is
	}
	var list []journal.Segment
	for _, name := range now.order {
		_, text, _ := strings.Cut(name, "-")
		base, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("%w: a segment named %q", journal.ErrMalformed, name)
		}
		list = append(list, journal.Segment{Base: uint32(base), Open: func() (io.ReadSeeker, error) {
			b, err := j.rdb.HGet(ctx, j.journalParts(room), name).Bytes()
			if errors.Is(err, redis.Nil) {
				return nil, journal.ErrNone
			}
			return bytes.NewReader(b), err
		}})
	}
	if b := now.segment(^uint32(0)); b != nil {
		list = append(list, journal.Segment{Base: now.base, Open: func() (io.ReadSeeker, error) { return bytes.NewReader(b), nil }})
	}
	return journal.Join(ctx, w, h, list) //nolint:wrapcheck // Export says what it did
}

var _ journal.Store = (*Journal)(nil)

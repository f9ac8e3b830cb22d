package doctor_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/doctor"
	"muster/internal/testredis"
)

const ns = "test"

// samples are ids that patterns' words stand for.
var samples = map[string]string{
	"ROOM": "plaza.main-1", "NODE": "n1", "ID": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "NAME": "pair",
	"DIGEST": "0123456789abcdef0123456789abcdef", "TICKET": "pair.bbbbbbbbbbbbbbbbbbbbbbbbbb", "CODE": "K7KKTQ",
	"ADDRESS": "2001:db8::/64", "N": "17", "KEY": "chat:a b:1\n",
}

// sample is a key of a row.
func sample(r doctor.Row) string {
	return ns + ":" + doctor.Word.ReplaceAllStringFunc(r.Pattern, func(w string) string { return samples[w] })
}

// put makes a key of a type. What is in it is of no use to anybody.
func put(t *testing.T, rdb redis.UniversalClient, name, kind string) {
	t.Helper()
	ctx := t.Context()
	var err error
	switch kind {
	case "string":
		err = rdb.Set(ctx, name, "x", 0).Err()
	case "hash":
		err = rdb.HSet(ctx, name, "x", "1").Err()
	case "zset":
		err = rdb.ZAdd(ctx, name, redis.Z{Score: 1, Member: "x"}).Err()
	case "set":
		err = rdb.SAdd(ctx, name, "x").Err()
	case "list":
		err = rdb.RPush(ctx, name, "x").Err()
	case "stream":
		err = rdb.XAdd(ctx, &redis.XAddArgs{Stream: name, ID: "1-1", Values: []any{"x", "1"}}).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// seen looks with no grace, and returns what was found as "REASON: KEY PART".
func seen(t *testing.T, rdb redis.UniversalClient, between func()) []string {
	t.Helper()
	report, err := doctor.Look(t.Context(), doctor.Config{
		Redis: rdb, Namespace: ns,
		Again: func(int, time.Duration) {
			if between != nil {
				between()
			}
		},
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, g := range report.Findings {
		for _, e := range g.Examples {
			list = append(list, g.Reason+": "+e)
		}
	}
	slices.Sort(list)
	return list
}

func has(list []string, reason, name string) bool {
	return slices.ContainsFunc(list, func(f string) bool { return strings.HasPrefix(f, reason+": "+doctor.Escaped(name)) })
}

func TestEveryKindOfKeyIsKnownByItsNameAndType(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		for _, r := range doctor.Rows() {
			name := sample(r)
			if got, ids := doctor.Find(strings.TrimPrefix(name, ns+":")); got != r.Pattern || len(ids) != len(doctor.Word.FindAllString(r.Pattern, -1)) {
				t.Errorf("%q is taken for a key like %q with %q, want %s", name, got, ids, r.Pattern)
			}
			put(t, rdb, name, r.Kind)
			if f := seen(t, rdb, nil); has(f, doctor.WhyUnknown, name) || has(f, doctor.WhyKind, name) {
				t.Errorf("a key like %s: %q", r.Pattern, f)
			}
			other := "string"
			if r.Kind == other {
				other = "list"
			}
			rdb.Del(t.Context(), name)
			put(t, rdb, name, other)
			if f := seen(t, rdb, nil); !has(f, doctor.WhyKind, name) {
				t.Errorf("a key like %s that is a %s: %q", r.Pattern, other, f)
			}
			rdb.Del(t.Context(), name)
		}
	})
}

func TestEveryKeyThatShouldEndIsFoundWhenItDoesNot(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		for _, r := range doctor.Rows() {
			if r.Lasts == 0 {
				continue // of these rules of their own say it
			}
			name := sample(r)
			put(t, rdb, name, r.Kind)
			f := seen(t, rdb, nil)
			if !has(f, doctor.WhyForever, name) {
				t.Errorf("a key like %s that never ends: %q", r.Pattern, f)
			}
			rdb.PExpire(t.Context(), name, r.Lasts+2*doctor.Slack)
			if f := seen(t, rdb, nil); !has(f, doctor.WhyTooLong, name) || has(f, doctor.WhyForever, name) {
				t.Errorf("a key like %s that lasts too long: %q", r.Pattern, f)
			}
			rdb.PExpire(t.Context(), name, r.Lasts)
			f = seen(t, rdb, nil)
			if has(f, doctor.WhyTooLong, name) || has(f, doctor.WhyForever, name) || !r.Owned && len(f) > 0 {
				t.Errorf("a key like %s that is as it should be: %q", r.Pattern, f)
			}
			rdb.Del(t.Context(), name)
		}
	})
}

func TestKeysOfOthersAreNamedAndNoFurtherAsked(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		strange := []string{
			"leftover", "{room:x}:notes", "{room:{a}}:record", "{queue:Pair}:waiting", "{player:bob}:rating", "{nodes}:live:x",
			"rate:{player:x}", "{code:a\x1b[2J}", ":", "{room:}:record",
		}
		for _, s := range strange {
			put(t, rdb, ns+":"+s, "string")
		}
		for _, s := range []string{"other:{room:x}:record", "testing:x", "tes"} {
			put(t, rdb, s, "string") // of another namespace
		}
		report, err := doctor.Look(t.Context(), doctor.Config{Redis: rdb, Namespace: ns})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Findings) != 1 || report.Count != len(strange) || report.Keys != int64(len(strange)) || report.Clean() {
			t.Fatalf("%+v", report)
		}
		g := report.Findings[0]
		if g.Reason != doctor.WhyUnknown || g.Count != len(strange) || len(g.Examples) != doctor.MaxExamples {
			t.Errorf("%+v", g)
		}
		var text strings.Builder
		if err := report.WriteText(&text); err != nil || strings.ContainsRune(text.String(), '\x1b') || !strings.Contains(text.String(), "and 5 more") {
			t.Errorf("%q, %v", text.String(), err)
		}
		if err := rdb.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	})
}

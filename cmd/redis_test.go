package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/client"
	"muster/games/arena"
	"muster/internal/testredis"
	"muster/match/cluster"
)

// aclRules are what OPERATIONS.md says that the user of a server needs.
var aclRules = []string{"~muster:*", "&muster:*", "+@all", "-@admin", "-@dangerous", "+info", "+cluster|nodes"}

func TestServerAndDoctorComeToARedisWithTLSAndAnACL(t *testing.T) {
	f := testredis.NewTLS(t)
	args := append(f.Args(), "--user", "default", "off", "--user", "admin", "on", ">s3cret", "~*", "+@all", "--user", "muster", "on", ">s3cret-s3cret")
	s := testredis.Start(t, append(args, aclRules...)...)
	file := filepath.Join(t.TempDir(), "password")
	must(t, os.WriteFile(file, []byte("s3cret-s3cret\n"), 0o600))
	way := []string{
		"--redis", s.URL(), "--redis-user", "muster", "--redis-password-file", file,
		"--redis-ca", f.CA, "--redis-cert", f.ClientCert, "--redis-key", f.ClientKey,
	}
	r := serve(t, withArena, append(way, "--key-file", ownKey(t), "--log-level", "debug")...)
	c, err := client.Dial[arena.World, arena.Input](soon(t), r.match("alice", "arena"), client.Options{Events: arena.Game.Rules().Events})
	must(t, err)
	_, err = c.Next(soon(t))
	must(t, err)
	must(t, c.Close())
	if r.end(); strings.Contains(r.stdout.String()+r.stderr.String(), "s3cret") {
		t.Errorf("the password was printed:\n%s%s", r.stdout, r.stderr)
	}
	t.Setenv(redisPassword, "s3cret-s3cret")
	way = append(way[:4], way[6:]...)
	var out, errs bytes.Buffer
	if code := run(t.Context(), func() {}, append([]string{"doctor", "--grace", "0s"}, way...), nil, &out, &errs); code == 2 {
		t.Errorf("doctor: %s%s", &out, &errs)
	}
	admin, err := cluster.Access{
		URL: s.URL(), User: "admin", Password: "s3cret", CAFile: f.CA, CertFile: f.ClientCert, KeyFile: f.ClientKey,
	}.Connect(t.Context())
	must(t, err)
	defer func() { _ = admin.Close() }()
	refused, err := admin.Do(t.Context(), "acl", "log").Slice()
	must(t, err)
	if len(refused) > 0 {
		t.Errorf("the user may not do what a server does: %v", refused)
	}
}

func TestConfigRefusesWaysToRedisThatCannotBeGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	must(t, os.WriteFile(file, []byte("s3cret"), 0o600))
	const url = "redis://127.0.0.1:1"
	for what, c := range map[string]struct {
		args []string
		want string
	}{
		"a user without a password": {[]string{"--redis", url, "--redis-user", "muster"}, "needs a password"},
		"two passwords":             {[]string{"--redis", "redis://:s3cret@127.0.0.1:1", "--redis-password-file", file}, "has one, too"},
		"certificates without TLS":  {[]string{"--redis", url, "--redis-ca", file}, "want rediss"},
		"no Redis":                  {[]string{"--redis-user", "muster"}, "--redis is not given"},
		"no URL":                    {[]string{"--redis", "s3cret"}, "none of"},
		"all right":                 {[]string{"--redis", url, "--redis-user", "muster", "--redis-password-file", file}, ""},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), func() {}, append([]string{"config"}, c.args...), nil, &out, &errs)
		if (code == 0) != (c.want == "") || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: code %d, %s, want %q", what, code, &errs, c.want)
		}
		if strings.Contains(out.String()+errs.String(), "s3cret") {
			t.Errorf("%s: a password is shown: %s%s", what, &out, &errs)
		}
	}
}

func TestAServerWithAnotherKeyThanTheDeploymentsDoesNotJoinIt(t *testing.T) {
	store := testredis.Start(t)
	first := serve(t, withArena, "--redis", store.URL(), "--key-file", ownKey(t))
	other := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(other, []byte(strings.Repeat("another", 8)), 0o600))
	var stdout, stderr output
	args := []string{"serve", "--listen", "127.0.0.1:0", "--redis", store.URL(), "--key-file"}
	code := run(t.Context(), func() {}, append(args, other), withArena, &stdout, &stderr)
	if code != 1 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "at "+first.url+" has another signing key") {
		t.Errorf("exit status %d: %s%s", code, &stdout, &stderr)
	}
	serve(t, withArena, "--redis", store.URL(), "--key-file", first.keyFile)
	serve(t, withArena, "--redis", store.URL(), "--key-file", other, "--namespace", "other")
}

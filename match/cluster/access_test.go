package cluster_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/testredis"
	"muster/match/cluster"
)

const password = "s3cret-s3cret"

// known is the access with all that servers of these certificates want.
func known(f *testredis.TLS, url string) cluster.Access {
	return cluster.Access{URL: url, CAFile: f.CA, CertFile: f.ClientCert, KeyFile: f.ClientKey}
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestLinksAndNoticesFollowARedisOverTLSThatStartsAgain(t *testing.T) {
	f := testredis.NewTLS(t)
	s := testredis.Start(t, append(f.Args(), "--user", "default", "off", "--user", "muster", "on", ">"+password, "~"+ns+":*", "&"+ns+":*", "+@all")...)
	a := known(f, s.URL())
	a.User, a.PasswordFile = "muster", secretFile(t, password+"\n")
	rdb, err := a.Connect(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = rdb.Close() })
	followed(t, rdb, 2, s.Kill, s.Restart)
}

func TestLinksAndNoticesFollowASentinelFailoverOverTLS(t *testing.T) {
	f := testredis.NewTLS(t)
	s := testredis.StartSentinel(t, append(f.Args(), "--requirepass", password, "--masterauth", password)...)
	a := known(f, s.URL())
	a.Password, a.SentinelPasswordFile = password, secretFile(t, password)
	rdb, err := a.Connect(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = rdb.Close() })
	followed(t, rdb, 2, s.Failover, func() {})
	a.SentinelPasswordFile = ""
	if _, err := a.Connect(t.Context()); err == nil {
		t.Error("Sentinels are asked without their password")
	}
}

func TestLinksAndNoticesOfAClusterGoOverTLS(t *testing.T) {
	f := testredis.NewTLS(t)
	c := testredis.StartCluster(t, 3, append(f.Args(), "--requirepass", password, "--masterauth", password)...)
	a := known(f, c.URL())
	a.PasswordFile, a.ServerName = secretFile(t, password), testredis.ServerName
	rdb, err := a.Connect(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = rdb.Close() })
	s := c.Owner(ns + ":{notices}")
	followed(t, rdb, 2, s.Kill, func() { s.Restart(); c.Wait() })
}

func TestWhatIsWrongWithTheWayToRedisIsSaid(t *testing.T) {
	f, other := testredis.NewTLS(t), testredis.NewTLS(t)
	secure := testredis.Start(t, append(f.Args(), "--requirepass", password)...)
	plain := testredis.Start(t, "--requirepass", password)
	right := known(f, secure.URL())
	right.Password = password
	rdb, err := right.Connect(t.Context())
	must(t, err)
	must(t, rdb.Close())
	for what, c := range map[string]struct {
		spoil func(*cluster.Access)
		want  string
	}{
		"another CA":               {func(a *cluster.Access) { a.CAFile = other.CA }, "its certificate is signed by none of those that are trusted"},
		"the system's CAs":         {func(a *cluster.Access) { a.CAFile = "" }, "its certificate is signed by none of those that are trusted"},
		"another name":             {func(a *cluster.Access) { a.ServerName = "db.test" }, "its certificate is for another name"},
		"no certificate":           {func(a *cluster.Access) { a.CertFile, a.KeyFile = "", "" }, "it wants a certificate of its clients"},
		"another CA's certificate": {func(a *cluster.Access) { a.CertFile, a.KeyFile = other.ClientCert, other.ClientKey }, "it wants a certificate of its clients"},
		"another password":         {func(a *cluster.Access) { a.Password = "wrong-s3cret" }, "it refuses the user or the password"},
		"a user of its own":        {func(a *cluster.Access) { a.User = "nobody" }, "it refuses the user or the password"},
		"no password":              {func(a *cluster.Access) { a.Password = "" }, "it wants a password, and none is given"},
		"no TLS":                   {func(a *cluster.Access) { *a = cluster.Access{URL: "redis://" + secure.Addr, Password: password} }, "want rediss in place of redis"},
		"TLS where is none":        {func(a *cluster.Access) { a.URL = "rediss://" + plain.Addr }, "want redis in place of rediss"},
		"a CA without TLS":         {func(a *cluster.Access) { a.URL = plain.URL() }, "want rediss in place of redis"},
		"two passwords":            {func(a *cluster.Access) { a.URL = "rediss://:" + password + "@" + secure.Addr }, "has one, too"},
		"a password and a file":    {func(a *cluster.Access) { a.PasswordFile = secretFile(t, password) }, "both given"},
		"an empty password file":   {func(a *cluster.Access) { a.Password, a.PasswordFile = "", secretFile(t, "\n") }, "is empty"},
		"a long password file": {func(a *cluster.Access) {
			a.Password, a.PasswordFile = "", secretFile(t, strings.Repeat("s3cret", 1000))
		}, "longer than"},
		"a password file that others can read": {func(a *cluster.Access) {
			a.Password, a.PasswordFile = "", secretFile(t, password)
			must(t, os.Chmod(a.PasswordFile, 0o644)) //nolint:gosec // that is it
		}, "chmod 600"},
		"a key that others can read": {func(a *cluster.Access) {
			text, err := os.ReadFile(f.ClientKey)
			must(t, err)
			a.KeyFile = secretFile(t, string(text))
			must(t, os.Chmod(a.KeyFile, 0o640)) //nolint:gosec // that is it
		}, "chmod 600"},
		"no password file":        {func(a *cluster.Access) { a.Password, a.PasswordFile = "", "/nowhere" }, "/nowhere"},
		"a user alone":            {func(a *cluster.Access) { a.User, a.Password = "muster", "" }, "needs a password"},
		"no CA in its file":       {func(a *cluster.Access) { a.CAFile = f.ClientKey }, "no certificate in PEM"},
		"a certificate alone":     {func(a *cluster.Access) { a.KeyFile = "" }, "needs its key"},
		"a key of another one":    {func(a *cluster.Access) { a.KeyFile = f.ServerKey }, "private key does not match"},
		"a login of no Sentinels": {func(a *cluster.Access) { a.SentinelPassword = password }, "want redis+sentinel://"},
		"a user of Sentinels": {func(a *cluster.Access) {
			*a = cluster.Access{URL: "redis+sentinel://127.0.0.1:1/m", SentinelUser: "muster"}
		}, "the Sentinels needs a password"},
	} {
		a := right
		c.spoil(&a)
		rdb, err := a.Connect(t.Context())
		if err == nil {
			_ = rdb.Close()
			t.Errorf("%s: connected", what)
		} else if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q and no password", what, err, c.want)
		}
	}
}

// Whoever changes a password changes it in Redis and in the file; connections that come after it use the new one.
func TestAPasswordThatChangesIsReadAgain(t *testing.T) {
	s := testredis.Start(t, "--requirepass", password)
	file := secretFile(t, password)
	rdb, err := cluster.Access{URL: s.URL(), PasswordFile: file}.Connect(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = rdb.Close() })
	must(t, rdb.ConfigSet(t.Context(), "requirepass", "another-s3cret").Err())
	must(t, os.WriteFile(file, []byte("another-s3cret"), 0o600))
	must(t, rdb.Do(t.Context(), "client", "kill", "type", "normal", "skipme", "no").Err())
	until(t, "it logs in again", func() bool { return rdb.Ping(t.Context()).Err() == nil })
}

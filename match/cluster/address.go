package cluster

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The forms of an address of Redis; with rediss in place of redis over TLS.
const addressForms = "redis://USER:PASSWORD@HOST:PORT/DB, redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/MASTER?db=DB " +
	"or redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT"

const (
	kindSentinel = "sentinel"
	kindCluster  = "cluster"
)

// address is a parsed one.
type address struct {
	kind   string   // "", kindSentinel or kindCluster
	hosts  []string // of the server, of the Sentinels, or of some of the Cluster's servers
	master string   // which one the Sentinels watch
	common *redis.Options

	sentinelUser, sentinelPassword string
}

// parseAddress reads an address. Its errors show nothing of a password.
func parseAddress(text string) (*address, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	base, kind, _ := strings.Cut(scheme, "+")
	if !ok || base != "redis" && base != "rediss" || strings.HasSuffix(scheme, "+") || !slices.Contains([]string{"", kindSentinel, kindCluster}, kind) {
		return nil, errors.New("the address of Redis is none of " + addressForms)
	}
	a := &address{kind: kind}
	// Several hosts are no URL to the standard library, so each is looked at alone.
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndex(rest[:end], "@") + 1
	user, hosts, tail := rest[:at], strings.Split(rest[at:end], ","), rest[end:]
	if kind == "" && len(hosts) > 1 {
		return nil, errors.New("the address of Redis names several hosts: want " + addressForms)
	}
	var query url.Values
	for _, host := range hosts {
		u, err := url.Parse(base + "://" + user + host + tail)
		if err != nil || u.Hostname() == "" && (kind != "" || len(hosts) > 1) {
			return nil, errors.New("the address of Redis is not a URL like " + addressForms) // the error's text holds the password
		}
		query = u.Query()
		a.sentinelUser, a.sentinelPassword = query.Get("sentinel_username"), query.Get("sentinel_password")
		if kind == kindSentinel {
			a.master, u.Path = strings.Trim(u.Path, "/"), ""
			query.Del("sentinel_username")
			query.Del("sentinel_password")
			u.RawQuery = query.Encode()
		}
		if a.common, err = redis.ParseURL(u.String()); err != nil {
			return nil, fmt.Errorf("the address of Redis: %w", err)
		}
		a.hosts = append(a.hosts, a.common.Addr)
	}
	switch {
	case kind == kindSentinel && (a.master == "" || strings.Contains(a.master, "/")):
		return nil, errors.New("the address of Redis names no master that the Sentinels know: want " + addressForms)
	case kind == kindCluster && a.common.DB != 0:
		return nil, errors.New("the address of Redis: a Cluster has database 0 alone")
	}
	a.common = withDefaults(a.common)
	return a, nil
}

// MaskedAddress returns an address of Redis without its passwords.
func MaskedAddress(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if _, err := parseAddress(text); !ok || err != nil {
		return "(not an address of Redis)"
	}
	var b strings.Builder
	b.WriteString(scheme + "://")
	at := strings.LastIndex(rest[:end], "@")
	if at >= 0 {
		user, _, has := strings.Cut(rest[:at], ":")
		b.WriteString(user)
		if has {
			b.WriteString(":xxxxx")
		}
		b.WriteString("@")
	}
	path, query, has := strings.Cut(rest[end:], "?")
	b.WriteString(rest[at+1:end] + path)
	if has {
		values, _ := url.ParseQuery(query)
		for name := range values {
			if strings.Contains(strings.ToLower(name), "password") {
				values.Set(name, "xxxxx")
			}
		}
		b.WriteString("?" + values.Encode())
	}
	return b.String()
}

// client returns a client of what the address names. It has asked nothing yet.
func (a *address) client() redis.UniversalClient {
	o := a.common
	switch a.kind {
	case kindSentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: a.master, SentinelAddrs: a.hosts, SentinelUsername: a.sentinelUser, SentinelPassword: a.sentinelPassword,
			Username: o.Username, Password: o.Password, CredentialsProviderContext: o.CredentialsProviderContext, DB: o.DB, Protocol: o.Protocol, ClientName: o.ClientName,
			DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
			ContextTimeoutEnabled: o.ContextTimeoutEnabled, DialerRetries: o.DialerRetries, MinIdleConns: o.MinIdleConns,
			MaxRetries: o.MaxRetries, PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout, TLSConfig: o.TLSConfig,
		})
	case kindCluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: a.hosts, Username: o.Username, Password: o.Password, CredentialsProviderContext: o.CredentialsProviderContext, Protocol: o.Protocol, ClientName: o.ClientName,
			DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
			ContextTimeoutEnabled: o.ContextTimeoutEnabled, DialerRetries: o.DialerRetries, MinIdleConns: o.MinIdleConns,
			MaxRetries: o.MaxRetries, PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout,
			MaintNotificationsConfig: o.MaintNotificationsConfig, TLSConfig: o.TLSConfig,
		})
	}
	return redis.NewClient(o)
}

func withDefaults(o *redis.Options) *redis.Options {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = callTimeout, callTimeout, callTimeout
	o.ContextTimeoutEnabled = true // else a context's deadline does not bound a command
	o.MinIdleConns = 2
	o.DialerRetries = 1 // a command is tried again as a whole
	// The default asks each new connection for a feature that open-source servers answer with an error.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o
}

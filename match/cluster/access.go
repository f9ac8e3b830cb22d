package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"

	"muster/internal/secret"
)

// Access is how a process comes to a Redis. The zero value of a field but URL adds nothing to what the URL says.
type Access struct {
	// URL is an address in one of the forms that [Connect] knows.
	URL string
	// User and Password are what it logs in with: those of an ACL, or Redis's own password alone. PasswordFile has the
	// password in place of Password, and is read at each new connection, so that it may change.
	User, Password, PasswordFile string
	// SentinelUser, SentinelPassword and SentinelPasswordFile are for the Sentinels alone; the file is read once.
	SentinelUser, SentinelPassword, SentinelPasswordFile string
	// CAFile has the certificates (PEM) of those who sign the servers' certificates, in place of the system's.
	CAFile string
	// CertFile and KeyFile are the certificate (PEM) by which servers know this process, and are read at each new
	// connection. Both or neither.
	CertFile, KeyFile string
	// ServerName is the name that all servers' certificates have, in place of the host's in the URL.
	ServerName string
}

// maxSecret bounds a file with a password, in bytes; maxPEM one with certificates.
const (
	maxSecret = 4 << 10
	maxPEM    = 1 << 20
)

// Check says what in it cannot be together, without a password in the text. It reads no file, and asks nobody.
func (a Access) Check() error {
	p, err := parseAddress(a.URL)
	if err != nil {
		return err
	}
	return a.consistent(p)
}

// Connect returns a client after one answered PING. Its errors say what is wrong where Redis, or its certificate, tells.
func (a Access) Connect(ctx context.Context) (redis.UniversalClient, error) {
	p, err := a.parse()
	if err != nil {
		return nil, err
	}
	rdb := p.client()
	if err := p.check(ctx, rdb); err != nil {
		_ = rdb.Close()
		return nil, fmt.Errorf("connecting to Redis at %s: %w", strings.Join(p.hosts, ","), p.explain(err))
	}
	return rdb, nil
}

func (a Access) parse() (*address, error) {
	p, err := parseAddress(a.URL)
	if err != nil {
		return nil, err
	}
	if err := a.consistent(p); err != nil {
		return nil, err
	}
	if err := a.logIn(p); err != nil {
		return nil, err
	}
	secure := p.common.TLSConfig
	if secure == nil {
		return p, nil
	}
	secure.MinVersion = tls.VersionTLS12
	if p.kind != "" {
		secure.ServerName = "" // each connection's is its host's
	}
	if a.ServerName != "" {
		secure.ServerName = a.ServerName
	}
	if a.CAFile != "" {
		text, err := readSmall(a.CAFile, maxPEM)
		if err != nil {
			return nil, fmt.Errorf("reading who signs Redis's certificate: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificate in PEM", a.CAFile)
		}
	}
	if a.CertFile != "" {
		own := func() (*tls.Certificate, error) {
			if err := secret.CheckFile(a.KeyFile); err != nil {
				return nil, fmt.Errorf("reading the key of the certificate for Redis: %w", err)
			}
			c, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("reading the certificate for Redis: %w", err)
			}
			return &c, nil
		}
		if _, err := own(); err != nil {
			return nil, err
		}
		secure.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own() }
	}
	return p, nil
}

// consistent says what of it cannot be together with an address, or with each other.
func (a Access) consistent(p *address) error {
	o := p.common
	switch sentinels := a.SentinelUser != "" || a.SentinelPassword != "" || a.SentinelPasswordFile != ""; {
	case (a.User != "" || a.Password != "" || a.PasswordFile != "") && (o.Username != "" || o.Password != ""):
		return errors.New("a user or password for Redis is given, and the address of Redis has one, too")
	case a.Password != "" && a.PasswordFile != "" || a.SentinelPassword != "" && a.SentinelPasswordFile != "":
		return errors.New("a password for Redis and a file with it are both given")
	case a.User != "" && a.Password == "" && a.PasswordFile == "":
		return errors.New("a user for Redis needs a password")
	case a.SentinelUser != "" && a.SentinelPassword == "" && a.SentinelPasswordFile == "":
		return errors.New("a user for the Sentinels needs a password")
	case sentinels && p.kind != kindSentinel:
		return errors.New("a login of Sentinels is given, and the address of Redis names none: want redis+sentinel://")
	case sentinels && (p.sentinelUser != "" || p.sentinelPassword != ""):
		return errors.New("a login of Sentinels is given, and the address of Redis has one, too")
	case o.TLSConfig == nil && (a.CAFile != "" || a.CertFile != "" || a.KeyFile != "" || a.ServerName != ""):
		return errors.New("the address of Redis is not over TLS, and certificates are given: want rediss in place of redis")
	case (a.CertFile == "") != (a.KeyFile == ""):
		return errors.New("a certificate to show to Redis needs its key, and a key its certificate")
	}
	return nil
}

// logIn adds users and passwords to a parsed address, and reads those that are in files.
func (a Access) logIn(p *address) error {
	o := p.common
	if a.User != "" || a.Password != "" {
		o.Username, o.Password = a.User, a.Password
	}
	if a.PasswordFile != "" {
		if _, err := readPassword(a.PasswordFile); err != nil {
			return err
		}
		o.CredentialsProviderContext = func(context.Context) (user, password string, err error) {
			password, err = readPassword(a.PasswordFile)
			return a.User, password, err
		}
	}
	if a.SentinelUser != "" || a.SentinelPassword != "" {
		p.sentinelUser, p.sentinelPassword = a.SentinelUser, a.SentinelPassword
	}
	if a.SentinelPasswordFile == "" {
		return nil
	}
	var err error
	p.sentinelPassword, err = readPassword(a.SentinelPasswordFile)
	return err
}

// readPassword reads a file that nobody but its owner may read, without the end of its line.
func readPassword(file string) (string, error) {
	err := secret.CheckFile(file)
	var text []byte
	if err == nil {
		text, err = readSmall(file, maxSecret)
	}
	if err != nil {
		return "", fmt.Errorf("reading a password for Redis: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("reading a password for Redis: %s is empty", file)
	}
	return password, nil
}

func readSmall(file string, most int64) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%s is longer than %d bytes", file, most)
	}
	return text, nil
}

// explain says what is to be done about why a Redis was not reached, where that is known.
func (a *address) explain(err error) error {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		plain   tls.RecordHeaderError
		said    redis.Error
	)
	text := err.Error()
	hint := ""
	switch {
	case errors.As(err, &unknown):
		hint = "its certificate is signed by none of those that are trusted: is the file of the CA the right one?"
	case errors.As(err, &name):
		hint = "its certificate is for another name: give that as the server name, or reach it by that"
	case errors.As(err, &invalid):
		hint = "its certificate is not valid"
	case errors.As(err, &plain):
		hint = "it does not speak TLS at this port: want redis in place of rediss, or its port for TLS"
	case strings.Contains(text, "remote error: tls: "): // an alert of its
		hint = "it wants a certificate of its clients, and takes none or not this one"
	case strings.HasPrefix(text, "WRONGPASS") || strings.Contains(text, "invalid password"):
		hint = "it refuses the user or the password"
	case strings.HasPrefix(text, "NOAUTH"):
		hint = "it wants a password, and none is given"
	case strings.HasPrefix(text, "NOPERM"):
		hint = "its ACL does not let the user do what is needed"
	case a.common.TLSConfig == nil && !errors.As(err, &said) && dropped(err):
		hint = "it closes the connection: if that is its port for TLS, want rediss in place of redis"
	case a.common.TLSConfig != nil && isTimeout(err): // a Redis without TLS waits for the end of a line
		hint = "it does not answer: if it speaks no TLS at this port, want redis in place of rediss"
	default:
		return err
	}
	return fmt.Errorf("%s (%w)", hint, err)
}

// dropped says whether a connection was made and ended by the other side.
func dropped(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.As(err, &op) && op.Op == "read"
}

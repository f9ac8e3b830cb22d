package testredis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TLS are the files by which servers and clients of a test know each other. Servers' certificates are for 127.0.0.1 and
// ServerName.
type TLS struct {
	CA                    string // who signs
	ServerCert, ServerKey string
	ClientCert, ClientKey string
}

// ServerName stands in servers' certificates.
const ServerName = "redis.test"

const certLife = 24 * time.Hour

// NewTLS makes certificates that end with the test.
func NewTLS(t testing.TB) *TLS {
	t.Helper()
	dir := t.TempDir()
	f := &TLS{
		CA:         filepath.Join(dir, "ca.pem"),
		ServerCert: filepath.Join(dir, "server.pem"), ServerKey: filepath.Join(dir, "server.key"),
		ClientCert: filepath.Join(dir, "client.pem"), ClientKey: filepath.Join(dir, "client.key"),
	}
	ca := &x509.Certificate{
		Subject: pkix.Name{CommonName: "a CA of a test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	caKey := sign(t, ca, ca, nil, f.CA, "")
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // servers are each other's clients
	sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, ExtKeyUsage: both, DNSNames: []string{ServerName}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, ca, caKey, f.ServerCert, f.ServerKey)
	sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "client"}, ExtKeyUsage: both[1:]}, ca, caKey, f.ClientCert, f.ClientKey)
	return f
}

// sign makes a certificate with a new key, signed by the key of another one, or by its own.
func sign(t testing.TB, c, by *x509.Certificate, byKey *ecdsa.PrivateKey, certFile, keyFile string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	if byKey == nil {
		byKey = key
	}
	c.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	now := time.Now()
	c.NotBefore, c.NotAfter = now.Add(-certLife), now.Add(certLife)
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, byKey)
	must(t, err)
	must(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	if keyFile != "" {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		must(t, err)
		must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	}
	return key
}

// Args are the options of a redis-server, or a Sentinel, that speaks TLS alone, to clients and to its like, and wants a
// certificate of each. Give them to Start, StartCluster or StartSentinel.
func (f *TLS) Args() []string {
	return []string{
		caFlag, f.CA, certFlag, f.ServerCert, keyFlag, f.ServerKey, "--tls-auth-clients", "yes", "--tls-replication", "yes",
	}
}

// tlsArgs is how many Args are.
const tlsArgs = 10

const (
	caFlag   = "--tls-ca-cert-file"
	certFlag = "--tls-cert-file"
	keyFlag  = "--tls-key-file"
)

// option is what comes behind an option of a redis-server, or "".
func option(args []string, name string) string {
	if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

// scheme is that of the addresses of servers with these options.
func scheme(args []string) string {
	if option(args, certFlag) != "" {
		return "rediss"
	}
	return "redis"
}

// options are those of a client of one server that has these options.
func options(addr string, args []string) *redis.Options {
	o := &redis.Options{Addr: addr, Password: option(args, "--requirepass"), MaxRetries: -1}
	if scheme(args) == "redis" {
		return o
	}
	pool := x509.NewCertPool()
	ca, _ := os.ReadFile(option(args, caFlag)) // without it nobody is trusted
	pool.AppendCertsFromPEM(ca)
	own, _ := tls.LoadX509KeyPair(option(args, certFlag), option(args, keyFlag))
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: ServerName, Certificates: []tls.Certificate{own}}
	return o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

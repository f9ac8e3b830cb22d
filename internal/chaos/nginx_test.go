package chaos

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/internal/needs"
	"muster/internal/testport"
)

// front is nginx before the fleet: TLS, and round robin without any memory of who was where.
type front struct {
	cmd   *exec.Cmd
	addr  string
	roots *x509.CertPool
	log   string
	ended chan struct{}
}

// startNginx puts nginx before the servers and leads players to it. It ends with the test.
func (f *fleet) startNginx() *front {
	t := f.t
	t.Helper()
	program := needs.Program(t, "nginx")
	dir := t.TempDir()
	fr := &front{addr: testport.Held(t), log: filepath.Join(dir, "error.log"), ended: make(chan struct{})}
	fr.roots = certificate(t, dir)
	var servers strings.Builder
	for _, n := range f.nodes {
		fmt.Fprintf(&servers, "    server %s max_fails=1 fail_timeout=1s;\n", n.addr)
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("DIR", dir, "ADDR", fr.addr, "SERVERS", servers.String()).Replace(nginxConf)
	must(t, os.WriteFile(conf, []byte(text), 0o600))
	fr.cmd = exec.Command(program, "-p", dir, "-c", conf, "-e", fr.log) //nolint:gosec // of this test
	must(t, fr.cmd.Start())
	go func() {
		defer close(fr.ended)
		_ = fr.cmd.Wait() // it is told to end
	}()
	t.Cleanup(func() {
		_ = fr.cmd.Process.Signal(syscall.SIGTERM)
		<-fr.ended
		if said, err := os.ReadFile(fr.log); err == nil && t.Failed() {
			t.Logf("nginx said:\n%s", said[:min(len(said), 3000)])
		}
	})
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: fr.roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	f.balanced.Transport = transport
	f.url = "https://" + fr.addr
	until(t, "nginx serves", func() bool {
		select {
		case <-fr.ended:
			said, _ := os.ReadFile(fr.log)
			t.Fatalf("nginx ended: %s", said)
		default:
		}
		status, _, err := fetch(&f.balanced, f.url+"/livez", "")
		return err == nil && status == http.StatusOK
	})
	return fr
}

// nginxConf is what an operator writes who knows nothing of rooms. Sockets that were open when it is reloaded are closed a
// second later.
const nginxConf = `daemon off;
pid DIR/nginx.pid;
worker_processes 1;
worker_rlimit_nofile 8192;
worker_shutdown_timeout 1s;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  upstream muster {
SERVERS  }
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen ADDR ssl backlog=4096;
    ssl_certificate DIR/cert.pem;
    ssl_certificate_key DIR/key.pem;
    location / {
      proxy_pass http://muster;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout 1h;
    }
  }
}
`

// reload is nginx -s reload.
func (fr *front) reload() { _ = fr.cmd.Process.Signal(syscall.SIGHUP) }

// certificate makes a certificate for the loopback, which signs itself, and its key.
func certificate(t testing.TB, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "muster.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: private},
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	pool.AddCert(cert)
	return pool
}

// reloads reloads nginx several times while bots play: their sockets are closed, and everybody is back in his seat,
// whichever server he comes to.
func (w *world) reloads() {
	w.t.Helper()
	const times = 4
	for n := range times {
		before := w.c.resumes()
		w.front.reload()
		until(w.t, "everybody has another socket", func() bool { return w.c.resumes() >= before+len(w.c.bots) })
		w.c.play(fmt.Sprintf("after reload %d", n+1), time.Now(), w.c.bots)
		w.c.orderly()
	}
	for _, b := range w.c.bots {
		if len(b.notes.epochs) != 1 {
			w.t.Errorf("%s saw hosts %v of %s", b.name, b.notes.epochs, b.match.Room)
		}
	}
	w.t.Logf("nginx was reloaded %d times", times)
}

// resumes is how often bots were welcomed again.
func (c *crowd) resumes() (n int) {
	for _, b := range c.bots {
		b.mu.Lock()
		n += b.notes.welcomes - 1
		b.mu.Unlock()
	}
	return n
}

package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// healthCmd asks a server whether it is ready; it is the container's health check.
type healthCmd struct {
	URL    string `help:"The server to ask. Default: the one that listens where --listen says, on this machine." placeholder:"URL" env:"MUSTER_HEALTH_URL"`
	Listen string `help:"Where the server listens, as serve is told." default:"127.0.0.1:8080" env:"MUSTER_LISTEN" yaml:"listen"`
}

// Help implements kong's HelpProvider.
func (healthCmd) Help() string {
	return `Example:

  muster health --url http://127.0.0.1:8080`
}

// askedURL reads the flag --url of a command that asks a server.
func askedURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--url %q: want http://HOST:PORT or https://HOST", text)
	}
	return u, nil
}

// Run implements the command.
func (c *healthCmd) Run(p *program) error {
	if c.URL == "" {
		host, port, err := net.SplitHostPort(c.Listen)
		if err != nil {
			return fmt.Errorf("--listen %q: want HOST:PORT", c.Listen)
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() { // it listens everywhere
			host = "127.0.0.1"
		}
		c.URL = "http://" + net.JoinHostPort(host, port)
	}
	if _, err := askedURL(c.URL); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.URL, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w; is a server running there?", c.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.URL, err)
	}
	if res.StatusCode != http.StatusOK {
		var problem struct{ Detail string }
		if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
			problem.Detail = http.StatusText(res.StatusCode) // of something else than a server of this kind
		}
		return fmt.Errorf("%s is not ready: %s", c.URL, problem.Detail)
	}
	_, err = fmt.Fprintln(p.stdout, strings.TrimSpace(string(text)))
	return err //nolint:wrapcheck // of standard output
}

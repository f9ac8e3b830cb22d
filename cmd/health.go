package cmd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// healthCmd asks a server whether it is ready; it is the container's health check.
type healthCmd struct {
	URL string `help:"The server to ask." default:"http://127.0.0.1:8080" env:"MUSTER_HEALTH_URL"`
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
		return fmt.Errorf("%s is not ready: %s", c.URL, strings.TrimSpace(string(text)))
	}
	_, err = fmt.Fprintln(p.stdout, strings.TrimSpace(string(text)))
	return err //nolint:wrapcheck // of standard output
}

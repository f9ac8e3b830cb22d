package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

// Run implements the command.
func (c *healthCmd) Run(p *program) error {
	ctx, cancel := context.WithTimeout(p.ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.URL, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.URL, err)
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

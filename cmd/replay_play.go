package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"muster/match/playback"
)

// replayPlayCmd has a server show a replay.
type replayPlayCmd struct {
	File  string `arg:"" help:"The replay; - is standard input."`
	URL   string `help:"The server that shows it; it must run the same version of the game's rules." default:"http://127.0.0.1:8080" env:"MUSTER_URL"`
	Token string `help:"A token with the role admin. A development server needs none." env:"MUSTER_TOKEN"`
	As    string `help:"Whose eyes it is seen with: public, everything, or seat:N." default:"public"`
}

// Help implements kong's HelpProvider.
func (replayPlayCmd) Help() string {
	return `Examples, beside a server that muster started:

  muster replay play match.muster
  muster replay play match.muster --as seat:3
  muster replay play match.muster --url https://play.example --token "$(muster token --sub op --role admin --key-file key)"

It prints the page to open. The server shows the replay until nobody has watched for a minute.`
}

const (
	// playPatience bounds the whole of it, the file on its way included.
	playPatience = 40 * time.Second
	maxPlayReply = 1 << 20
)

// viewName is whose eyes a replay may be seen with.
var viewName = regexp.MustCompile(`^(public|everything|seat:[1-9]\d{0,3})$`)

// Run implements the command.
func (c *replayPlayCmd) Run(p *program) error {
	f, err := p.openReplay(c.File)
	if err != nil {
		return &statusError{statusUnreadable, err}
	}
	defer f.close()
	if f.size > playback.MaxFile {
		return &statusError{statusUnreadable, fmt.Errorf("%s: it has %d MiB, and a server shows at most %d", f.name, f.size>>20, playback.MaxFile>>20)}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	file, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	base, err := askedURL(c.URL)
	if err != nil {
		return err
	}
	if !viewName.MatchString(c.As) {
		return fmt.Errorf("--as %s: want public, everything or seat:N", text(c.As))
	}
	ctx, cancel := context.WithTimeout(p.ctx, playPatience)
	defer cancel()
	if c.Token == "" {
		if c.Token, err = c.guest(ctx, base); err != nil {
			return err
		}
	}
	var s struct {
		ID    string  `json:"id"`
		Game  string  `json:"game"`
		Match string  `json:"match"`
		From  uint32  `json:"from"`
		To    uint32  `json:"to"`
		Rate  float64 `json:"rate"`
		Key   string  `json:"key"`
	}
	path := base.JoinPath("/v1/replays/files")
	path.RawQuery = url.Values{"as": {c.As}}.Encode()
	if err := c.post(ctx, path, "application/octet-stream", file, &s); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	page := base.JoinPath("/watch")
	page.RawQuery = url.Values{"session": {s.ID}}.Encode()
	page.Fragment = "key=" + s.Key // which no server hears
	long := time.Duration(float64(s.To-s.From) / max(s.Rate, 1) * float64(time.Second))
	_, err = fmt.Fprintf(p.stdout, "%s of match %s, ticks %d to %d (%v)\n\n  %s\n\nOpen it within a minute; it is shown for as long as somebody watches.\n",
		text(s.Game), text(s.Match), s.From, s.To, long.Round(10*time.Millisecond), page)
	return err //nolint:wrapcheck // of standard output
}

// guest gets the token of a player whom a development server makes up.
func (c *replayPlayCmd) guest(ctx context.Context, base *url.URL) (string, error) {
	var g struct {
		Token string `json:"token"`
	}
	err := c.post(ctx, base.JoinPath("/v1/guests"), "application/json", []byte(`{"name":"replay"}`), &g)
	var refused *playRefused
	if errors.As(err, &refused) && refused.status == http.StatusNotFound {
		return "", fmt.Errorf("%s is no development server: give a token with the role admin with --token", base)
	}
	return g.Token, err
}

// playRefused is an answer that is an error.
type playRefused struct {
	status int
	detail string
}

func (e *playRefused) Error() string { return e.detail }

// post sends a body and reads a JSON answer.
func (c *replayPlayCmd) post(ctx context.Context, to *url.URL, kind string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.URL, err)
	}
	req.Header.Set("Content-Type", kind)
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a token goes where it was to go
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w; is a server running there? muster starts one", c.URL, err)
	}
	defer func() { _ = res.Body.Close() }() // it is read to its end, or given up
	reply, err := io.ReadAll(io.LimitReader(res.Body, maxPlayReply))
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.URL, err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		var problem struct {
			Detail string `json:"detail"`
		}
		if json.Unmarshal(reply, &problem) != nil || problem.Detail == "" {
			problem.Detail = "the server says " + res.Status
		}
		return &playRefused{res.StatusCode, line(problem.Detail)}
	}
	if err := json.Unmarshal(reply, into); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", c.URL, err)
	}
	return nil
}

package cmd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/lobby"
	"muster/proto/token"
)

// tokenCmd prints a player token.
type tokenCmd struct {
	Sub     string        `help:"The player's id." required:"" placeholder:"ID"`
	Name    string        `help:"The player's name. Default: the id."`
	Role    []string      `help:"A role: admin (operators), service (a backend, which is no player) or metrics (/metrics alone). May be repeated."`
	TTL     time.Duration `help:"How long the token is good." default:"1h"`
	KeyFile string        `name:"key-file" help:"Sign with the key in this file instead of the development key." placeholder:"FILE" env:"MUSTER_KEY_FILE" yaml:"key_file"`
}

// Help implements kong's HelpProvider.
func (tokenCmd) Help() string {
	return `Example:

  curl -H "Authorization: Bearer $(muster token --sub alice)" -H 'Content-Type: application/json' \
       -d '{"queue":"arena"}' http://127.0.0.1:8080/v1/tickets`
}

// Run implements the command.
func (c *tokenCmd) Run(p *program) error {
	if c.TTL <= 0 {
		return fmt.Errorf("--ttl is %v, it must be positive", c.TTL)
	}
	keys, _, err := (&settings{KeyFile: c.KeyFile}).keys()
	if err != nil {
		return err
	}
	name := c.Name
	if name == "" {
		name = c.Sub
	}
	for _, flag := range [][2]string{{"sub", c.Sub}, {"name", name}} {
		if t, err := keys.SignPlayer(token.Player{ID: flag[1]}, c.TTL); err != nil {
			return err //nolint:wrapcheck // says what it did
		} else if _, err := lobby.Authenticate(keys, "Bearer "+t); err != nil { // as a lobby would read it
			return fmt.Errorf("--%s %q: want 1 to 64 bytes of text, without control characters", flag[0], flag[1])
		}
	}
	t, err := keys.SignPlayer(token.Player{ID: c.Sub, Name: name, Roles: c.Role}, c.TTL)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	known := rolesOf(p.games)
	for _, role := range c.Role {
		if !slices.Contains(known, role) { // what it is for, a studio's own code may know
			fmt.Fprintf(p.stderr, "muster: no server of these games asks for the role %q; those that are asked for are %s\n", role, strings.Join(known, ", "))
		}
	}
	_, err = fmt.Fprintln(p.stdout, t)
	return err //nolint:wrapcheck // of standard output
}

// rolesOf are the roles that something is for: the server's own, and those of rooms of games.
func rolesOf(games []Game) []string {
	roles := []string{"admin", "metrics", token.RoleService}
	for i := range games {
		if role := games[i].Rules().Role; role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

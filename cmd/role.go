package cmd

import (
	"cmp"
	"fmt"

	"muster/lobby/queue"
	"muster/match/cluster"
)

// role is what the process does; a server that is not made by the command line does all.
func (s *settings) role() string { return cmp.Or(s.Role, cluster.RoleAll) }

// hosts says whether the process runs rooms, serves whether it is a lobby.
func (s *settings) hosts() bool  { return s.role() != cluster.RoleLobby }
func (s *settings) serves() bool { return s.role() != cluster.RoleMatch }

// maxTags bounds the tags of a server.
const maxTags = 16

// tags are those of the server by their names; nil where there are none.
func (s *settings) tags() map[string]string {
	if len(s.Tags) == 0 {
		return nil
	}
	tags := map[string]string{}
	for _, t := range s.Tags {
		if name, value, ok := queue.ParseTag(t); ok {
			tags[name] = value
		}
	}
	return tags
}

// checkRole refuses what a role cannot do, and what placement cannot read.
func (s *settings) checkRole() error {
	for _, t := range s.Tags {
		if _, _, ok := queue.ParseTag(t); !ok {
			return fmt.Errorf("--tag %q: want %s", t, queue.WantTag)
		}
	}
	switch {
	case len(s.Tags) > maxTags:
		return fmt.Errorf("--tag: %d tags, want at most %d", len(s.Tags), maxTags)
	case len(s.tags()) < len(s.Tags):
		return fmt.Errorf("--tag: a name stands twice")
	case s.Capacity < 0:
		return fmt.Errorf("--capacity %d: want 0 or more", s.Capacity)
	case s.Capacity > 0 && !s.hosts():
		return fmt.Errorf("--capacity %d: a server with --role %s runs no rooms", s.Capacity, s.Role)
	case s.role() != cluster.RoleAll && s.Redis == "":
		return fmt.Errorf("--role %s needs --redis: an embedded Redis is for its own process alone, which then does all", s.Role)
	}
	return nil
}

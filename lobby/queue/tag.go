package queue

import (
	"regexp"
	"strings"
)

// WantTag says in words what ParseTag takes.
const WantTag = "NAME=VALUE, a name of up to 31 of a-z, 0-9, _ and -, a value of up to 64 of letters, digits and ._:/-"

var tag = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}=[a-zA-Z0-9._:/-]{1,64}$`)

// ParseTag reads a tag, which says what is special about a server; ok is false where it is none.
func ParseTag(s string) (name, value string, ok bool) {
	if !tag.MatchString(s) {
		return "", "", false
	}
	name, value, _ = strings.Cut(s, "=")
	return name, value, true
}

package cmd

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// mistake says what is wrong with a command line, and where to look.
func mistake(root *kong.Node, args []string, err error) string {
	at, said := root, "muster"
	for len(args) > 0 && len(at.Children) > 0 && !strings.HasPrefix(args[0], "-") {
		next := child(at, args[0])
		if next == nil {
			return fmt.Sprintf("there is no command %s; %s --help lists what there is", strings.TrimPrefix(said+" "+args[0], "muster "), said)
		}
		at, said, args = next, said+" "+next.Name, args[1:]
	}
	for _, of := range []string{"unknown flag", "unexpected argument", "missing flags", "expected "} {
		if strings.HasPrefix(err.Error(), of) {
			return err.Error() + "; " + said + " --help lists what there is"
		}
	}
	return err.Error()
}

func child(n *kong.Node, name string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

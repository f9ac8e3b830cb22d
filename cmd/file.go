package cmd

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// fileFlag is kong.ConfigFlag, but that an empty one names no file: a variable may be set to nothing.
type fileFlag string

// BeforeResolve implements kong's hook.
func (fileFlag) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	name, _ := ctx.FlagValue(trace.Flag).(fileFlag)
	if name == "" {
		return nil
	}
	r, err := k.LoadConfig(string(name))
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	ctx.AddResolver(r)
	return nil
}

// file is what a YAML file of settings says, by its keys. A key is the yaml tag of the flag that it sets. Flags and
// variables come before the file.
type file struct {
	name string
	says map[string]any
	gave map[string]string // the file's name by the flags that it has set
}

// origins are the files that set flags, by the flags' names. A mistake in one is a mistake of the file.
type origins map[string]string

// named is what is said of a mistake, with the file that has made it where it is about a flag that one has set.
func (o origins) named(text string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "--"), ":")
	name, _, _ = strings.Cut(name, " ")
	if from := o[name]; from != "" && strings.HasPrefix(text, "--") {
		return text + " (in " + from + ")"
	}
	return text
}

// read implements kong.ConfigurationLoader.
func (o origins) read(r io.Reader) (kong.Resolver, error) {
	f := file{name: "the settings file", gave: o}
	if named, ok := r.(interface{ Name() string }); ok {
		f.name = named.Name()
	}
	if err := yaml.NewDecoder(r).Decode(&f.says); err != nil && !errors.Is(err, io.EOF) { // an empty file says nothing
		return nil, fmt.Errorf("%s: %s", f.name, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return f, nil
}

// Validate implements kong.Resolver: a key that no flag has is a mistake.
func (f file) Validate(app *kong.Application) error {
	var known []string
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && flag.Tag.Has("yaml") {
			known = append(known, flag.Tag.Get("yaml"))
		}
		return next(nil)
	})
	if err != nil {
		return err //nolint:wrapcheck // ours: there is none
	}
	for _, key := range slices.Sorted(maps.Keys(f.says)) {
		if !slices.Contains(known, key) {
			return fmt.Errorf("%s has %q, which is no setting", f.name, key)
		}
	}
	return nil
}

// Resolve implements kong.Resolver.
func (f file) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil //nolint:nilnil // the variable says it
		}
	}
	value, ok := f.says[flag.Tag.Get("yaml")]
	if ok {
		f.gave[flag.Name] = f.name
	}
	return value, nil
}

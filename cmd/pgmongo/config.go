package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// configFile gives options their values from a YAML file: below the name of a command, or at the top level for every
// command that has an option of that name.
type configFile map[string]any

// loadConfig reads a file for the options of app. A key that names no option is refused: with a misspelt "auth" passed over,
// the server would let in everyone.
func loadConfig(app *kong.Application, r io.Reader) (configFile, error) {
	values := map[string]any{} // the decoder gives maps within the type of the outermost, which kong must know
	if err := yaml.NewDecoder(r).Decode(&values); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the configuration file is not valid YAML: %w", err)
	}
	c := configFile(values)
	for _, key := range slices.Sorted(maps.Keys(c)) {
		below, isCommand := c.command(key)
		var command *kong.Node
		known := false
		for _, n := range app.Children {
			if n.Name == key {
				command = n
			}
			known = known || hasFlag(n, key)
		}
		switch {
		case command == nil && !known:
			return nil, fmt.Errorf("unknown option %q in the configuration file", key)
		case command != nil && !isCommand:
			return nil, fmt.Errorf("%q in the configuration file must hold the options of that command", key)
		case command == nil:
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(below)) {
			if !hasFlag(command, name) {
				return nil, fmt.Errorf("unknown option %q in the configuration file", key+"."+name)
			}
		}
	}
	return c, nil
}

func hasFlag(n *kong.Node, name string) bool {
	return slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.Name == name && name != "help" })
}

func (c configFile) command(name string) (map[string]any, bool) {
	switch v := c[name].(type) {
	case nil:
		return nil, true
	case map[string]any:
		return v, true
	}
	return nil, false
}

// Validate accepts the file: loadConfig has checked it.
func (c configFile) Validate(*kong.Application) error { return nil }

// Resolve returns an option's value in the file, nil for none. A variable of the environment comes before the file; kong
// asks only for what the command line does not give.
func (c configFile) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	if n := parent.Node(); n != nil {
		if below, ok := c.command(n.Name); ok {
			if v, ok := below[flag.Name]; ok {
				return v, nil
			}
		}
	}
	return c[flag.Name], nil
}

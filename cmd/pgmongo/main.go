// Command pgmongo serves PostgreSQL's wire protocol over MongoDB.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// version is set by the linker.
var version = "0.1.0"

// The exit codes: what a script or a supervisor can act on.
const (
	exitFailure     = 1 // anything else
	exitUsage       = 2 // wrong options
	exitUnreachable = 3 // MongoDB cannot be reached
	exitCredentials = 4 // MongoDB refused the credentials
	exitListen      = 5 // the port is in use or may not be used
	exitDiffers     = 6 // schema diff: the documents differ
)

// cli is the command line: one field a subcommand, each in a file of its own.
type cli struct {
	Config kong.ConfigFlag `help:"YAML file with options, by their names." env:"PGMONGO_CONFIG" placeholder:"FILE"`

	Serve       serveCmd       `cmd:"" help:"Serve PostgreSQL clients over a MongoDB deployment."`
	Demo        demoCmd        `cmd:"" help:"Try pgmongo: a private MongoDB with sample data, and the server in front of it."`
	Schema      schemaCmd      `cmd:"" help:"Look at the schema of collections that native programs own, and declare it."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask a running server whether it is ready."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// exitError is an error with the exit code that it ends the process with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses the arguments, runs the subcommand and returns the exit code.
func run(ctx context.Context, args []string) int {
	var c cli
	var parser *kong.Kong
	config := func(r io.Reader) (kong.Resolver, error) { return loadConfig(parser.Model, r) }
	parser, err := kong.New(&c, kong.Name("pgmongo"), kong.Description("PostgreSQL's wire protocol, with MongoDB as the storage."),
		kong.DefaultEnvars("PGMONGO"), kong.Configuration(config), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&c))
	if err != nil {
		return report(err)
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgmongo:", err)
		fmt.Fprintln(os.Stderr, "hint: \"pgmongo --help\" and \"pgmongo COMMAND --help\" list the options.")
		return exitUsage
	}
	return report(k.Run())
}

// report prints an error with its detail and hint and chooses the exit code.
func report(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "pgmongo:", err)
	var pe *pgerr.Error
	if errors.As(err, &pe) && pe.Hint != "" {
		fmt.Fprintln(os.Stderr, "hint:", pe.Hint)
	}
	var e *exitError
	switch {
	case errors.As(err, &e):
		return e.code
	case pgerr.Is(err, pgerr.SQLclientUnableToEstablishSQLconnection):
		return exitUnreachable
	case pgerr.Is(err, pgerr.InvalidAuthorizationSpecification):
		return exitCredentials
	case pgerr.Is(err, pgerr.InvalidParameterValue):
		return exitUsage
	}
	return exitFailure
}

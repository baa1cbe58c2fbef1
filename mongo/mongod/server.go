package mongod

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Options say how to run a server.
type Options struct {
	// Path is the mongod to run; "" asks Find.
	Path string
	// DataDir keeps the data; it is made if it does not exist.
	DataDir string
	// Port is the loopback port; 0 takes a free one.
	Port int
	// CacheMB bounds WiredTiger's cache; 0 means 256.
	CacheMB int
	// ReplicaSet names the replica set; "" means "pgmongo".
	ReplicaSet string
	// Standalone runs without a replica set.
	Standalone bool
	// Args are added to the command line.
	Args []string
}

// Server is a running mongod.
type Server struct {
	port    int
	opts    Options
	process *Process
	output  *tail
}

// Start runs a mongod as a replica set of one member and waits until it accepts writes.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := launch(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.waitUp(ctx); err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	if !s.opts.Standalone {
		if err := configure(ctx, []*Server{s}); err != nil {
			return nil, errors.Join(err, s.Kill())
		}
	}
	return s, nil
}

func launch(ctx context.Context, o Options) (*Server, error) {
	var err error
	if o.Path == "" {
		if o.Path, err = Find(ctx); err != nil {
			return nil, err
		}
	}
	if o.Port == 0 {
		if o.Port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	if o.CacheMB == 0 {
		o.CacheMB = 256
	}
	if o.ReplicaSet == "" {
		o.ReplicaSet = "pgmongo"
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("mongod: %w", err)
	}
	args := []string{
		"--bind_ip", "127.0.0.1", "--port", strconv.Itoa(o.Port), "--dbpath", o.DataDir,
		"--wiredTigerCacheSizeGB", strconv.FormatFloat(float64(o.CacheMB)/1024, 'f', 3, 64),
		"--logpath", filepath.Join(o.DataDir, "mongod.log"), "--nounixsocket",
		"--setParameter", "diagnosticDataCollectionEnabled=false",
		// By default a member waits 15 s for its clients to find another primary.
		"--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100",
	}
	if !o.Standalone {
		args = append(args, "--replSet", o.ReplicaSet)
	}
	cmd := exec.Command(o.Path, append(args, o.Args...)...)
	out := &tail{}
	cmd.Stdout, cmd.Stderr = out, out
	KillWithParent(cmd, syscall.SIGKILL)
	p, err := StartProcess(cmd)
	if err != nil {
		return nil, fmt.Errorf("mongod: %w", err)
	}
	return &Server{port: o.Port, opts: o, process: p, output: out}, nil
}

// Port returns the server's TCP port on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// URI returns a connection string that connects to this server alone.
func (s *Server) URI() string {
	return fmt.Sprintf("mongodb://127.0.0.1:%d/?directConnection=true", s.port)
}

// Exited is closed when the server has ended.
func (s *Server) Exited() <-chan struct{} { return s.process.Done() }

// Stop ends the server in order, so that it starts again without recovery, and waits for it.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	select {
	case <-s.process.Done():
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("mongod: stopping: %w", ctx.Err()), s.Kill())
	}
}

// Kill ends the server at once, as a crash would, and waits for it.
func (s *Server) Kill() error {
	if err := s.process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	<-s.process.Done()
	return nil
}

// Pause stops the server's process without ending it, and Resume lets it go on (tests of hangs and elections).
func (s *Server) Pause() error { return s.process.Signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume() error { return s.process.Signal(syscall.SIGCONT) }

// waitUp waits until the server answers.
func (s *Server) waitUp(ctx context.Context) error {
	return s.poll(ctx, "start", func(ctx context.Context, c *mongo.Client) error { return c.Ping(ctx, nil) })
}

// poll repeats an operation on the server until it works, the server ends or ctx does.
func (s *Server) poll(ctx context.Context, what string, op func(context.Context, *mongo.Client) error) error {
	c, err := mongo.Connect(options.Client().ApplyURI(s.URI()).SetServerSelectionTimeout(time.Second))
	if err != nil {
		return fmt.Errorf("mongod: %w", err)
	}
	defer c.Disconnect(context.WithoutCancel(ctx))
	for {
		if err = op(ctx, c); err == nil {
			return nil
		}
		select {
		case <-s.process.Done():
			return fmt.Errorf("mongod: the server ended while it was to %s: %v\n%s", what, s.process.Err(), s.lastLog())
		case <-ctx.Done():
			return fmt.Errorf("mongod: waiting for the server to %s: %w (last: %v)", what, ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Server) lastLog() string {
	if out := s.output.String(); out != "" && !strings.Contains(out, "logpath") {
		return out
	}
	b, err := os.ReadFile(filepath.Join(s.opts.DataDir, "mongod.log"))
	if err != nil {
		return err.Error()
	}
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return string(b)
}

// configure makes the servers the members of one replica set and waits for a primary that accepts writes. A data folder
// that ran on another port before holds a configuration naming that port, which is replaced.
func configure(ctx context.Context, members []*Server) error {
	list := bson.A{}
	for i, m := range members {
		list = append(list, bson.D{{Key: "_id", Value: i}, {Key: "host", Value: fmt.Sprintf("127.0.0.1:%d", m.port)}})
	}
	first := members[0]
	config := bson.D{{Key: "_id", Value: first.opts.ReplicaSet}, {Key: "members", Value: list}}
	if len(members) > 1 {
		config = append(config, bson.E{Key: "settings", Value: bson.D{{Key: "electionTimeoutMillis", Value: 2000}}})
	}
	err := first.poll(ctx, "join its replica set", func(ctx context.Context, c *mongo.Client) error {
		err := c.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetInitiate", Value: config}}).Err()
		var ce mongo.CommandError
		if errors.As(err, &ce) && ce.Code == 23 { // AlreadyInitialized
			return reconfigure(ctx, c, config)
		}
		return err
	})
	if err != nil {
		return err
	}
	return first.poll(ctx, "see a primary", func(ctx context.Context, c *mongo.Client) error {
		var hello struct {
			IsWritablePrimary bool   `bson:"isWritablePrimary"`
			Primary           string `bson:"primary"`
		}
		if err := c.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
			return err
		}
		if !hello.IsWritablePrimary && (len(members) == 1 || hello.Primary == "") {
			return errors.New("no primary yet")
		}
		return nil
	})
}

func reconfigure(ctx context.Context, c *mongo.Client, want bson.D) error {
	admin := c.Database("admin")
	var have struct {
		Config struct {
			Version int `bson:"version"`
			Members []struct {
				Host string `bson:"host"`
			} `bson:"members"`
		} `bson:"config"`
	}
	if err := admin.RunCommand(ctx, bson.D{{Key: "replSetGetConfig", Value: 1}}).Decode(&have); err != nil {
		return err
	}
	list := want[1].Value.(bson.A)
	same := len(list) == len(have.Config.Members)
	for i := 0; same && i < len(list); i++ {
		same = list[i].(bson.D)[1].Value == have.Config.Members[i].Host
	}
	if same {
		return nil
	}
	config := append(bson.D{{Key: "version", Value: have.Config.Version + 1}}, want...)
	return admin.RunCommand(ctx, bson.D{{Key: "replSetReconfig", Value: config}, {Key: "force", Value: true}}).Err()
}

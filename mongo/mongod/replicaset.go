package mongod

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// ReplicaSet is several servers that replicate one another.
type ReplicaSet struct {
	Members []*Server
	name    string
}

// StartReplicaSet runs n servers as one replica set, with data folders below o.DataDir, and waits for a primary.
func StartReplicaSet(ctx context.Context, n int, o Options) (*ReplicaSet, error) {
	if o.ReplicaSet == "" {
		o.ReplicaSet = "pgmongo"
	}
	rs := &ReplicaSet{name: o.ReplicaSet}
	for i := range n {
		m := o
		m.Port = 0
		m.DataDir = filepath.Join(o.DataDir, fmt.Sprintf("member%d", i))
		s, err := launch(ctx, m)
		if err == nil {
			rs.Members = append(rs.Members, s)
			err = s.waitUp(ctx)
		}
		if err != nil {
			return nil, errors.Join(err, rs.Kill())
		}
	}
	if err := configure(ctx, rs.Members); err != nil {
		return nil, errors.Join(err, rs.Kill())
	}
	return rs, nil
}

// URI returns a connection string that names all members.
func (rs *ReplicaSet) URI() string {
	hosts := make([]string, len(rs.Members))
	for i, m := range rs.Members {
		hosts[i] = fmt.Sprintf("127.0.0.1:%d", m.port)
	}
	return fmt.Sprintf("mongodb://%s/?replicaSet=%s", strings.Join(hosts, ","), rs.name)
}

// Stop ends all members in order.
func (rs *ReplicaSet) Stop(ctx context.Context) error {
	var errs []error
	for _, m := range rs.Members {
		errs = append(errs, m.Stop(ctx))
	}
	return errors.Join(errs...)
}

// Kill ends all members at once.
func (rs *ReplicaSet) Kill() error {
	var errs []error
	for _, m := range rs.Members {
		errs = append(errs, m.Kill())
	}
	return errors.Join(errs...)
}

package executor

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// sampler decides TABLESAMPLE for each document: by chance, or with REPEATABLE by a hash of seed and document identity.
// SYSTEM chooses whole blocks in PostgreSQL; there are none here, and it chooses rows like BERNOULLI.
type sampler struct {
	percent, seed scalar
	repeatable    bool

	fraction float64
	seedBits uint64
}

func (b *builder) newSampler(n *planner.Scan) (*sampler, error) {
	if (n.Sample != "bernoulli" && n.Sample != "system") || len(n.SampleArgs) != 1 {
		return nil, pgerr.Unsupported("TABLESAMPLE " + n.Sample)
	}
	s := &sampler{}
	var err error
	if s.percent, err = b.compile(n.SampleArgs[0], nil); err != nil {
		return nil, err
	}
	if n.Repeatable != nil {
		s.repeatable = true
		s.seed, err = b.compile(n.Repeatable, nil)
	}
	return s, err
}

func (s *sampler) open(env *expr.Env) error {
	p, err := s.percent.value(env, nil)
	if err != nil {
		return err
	}
	if p.IsNull() {
		return pgerr.New(pgerr.InvalidTablesampleArgument, "TABLESAMPLE parameter cannot be null")
	}
	if f := p.Float(); !(f >= 0 && f <= 100) {
		return pgerr.New(pgerr.InvalidTablesampleArgument, "sample percentage must be between 0 and 100")
	}
	s.fraction = p.Float() / 100
	if !s.repeatable {
		return nil
	}
	seed, err := s.seed.value(env, nil)
	if err != nil {
		return err
	}
	if seed.IsNull() {
		return pgerr.New(pgerr.InvalidTablesampleRepeat, "TABLESAMPLE REPEATABLE parameter cannot be null")
	}
	s.seedBits = math.Float64bits(seed.Float())
	return nil
}

func (s *sampler) take(doc bson.Raw) bool {
	if !s.repeatable {
		return rand.Float64() < s.fraction
	}
	h := fnv.New64a()
	h.Write([]byte(document.Ctid(doc)))
	return float64(mix(h.Sum64()^s.seedBits)>>11)/(1<<53) < s.fraction
}

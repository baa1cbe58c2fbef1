package expr

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

// Procs is the table of built-in functions, operators, casts and operator classes: PostgreSQL's catalogues joined with
// what pgmongo implements. It is immutable once made; see NewProcs.
type Procs struct {
	byOID     map[uint32]*Proc
	byName    map[procName][]*Proc
	all       []*Proc
	operators map[string][]*Operator
	byOperOID map[uint32]*Operator
	byCode    map[uint32]*Operator
	casts     map[castKey]Cast
	btree     map[uint32][6]*Proc
	hash      map[uint32]*Proc
	// code is what pgmongo knows of the functions of extensions, by their OIDs.
	code map[uint32]*Impl
	// internal is the first function for each name of a symbol (prosrc).
	internal map[string]*Proc
}

type procName struct{ schema, name string }

// Operator is a row of pg_operator. Left is nil for a prefix operator.
type Operator struct {
	OID         uint32
	Schema      string // "" for built-in ones
	Name        string
	Left, Right *types.T
	Result      *types.T
	Proc        *Proc
	Commutator  uint32
	Negator     uint32
	CanHash     bool
}

type castKey struct{ source, target uint32 }

// Cast is a row of pg_cast. Context is 'i', 'a' or 'e'; Method is 'f' function, 'b' binary-coercible or 'i' in/out.
type Cast struct {
	Func    uint32
	Context byte
	Method  byte
}

// typeIO holds the volatility of a type's text input and output, and whether it takes modifiers.
type typeIO struct {
	in, out   byte
	hasTypmod bool
}

// NewProcs joins PostgreSQL's pg_proc with the implementations; it panics on an Impl whose OID and name disagree with the
// dump and on two Impls for one row, which a test catches.
func NewProcs(impls ...[]Impl) *Procs {
	p := &Procs{code: map[uint32]*Impl{}}
	p.loadProcs()
	for _, family := range impls {
		for i := range family {
			p.join(&family[i])
		}
	}
	p.loadOperators()
	p.loadCasts()
	p.loadClasses()
	return p
}

func (p *Procs) join(impl *Impl) {
	if impl.OID >= catalog.FirstExtensionOID {
		p.joinExtension(impl)
		return
	}
	proc := p.byOID[impl.OID]
	if proc == nil || proc.Name != impl.Name {
		panic(fmt.Sprintf("expr: implementation %d %s is not in pg_proc", impl.OID, impl.Name))
	}
	if proc.Impl != nil {
		panic(fmt.Sprintf("expr: two implementations of %d %s", impl.OID, impl.Name))
	}
	proc.Impl = impl
}

func (p *Procs) joinExtension(impl *Impl) {
	if p.code[impl.OID] != nil {
		panic(fmt.Sprintf("expr: two implementations of %d %s", impl.OID, impl.Name))
	}
	p.code[impl.OID] = impl
}

// ByOID returns the function, or nil.
func (p *Procs) ByOID(oid uint32) *Proc { return p.byOID[oid] }

// ByName returns the built-in functions of a schema (pg_catalog or information_schema) with that name.
func (p *Procs) ByName(schema, name string) []*Proc { return p.byName[procName{schema, name}] }

// All returns every built-in function in OID order; it must not be changed.
func (p *Procs) All() []*Proc { return p.all }

// OperatorsByName returns the built-in operators with that name.
func (p *Procs) OperatorsByName(name string) []*Operator { return p.operators[name] }

// OperatorByOID returns the operator, or nil.
func (p *Procs) OperatorByOID(oid uint32) *Operator { return p.byOperOID[oid] }

// OperatorOf returns an operator whose procedure is fn, or nil.
func (p *Procs) OperatorOf(fn *Proc) *Operator {
	if fn == nil {
		return nil
	}
	return p.byCode[fn.OID]
}

// Negator returns the procedure of the operator that negates the one fn belongs to, or nil.
func (p *Procs) Negator(fn *Proc) *Proc {
	if o := p.OperatorOf(fn); o != nil && o.Negator != 0 {
		if n := p.byOperOID[o.Negator]; n != nil {
			return n.Proc
		}
	}
	return nil
}

// Commutator returns the procedure of the operator that is fn's with its operands swapped, or nil.
func (p *Procs) Commutator(fn *Proc) *Proc {
	if o := p.OperatorOf(fn); o != nil && o.Commutator != 0 {
		if n := p.byOperOID[o.Commutator]; n != nil {
			return n.Proc
		}
	}
	return nil
}

// CastBetween returns the pg_cast row of two types.
func (p *Procs) CastBetween(source, target uint32) (Cast, bool) {
	c, ok := p.casts[castKey{source, target}]
	return c, ok
}

// record reads cells of a dumped catalogue by column name.
type record struct {
	t   *facts.Table
	row []string
}

func (r record) str(col string) string { return r.row[r.t.Col(col)] }
func (r record) oid(col string) uint32 {
	n, _ := strconv.ParseUint(r.str(col), 10, 32)
	return uint32(n)
}
func (r record) flag(col string) bool { return r.str(col) == "t" }

func (r record) typ(col string) *types.T { return types.ByOID(r.oid(col)) }

// list splits an oidvector or a one-dimensional array without quoting needs; NULL gives nil.
func (r record) list(col string) []string {
	s := r.str(col)
	if s == facts.Null || s == "" || s == "{}" {
		return nil
	}
	if s[0] == '{' {
		parts := strings.Split(s[1:len(s)-1], ",")
		for i, part := range parts {
			parts[i] = strings.Trim(part, `"`)
		}
		return parts
	}
	return strings.Fields(s)
}

func (r record) typeList(col string) []*types.T {
	cells := r.list(col)
	if cells == nil {
		return nil
	}
	ts := make([]*types.T, len(cells))
	for i, c := range cells {
		n, _ := strconv.ParseUint(c, 10, 32)
		ts[i] = types.ByOID(uint32(n))
	}
	return ts
}

func (p *Procs) loadProcs() {
	t := facts.Load("pg_proc")
	p.byOID = make(map[uint32]*Proc, len(t.Rows))
	p.byName = make(map[procName][]*Proc, len(t.Rows))
	p.internal = make(map[string]*Proc, len(t.Rows))
	for _, row := range t.Rows {
		r := record{t, row}
		fn := &Proc{
			OID: r.oid("oid"), Schema: "pg_catalog", Name: r.str("proname"), Kind: r.str("prokind")[0],
			Args: r.typeList("proargtypes"), ArgNames: r.list("proargnames"), AllArgs: r.typeList("proallargtypes"),
			Variadic: r.typ("provariadic"), Ret: r.typ("prorettype"), RetSet: r.flag("proretset"),
			Strict: r.flag("proisstrict"), Volatility: r.str("provolatile")[0],
		}
		if r.str("pronamespace") != "11" {
			fn.Schema = "information_schema"
		}
		for _, m := range r.list("proargmodes") {
			fn.ArgModes = append(fn.ArgModes, m[0])
		}
		if r.str("pronargdefaults") != "0" {
			fn.Defaults = builtinDefaults(fn.Name)
		}
		p.byOID[fn.OID] = fn
		if p.internal[r.str("prosrc")] == nil {
			p.internal[r.str("prosrc")] = fn
		}
		key := procName{fn.Schema, fn.Name}
		p.byName[key] = append(p.byName[key], fn)
		p.all = append(p.all, fn)
	}
}

// builtinDefaults gives the defaults of pg_proc's functions as SQL text (pg_get_expr of proargdefaults; the dump holds
// them only as node trees).
func builtinDefaults(name string) []string {
	switch name {
	case "jsonb_path_exists", "jsonb_path_exists_tz", "jsonb_path_query", "jsonb_path_query_tz", "jsonb_path_query_array",
		"jsonb_path_query_array_tz", "jsonb_path_query_first", "jsonb_path_query_first_tz", "jsonb_path_match", "jsonb_path_match_tz":
		return []string{"'{}'", "false"}
	case "pg_logical_slot_get_changes", "pg_logical_slot_get_binary_changes", "pg_logical_slot_peek_changes",
		"pg_logical_slot_peek_binary_changes":
		return []string{"'{}'"}
	case "pg_create_physical_replication_slot", "pg_create_logical_replication_slot":
		return []string{"false", "false"}
	case "jsonb_insert", "json_populate_record", "json_populate_recordset", "pg_backup_start":
		return []string{"false"}
	case "parse_ident", "jsonb_set", "pg_backup_stop":
		return []string{"true"}
	case "normalize", "is_normalized":
		return []string{"'NFC'"}
	case "jsonb_set_lax":
		return []string{"true", "'use_json_null'"}
	case "pg_terminate_backend":
		return []string{"0"}
	case "make_interval":
		return []string{"0", "0", "0", "0", "0", "0", "0.0"}
	case "pg_promote":
		return []string{"true", "60"}
	}
	return nil
}

func (p *Procs) loadOperators() {
	t := facts.Load("pg_operator")
	p.operators = make(map[string][]*Operator, len(t.Rows))
	p.byOperOID = make(map[uint32]*Operator, len(t.Rows))
	p.byCode = make(map[uint32]*Operator, len(t.Rows))
	for _, row := range t.Rows {
		r := record{t, row}
		o := &Operator{
			OID: r.oid("oid"), Name: r.str("oprname"), Left: r.typ("oprleft"), Right: r.typ("oprright"), Result: r.typ("oprresult"),
			Commutator: r.oid("oprcom"), Negator: r.oid("oprnegate"), CanHash: r.flag("oprcanhash"),
		}
		o.Proc = p.operatorCode(strings.TrimPrefix(r.str("oprcode"), "pg_catalog."), o)
		p.operators[o.Name] = append(p.operators[o.Name], o)
		p.byOperOID[o.OID] = o
		if _, ok := p.byCode[o.Proc.OID]; !ok {
			p.byCode[o.Proc.OID] = o
		}
	}
}

// operatorCode finds an operator's procedure by name and operand types, because the dump writes oprcode as a bare name.
func (p *Procs) operatorCode(name string, o *Operator) *Proc {
	for _, fn := range p.byName[procName{"pg_catalog", name}] {
		if o.Left == nil && len(fn.Args) == 1 && fn.Args[0] == o.Right ||
			o.Left != nil && len(fn.Args) == 2 && fn.Args[0] == o.Left && fn.Args[1] == o.Right {
			return fn
		}
	}
	panic("expr: no procedure " + name)
}

func (p *Procs) loadCasts() {
	t := facts.Load("pg_cast")
	p.casts = make(map[castKey]Cast, len(t.Rows))
	for _, row := range t.Rows {
		r := record{t, row}
		p.casts[castKey{r.oid("castsource"), r.oid("casttarget")}] = Cast{
			Func: r.oid("castfunc"), Context: r.str("castcontext")[0], Method: r.str("castmethod")[0],
		}
	}
}

// typeIOs is computed once from embedded facts; it never changes.
var typeIOs = sync.OnceValue(func() map[uint32]typeIO {
	volatility := map[string]byte{}
	procs := facts.Load("pg_proc")
	for _, row := range procs.Rows {
		r := record{procs, row}
		volatility[r.str("proname")] = r.str("provolatile")[0]
	}
	t := facts.Load("pg_type")
	out := make(map[uint32]typeIO, len(t.Rows))
	for _, row := range t.Rows {
		r := record{t, row}
		out[r.oid("oid")] = typeIO{
			in: volatility[r.str("typinput")], out: volatility[r.str("typoutput")], hasTypmod: r.str("typmodin") != "-",
		}
	}
	return out
})

// loadClasses notes the operators of each type's default btree and hash operator class.
func (p *Procs) loadClasses() {
	const btree, hash = "403", "405"
	p.btree = map[uint32][6]*Proc{}
	p.hash = map[uint32]*Proc{}
	type member struct {
		family   string
		typ      uint32
		strategy string
	}
	members := map[member]*Proc{}
	t := facts.Load("pg_amop")
	for _, row := range t.Rows {
		r := record{t, row}
		if r.str("amoplefttype") == r.str("amoprighttype") {
			if o := p.byOperOID[r.oid("amopopr")]; o != nil {
				members[member{r.str("amopfamily"), r.oid("amoplefttype"), r.str("amopstrategy")}] = o.Proc
			}
		}
	}
	t = facts.Load("pg_opclass")
	for _, row := range t.Rows {
		r := record{t, row}
		in, family := r.oid("opcintype"), r.str("opcfamily")
		if !r.flag("opcdefault") {
			continue
		}
		switch r.str("opcmethod") {
		case btree:
			var ops [6]*Proc
			for s := 1; s <= 5; s++ {
				ops[s] = members[member{family, in, strconv.Itoa(s)}]
			}
			p.btree[in] = ops
		case hash:
			p.hash[in] = members[member{family, in, "1"}]
		}
	}
}

// Package plpgsql is PL/pgSQL: a parser of the language and an interpreter of its statements. Types and names come from
// the catalogue, and all SQL, down to the expressions, is planned and run by the Host, which is the session.
package plpgsql

import (
	"github.com/pgmongo/pgmongo/types"
)

// Code is a function's body, ready to be interpreted. It belongs to one session: it keeps the plans of its statements.
type Code struct {
	// name is what CONTEXT lines call the function.
	name string
	vars []*variable
	body *block
	// args are the variables of the input arguments, outs those of the OUT, INOUT and TABLE ones.
	args, outs []int
	// found, and for triggers those of newVar and oldVar, are variables; -1 where there are none.
	found, newVar, oldVar int
	ret                   Result
	conflict              conflict
}

// Result says what a function returns.
type Result struct {
	Type    *types.T
	Set     bool
	Trigger bool
	// Procedure is set for procedures and DO, whose body returns no value.
	Procedure bool
	// Fields are the columns of a row result that the caller knows, nil for a scalar or a record of unknown form.
	Fields []types.Field
	// Row says that the result is a row of Fields.
	Row bool
}

type conflict byte

const (
	conflictError conflict = iota
	conflictVariable
	conflictColumn
)

// variable is a declared variable or argument.
type variable struct {
	name     string
	t        *types.T // of a scalar or a named row; types.RecordT for a record
	mod      int32
	row      bool // holds a record
	constant bool
	notNull  bool
	def      *query
	cursor   *cursorDecl
	line     int
}

type cursorDecl struct {
	query    *query
	args     []int // variables
	noScroll bool
}

// query is SQL text in a body, with the names that it can see.
type query struct {
	text string
	kind queryKind
	// lead is where the expression starts in the text of an assignment.
	lead int
	ns   *names
	stmt Statement
	refs []ref
	// types are those that refs had when the plan was made.
	types []refType
	// slow says that the text is not a plain expression.
	slow bool
}

type queryKind byte

const (
	sqlStatement queryKind = iota
	sqlExpression
	sqlAssignment
)

// names is a scope: what was declared innermost comes first.
type names struct {
	up    *names
	label string
	items map[string]int
	// loop marks the label of a loop, which EXIT without a label ends.
	loop bool
	// function marks the outermost scope, whose label is the function's name.
	function bool
}

// find looks a name up, innermost scope first; a label in front selects the scope. rest are the names behind it.
func (n *names) find(path []string) (v int, rest []string, ok bool) {
	for s := n; s != nil; s = s.up {
		if v, ok := s.items[path[0]]; ok {
			return v, path[1:], true
		}
		if len(path) > 1 && s.label == path[0] && s.items != nil {
			if v, ok := s.items[path[1]]; ok {
				return v, path[2:], true
			}
		}
	}
	return 0, nil, false
}

func (n *names) hasLabel(label string) (found, loop bool) {
	for s := n; s != nil; s = s.up {
		if s.label == label && !s.function {
			return true, s.loop
		}
	}
	return false, false
}

func (n *names) inLoop() bool {
	for s := n; s != nil; s = s.up {
		if s.loop {
			return true
		}
	}
	return false
}

// stmt is a statement; its position is for errors.
type stmt interface {
	line() int
	// what the statement is called in CONTEXT lines
	what() string
}

type at int

func (a at) line() int { return int(a) }

type (
	block struct {
		at
		label    string
		vars     []int // declared here
		body     []stmt
		handlers []handler
		// state and errm are the variables SQLSTATE and SQLERRM of the handlers.
		state, errm int
		guarded     bool
	}
	handler struct {
		conds []condition
		body  []stmt
		line  int
	}
	// condition is a name or SQLSTATE of WHEN; others is OTHERS.
	condition struct {
		code   string
		others bool
	}
	assignStmt struct {
		at
		target target
		value  *query
	}
	ifStmt struct {
		at
		arms []arm
		els  []stmt
	}
	arm struct {
		cond *query
		body []stmt
	}
	caseStmt struct {
		at
		value   *query // nil for the searched form
		tmp     int
		arms    []arm
		els     []stmt
		hasElse bool
	}
	loopStmt struct {
		at
		label string
		body  []stmt
	}
	whileStmt struct {
		at
		label string
		cond  *query
		body  []stmt
	}
	forIntStmt struct {
		at
		label        string
		v            int
		from, to, by *query
		reverse      bool
		body         []stmt
	}
	forQueryStmt struct {
		at
		label  string
		target target
		query  *query // nil for EXECUTE
		dyn    *dynamic
		body   []stmt
	}
	forCursorStmt struct {
		at
		label  string
		v      int
		cursor int
		args   *query
		body   []stmt
	}
	foreachStmt struct {
		at
		label  string
		target target
		slice  int
		array  *query
		body   []stmt
	}
	exitStmt struct {
		at
		label string
		cont  bool
		when  *query
	}
	returnStmt struct {
		at
		value *query // nil for none
	}
	returnNextStmt struct {
		at
		value *query
	}
	returnQueryStmt struct {
		at
		query *query
		dyn   *dynamic
	}
	raiseStmt struct {
		at
		level   string
		cond    string // condition name or SQLSTATE code
		format  string
		hasText bool
		params  []*query
		options []raiseOption
		rethrow bool
	}
	raiseOption struct {
		name  string
		value *query
	}
	assertStmt struct {
		at
		cond, message *query
	}
	sqlStmt struct {
		at
		query  *query
		into   *target
		strict bool
	}
	performStmt struct {
		at
		query *query
	}
	callStmt struct {
		at
		query  *query
		isCall bool
	}
	dynamic struct {
		text   *query
		params []*query
	}
	execStmt struct {
		at
		dyn    *dynamic
		into   *target
		strict bool
	}
	diagStmt struct {
		at
		stacked bool
		items   []diagItem
	}
	diagItem struct {
		target target
		item   string
	}
	openStmt struct {
		at
		cursor   int
		query    *query
		dyn      *dynamic
		args     *query
		noScroll bool
	}
	fetchStmt struct {
		at
		cursor    int
		move      bool
		direction Direction
		count     int64
		countExpr *query
		target    *target
	}
	closeStmt struct {
		at
		cursor int
	}
	endStmt struct {
		at
		rollback, chain bool
	}
	nullStmt struct{ at }
)

// target is what INTO and assignments name: one place, or a list of places that a row's columns go to.
type target struct {
	// places has one entry but for a list of variables.
	places []place
	list   bool
}

// place is a variable, or a field or element inside of it.
type place struct {
	v      int
	fields []string
	// subs are the subscripts behind the fields; the assignment is then made of the whole by a query.
	subs []subscript
	name string
}

type subscript struct {
	lower, upper *query // lower nil for a single subscript
	slice        bool
	field        string
}

func (*block) what() string           { return "statement block" }
func (*assignStmt) what() string      { return "assignment" }
func (*ifStmt) what() string          { return "IF" }
func (*caseStmt) what() string        { return "CASE" }
func (*loopStmt) what() string        { return "LOOP" }
func (*whileStmt) what() string       { return "WHILE" }
func (*forIntStmt) what() string      { return "FOR with integer loop variable" }
func (*forCursorStmt) what() string   { return "FOR over cursor" }
func (*foreachStmt) what() string     { return "FOREACH over array" }
func (*returnStmt) what() string      { return "RETURN" }
func (*returnNextStmt) what() string  { return "RETURN NEXT" }
func (*returnQueryStmt) what() string { return "RETURN QUERY" }
func (*raiseStmt) what() string       { return "RAISE" }
func (*assertStmt) what() string      { return "ASSERT" }
func (*sqlStmt) what() string         { return "SQL statement" }
func (*performStmt) what() string     { return "PERFORM" }
func (*execStmt) what() string        { return "EXECUTE" }
func (*openStmt) what() string        { return "OPEN" }
func (*closeStmt) what() string       { return "CLOSE" }
func (*nullStmt) what() string        { return "NULL" }

func (s *forQueryStmt) what() string {
	if s.dyn != nil {
		return "FOR over EXECUTE statement"
	}
	return "FOR over SELECT rows"
}

func (s *exitStmt) what() string {
	if s.cont {
		return "CONTINUE"
	}
	return "EXIT"
}

func (s *callStmt) what() string {
	if s.isCall {
		return "CALL"
	}
	return "DO"
}

func (s *diagStmt) what() string {
	if s.stacked {
		return "GET STACKED DIAGNOSTICS"
	}
	return "GET DIAGNOSTICS"
}

func (s *fetchStmt) what() string {
	if s.move {
		return "MOVE"
	}
	return "FETCH"
}

func (s *endStmt) what() string {
	if s.rollback {
		return "ROLLBACK"
	}
	return "COMMIT"
}

package types

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// pathParser reads a jsonpath by recursive descent; depth says how many array subscripts and filters are open.
type pathParser struct {
	pathLexer
	inSubscript, inFilter int
	depth                 int
}

// maxPathDepth bounds nesting, where PostgreSQL runs into max_stack_depth.
const maxPathDepth = 2000

// ParseJSONPath reads a jsonpath. Errors are 22P02 for an empty text and 42601.
func ParseJSONPath(s string) (*JSONPath, error) {
	p := &pathParser{pathLexer: pathLexer{in: s}}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok == pathEnd {
		return nil, invalidSyntax("jsonpath", s)
	}
	out := &JSONPath{}
	if p.word("strict") || p.word("lax") {
		out.Strict = strings.EqualFold(p.str, "strict")
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok != pathEnd {
		return nil, p.syntax()
	}
	out.Root = n
	return out, nil
}

func inputJSONPath(s string) (Datum, error) {
	p, err := ParseJSONPath(s)
	if err != nil {
		return Null, err
	}
	return Bytes(AppendJSONPath(nil, p)), nil
}

func (p *pathParser) sign(s string) bool { return p.tok == pathSign && p.str == s }

func (p *pathParser) word(s string) bool { return p.tok == pathIdent && strings.EqualFold(p.str, s) }

// take moves past a sign that must be there.
func (p *pathParser) take(s string) error {
	if !p.sign(s) {
		return p.syntax()
	}
	return p.next()
}

// operands checks that a node is a condition, or that it is a value.
func (p *pathParser) want(n *PathNode, predicate bool) error {
	if n.IsPredicate() != predicate {
		return p.syntax()
	}
	return nil
}

func (p *pathParser) or() (*PathNode, error) {
	return p.logical("||", PathOr, func() (*PathNode, error) { return p.logical("&&", PathAnd, p.comparison) })
}

func (p *pathParser) logical(sign string, op PathOp, operand func() (*PathNode, error)) (*PathNode, error) {
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for p.sign(sign) {
		if err := p.want(left, true); err != nil {
			return nil, err
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := operand()
		if err == nil {
			err = p.want(right, true)
		}
		if err != nil {
			return nil, err
		}
		left = &PathNode{Op: op, Left: left, Right: right}
	}
	return left, nil
}

func comparisonOp(s string) (PathOp, bool) {
	for op := PathEqual; op <= PathGreaterEqual; op++ {
		if op.Operator() == s {
			return op, true
		}
	}
	return 0, false
}

func (p *pathParser) comparison() (*PathNode, error) {
	if p.sign("!") {
		if err := p.next(); err != nil {
			return nil, err
		}
		if !p.sign("(") && !p.word("exists") {
			return nil, p.syntax()
		}
		x, err := p.primary()
		if err == nil {
			err = p.want(x, true)
		}
		return &PathNode{Op: PathNot, Left: x}, err
	}
	left, err := p.additive()
	if err != nil {
		return nil, err
	}
	switch {
	case p.tok == pathSign:
		op, ok := comparisonOp(p.str)
		if !ok {
			return left, nil
		}
		if err := p.want(left, false); err != nil {
			return nil, err
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := p.additive()
		if err == nil {
			err = p.want(right, false)
		}
		return &PathNode{Op: op, Left: left, Right: right}, err
	case p.word("starts"):
		return p.startsWith(left)
	case p.word("like_regex"):
		return p.likeRegex(left)
	}
	return left, nil
}

func (p *pathParser) startsWith(left *PathNode) (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.word("with") {
		return nil, p.syntax()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	right := &PathNode{Op: PathString, Str: p.str}
	switch p.tok {
	case pathVar:
		right.Op = PathVariable
	case pathStr:
	default:
		return nil, p.syntax()
	}
	return &PathNode{Op: PathStartsWith, Left: left, Right: right}, p.next()
}

func (p *pathParser) likeRegex(left *PathNode) (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok != pathStr {
		return nil, p.syntax()
	}
	n := &PathNode{Op: PathLikeRegex, Left: left, Str: p.str}
	if err := p.next(); err != nil || !p.word("flag") {
		return n, err
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok != pathStr {
		return nil, p.syntax()
	}
	for _, c := range p.str {
		if !strings.ContainsRune("ismxq", c) {
			return nil, pgerr.New(pgerr.SyntaxError, "invalid input syntax for type jsonpath").
				WithDetail("Unrecognized flag character \"%c\" in LIKE_REGEX predicate.", c)
		}
	}
	for _, c := range "ismxq" {
		if strings.ContainsRune(p.str, c) {
			n.Arg += string(c)
		}
	}
	if strings.Contains(n.Arg, "x") && !strings.Contains(n.Arg, "q") {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "XQuery \"x\" flag (expanded regular expressions) is not implemented")
	}
	return n, p.next()
}

func (p *pathParser) additive() (*PathNode, error) {
	return p.arithmetic([]PathOp{PathAdd, PathSubtract}, func() (*PathNode, error) {
		return p.arithmetic([]PathOp{PathMul, PathDiv, PathMod}, p.unary)
	})
}

func (p *pathParser) arithmetic(ops []PathOp, operand func() (*PathNode, error)) (*PathNode, error) {
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for p.tok == pathSign {
		i := slices.IndexFunc(ops, func(op PathOp) bool { return op.Operator() == p.str })
		if i < 0 {
			break
		}
		if err := p.want(left, false); err != nil {
			return nil, err
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := operand()
		if err == nil {
			err = p.want(right, false)
		}
		if err != nil {
			return nil, err
		}
		left = &PathNode{Op: ops[i], Left: left, Right: right}
	}
	return left, nil
}

func (p *pathParser) unary() (*PathNode, error) {
	op := PathPlus
	switch {
	case p.sign("-"):
		op = PathMinus
	case !p.sign("+"):
		return p.primary()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.depth++; p.depth > maxPathDepth {
		return nil, pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded")
	}
	x, err := p.unary()
	p.depth--
	if err == nil {
		err = p.want(x, false)
	}
	if err != nil {
		return nil, err
	}
	if x.Op == PathNumber && x.Next == nil {
		if op == PathMinus {
			d := *x.Num
			d.Negative = !d.Negative && !d.IsZero()
			x.Num = &d
		}
		return x, nil
	}
	return &PathNode{Op: op, Left: x}, nil
}

// primary reads an operand with the steps that follow it.
func (p *pathParser) primary() (*PathNode, error) {
	if p.depth++; p.depth > maxPathDepth {
		return nil, pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded")
	}
	defer func() { p.depth-- }()
	n, err := p.operand()
	if err != nil {
		return nil, err
	}
	last := n
	for last.Next != nil {
		last = last.Next
	}
	for {
		step, err := p.step()
		if err != nil || step == nil {
			return n, err
		}
		last.Next = step
		last = step
	}
}

func (p *pathParser) operand() (*PathNode, error) {
	n := &PathNode{Str: p.str}
	switch p.tok {
	case pathStr:
		n.Op = PathString
	case pathVar:
		n.Op = PathVariable
	case pathInt, pathNum:
		d, err := ParseNumeric(p.str)
		if err != nil {
			return nil, err
		}
		n.Op, n.Num = PathNumber, d
	case pathIdent:
		switch {
		case p.str == "null":
			n.Op = PathNull
		case p.str == "true", p.str == "false":
			n.Op, n.Bool = PathBool, p.str == "true"
		case p.word("last"):
			if p.inSubscript == 0 {
				return nil, pgerr.New(pgerr.SyntaxError, "LAST is allowed only in array subscripts")
			}
			n.Op = PathLast
		case p.word("exists"):
			return p.exists()
		default:
			return nil, p.syntax()
		}
	case pathSign:
		switch p.str {
		case "$":
			n.Op = PathRoot
		case "@":
			if p.inFilter == 0 {
				return nil, pgerr.New(pgerr.SyntaxError, "@ is not allowed in root expressions")
			}
			n.Op = PathCurrent
		case "(":
			return p.parenthesized()
		default:
			return nil, p.syntax()
		}
	default:
		return nil, p.syntax()
	}
	return n, p.next()
}

func (p *pathParser) exists() (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.take("("); err != nil {
		return nil, err
	}
	x, err := p.additive()
	if err == nil {
		err = p.want(x, false)
	}
	if err == nil {
		err = p.take(")")
	}
	return &PathNode{Op: PathExists, Left: x}, err
}

func (p *pathParser) parenthesized() (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	x, err := p.or()
	if err == nil {
		err = p.take(")")
	}
	if err != nil || !x.IsPredicate() || !p.word("is") {
		return x, err
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.word("unknown") {
		return nil, p.syntax()
	}
	return &PathNode{Op: PathIsUnknown, Left: x}, p.next()
}

// step reads an accessor, nil if there is none.
func (p *pathParser) step() (*PathNode, error) {
	switch {
	case p.sign("."):
		return p.dot()
	case p.sign("["):
		return p.subscripts()
	case p.sign("?"):
		if err := p.next(); err != nil {
			return nil, err
		}
		if err := p.take("("); err != nil {
			return nil, err
		}
		p.inFilter++
		x, err := p.or()
		p.inFilter--
		if err == nil {
			err = p.want(x, true)
		}
		if err == nil {
			err = p.take(")")
		}
		return &PathNode{Op: PathFilter, Left: x}, err
	}
	return nil, nil
}

func (p *pathParser) dot() (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	switch {
	case p.sign("*"):
		return &PathNode{Op: PathAnyKey}, p.next()
	case p.sign("**"):
		return p.levels()
	case p.tok == pathStr:
		n := &PathNode{Op: PathKey, Str: p.str}
		return n, p.next()
	case p.tok != pathIdent:
		return nil, p.syntax()
	}
	n := &PathNode{Op: PathKey, Str: p.str}
	if err := p.next(); err != nil || !p.sign("(") {
		return n, err
	}
	n.Op, n.Str = PathMethod, strings.ToLower(n.Str)
	switch n.Str {
	case "abs", "size", "type", "floor", "ceiling", "double", "keyvalue", "datetime":
	default:
		return nil, p.syntax()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if n.Str == "datetime" && p.tok == pathStr {
		n.Arg, n.HasArg = p.str, true
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return n, p.take(")")
}

// levels reads the bounds of .** in braces.
func (p *pathParser) levels() (*PathNode, error) {
	n := &PathNode{Op: PathAny, To: PathNoLimit}
	if err := p.next(); err != nil || !p.sign("{") {
		return n, err
	}
	level := func() (uint32, error) {
		if err := p.next(); err != nil {
			return 0, err
		}
		if p.word("last") {
			return PathNoLimit, p.next()
		}
		v, err := strconv.ParseUint(p.str, 10, 31)
		if p.tok != pathInt || err != nil {
			return 0, p.syntax()
		}
		return uint32(v), p.next()
	}
	var err error
	if n.From, err = level(); err != nil {
		return nil, err
	}
	n.To = n.From
	if p.word("to") {
		if n.To, err = level(); err != nil {
			return nil, err
		}
	}
	return n, p.take("}")
}

func (p *pathParser) subscripts() (*PathNode, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.sign("*") {
		if err := p.next(); err != nil {
			return nil, err
		}
		return &PathNode{Op: PathAnyElem}, p.take("]")
	}
	n := &PathNode{Op: PathIndex}
	p.inSubscript++
	defer func() { p.inSubscript-- }()
	for {
		from, err := p.additive()
		if err == nil {
			err = p.want(from, false)
		}
		if err != nil {
			return nil, err
		}
		s := PathSub{From: from}
		if p.word("to") {
			if err := p.next(); err != nil {
				return nil, err
			}
			if s.To, err = p.additive(); err == nil {
				err = p.want(s.To, false)
			}
			if err != nil {
				return nil, err
			}
		}
		n.Subs = append(n.Subs, s)
		if !p.sign(",") {
			return n, p.take("]")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

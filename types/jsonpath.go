package types

import (
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// PathOp is the kind of a step or operator of a jsonpath.
type PathOp uint8

// The kinds of a PathNode.
const (
	PathNull PathOp = iota
	PathString
	PathNumber
	PathBool
	PathRoot     // $
	PathCurrent  // @
	PathLast     // last
	PathVariable // $name
	PathKey      // .name
	PathAnyKey   // .*
	PathAnyElem  // [*]
	PathIndex    // [a, b to c]
	PathAny      // .**{a to b}
	PathFilter   // ?(...)
	PathMethod   // .size()
	PathOr
	PathAnd
	PathNot
	PathIsUnknown
	PathExists
	PathEqual
	PathNotEqual
	PathLess
	PathLessEqual
	PathGreater
	PathGreaterEqual
	PathStartsWith
	PathLikeRegex
	PathAdd
	PathSubtract
	PathMul
	PathDiv
	PathMod
	PathPlus
	PathMinus
)

// PathNoLimit is "last" as a level of .**.
const PathNoLimit = math.MaxUint32

// PathNode is a step of a jsonpath, or an operator over others; Next is the step that follows.
type PathNode struct {
	Op          PathOp
	Str         string // a string's value; the name of a key, variable or method; the pattern of like_regex
	Arg         string // the template of .datetime(); the flags of like_regex
	HasArg      bool
	Bool        bool
	Num         *apd.Decimal
	Left, Right *PathNode
	Subs        []PathSub // of PathIndex
	From, To    uint32    // of PathAny
	Next        *PathNode
}

// PathSub is one subscript; To is nil for a single one.
type PathSub struct{ From, To *PathNode }

// JSONPath is a parsed jsonpath.
type JSONPath struct {
	Strict bool
	Root   *PathNode
}

// IsPredicate reports whether the node is a condition, and not a value.
func (n *PathNode) IsPredicate() bool {
	return n.Next == nil && n.Op >= PathOr && n.Op <= PathLikeRegex
}

// Operator returns the sign of an operator, "" for other nodes.
func (op PathOp) Operator() string {
	switch op {
	case PathOr:
		return "||"
	case PathAnd:
		return "&&"
	case PathEqual:
		return "=="
	case PathNotEqual:
		return "!="
	case PathLess:
		return "<"
	case PathLessEqual:
		return "<="
	case PathGreater:
		return ">"
	case PathGreaterEqual:
		return ">="
	case PathAdd, PathPlus:
		return "+"
	case PathSubtract, PathMinus:
		return "-"
	case PathMul:
		return "*"
	case PathDiv:
		return "/"
	case PathMod:
		return "%"
	case PathStartsWith:
		return "starts with"
	}
	return ""
}

func (op PathOp) priority() int {
	switch op {
	case PathOr:
		return 0
	case PathAnd:
		return 1
	case PathEqual, PathNotEqual, PathLess, PathLessEqual, PathGreater, PathGreaterEqual, PathStartsWith:
		return 2
	case PathAdd, PathSubtract:
		return 3
	case PathMul, PathDiv, PathMod:
		return 4
	case PathPlus, PathMinus:
		return 5
	}
	return 6
}

// AppendJSONPath appends the canonical text.
func AppendJSONPath(dst []byte, p *JSONPath) []byte {
	if p.Strict {
		dst = append(dst, "strict "...)
	}
	return appendPathNode(dst, p.Root, false, true)
}

func appendPathNode(dst []byte, n *PathNode, inKey, brackets bool) []byte {
	child := func(c *PathNode) { dst = appendPathNode(dst, c, false, c.Op.priority() <= n.Op.priority()) }
	paren := brackets || n.Next != nil
	switch n.Op {
	case PathNull:
		dst = append(dst, "null"...)
	case PathString:
		dst = AppendJSONString(dst, n.Str)
	case PathNumber:
		if n.Next != nil {
			dst = append(AppendNumeric(append(dst, '('), n.Num), ')')
		} else {
			dst = AppendNumeric(dst, n.Num)
		}
	case PathBool:
		dst = strconv.AppendBool(dst, n.Bool)
	case PathRoot:
		dst = append(dst, '$')
	case PathCurrent:
		dst = append(dst, '@')
	case PathLast:
		dst = append(dst, "last"...)
	case PathVariable:
		dst = AppendJSONString(append(dst, '$'), n.Str)
	case PathKey:
		if inKey {
			dst = append(dst, '.')
		}
		dst = AppendJSONString(dst, n.Str)
	case PathAnyKey:
		dst = append(dst, ".*"...)
	case PathAnyElem:
		dst = append(dst, "[*]"...)
	case PathIndex:
		dst = append(dst, '[')
		for i, s := range n.Subs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendPathNode(dst, s.From, false, false)
			if s.To != nil {
				dst = appendPathNode(append(dst, " to "...), s.To, false, false)
			}
		}
		dst = append(dst, ']')
	case PathAny:
		dst = appendPathLevels(dst, n)
	case PathFilter:
		dst = append(appendPathNode(append(dst, "?("...), n.Left, false, false), ')')
	case PathMethod:
		dst = append(append(append(dst, '.'), n.Str...), '(')
		if n.HasArg {
			dst = AppendJSONString(dst, n.Arg)
		}
		dst = append(dst, ')')
	case PathNot:
		dst = append(appendPathNode(append(dst, "!("...), n.Left, false, false), ')')
	case PathIsUnknown:
		dst = append(appendPathNode(append(dst, '('), n.Left, false, false), ") is unknown"...)
	case PathExists:
		dst = append(appendPathNode(append(dst, "exists ("...), n.Left, false, false), ')')
	default:
		if paren {
			dst = append(dst, '(')
		}
		switch n.Op {
		case PathPlus, PathMinus:
			dst = append(dst, n.Op.Operator()...)
			child(n.Left)
		case PathLikeRegex:
			child(n.Left)
			dst = AppendJSONString(append(dst, " like_regex "...), n.Str)
			if n.Arg != "" {
				dst = append(append(append(dst, ` flag "`...), n.Arg...), '"')
			}
		default:
			child(n.Left)
			dst = append(append(append(dst, ' '), n.Op.Operator()...), ' ')
			child(n.Right)
		}
		if paren {
			dst = append(dst, ')')
		}
	}
	if n.Next != nil {
		dst = appendPathNode(dst, n.Next, true, true)
	}
	return dst
}

func appendPathLevels(dst []byte, n *PathNode) []byte {
	level := func(l uint32) {
		if l == PathNoLimit {
			dst = append(dst, "last"...)
			return
		}
		dst = strconv.AppendUint(dst, uint64(l), 10)
	}
	dst = append(dst, ".**"...)
	if n.From == 0 && n.To == PathNoLimit {
		return dst
	}
	dst = append(dst, '{')
	level(n.From)
	if n.From != n.To {
		dst = append(dst, " to "...)
		level(n.To)
	}
	return append(dst, '}')
}

// Package sql is the facade over the parser: PostgreSQL's own grammar, as a library. One syntax tree is used from here to
// the binder; nothing converts it into a second one.
package sql

import (
	"errors"
	"strings"
	"unicode/utf8"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"github.com/pganalyze/pg_query_go/v6/parser"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Statement is one statement of a query string.
type Statement struct {
	Node *pg_query.Node
	// Text is the statement's own text; node locations count bytes from the start of Source.
	Text string
	// Source is the whole query string that the statement was parsed from, Start the statement's byte offset in it.
	Source string
	Start  int
}

// Parse splits a query string into statements. Errors are 42601 with the byte offset of the token.
func Parse(query string) ([]Statement, error) {
	tree, err := pg_query.Parse(query)
	if err != nil {
		return nil, parseError(err, query)
	}
	stmts := make([]Statement, 0, len(tree.Stmts))
	for _, raw := range tree.Stmts {
		start, end := int(raw.StmtLocation), len(query)
		if raw.StmtLen > 0 {
			end = start + int(raw.StmtLen)
		}
		stmts = append(stmts, Statement{Node: raw.Stmt, Text: query[start:end], Source: query, Start: start})
	}
	return stmts, nil
}

// ParseBody splits an SQL-standard body of a function (RETURN expression, BEGIN ATOMIC ... END) into statements; RETURN
// becomes SELECT.
func ParseBody(body string) ([]Statement, error) {
	const prefix = "CREATE FUNCTION f() LANGUAGE sql "
	defs, err := Parse(prefix + body)
	if err != nil {
		return nil, err
	}
	var out []Statement
	var add func(n *pg_query.Node)
	add = func(n *pg_query.Node) {
		switch {
		case n.GetList() != nil:
			for _, i := range n.GetList().Items {
				add(i)
			}
			return
		case n == nil || n.Node == nil: // an empty statement
			return
		case n.GetReturnStmt() != nil:
			target := &pg_query.ResTarget{Val: n.GetReturnStmt().Returnval}
			n = &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: &pg_query.SelectStmt{
				LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE,
				TargetList: []*pg_query.Node{{Node: &pg_query.Node_ResTarget{ResTarget: target}}},
			}}}
		}
		out = append(out, Statement{Node: n, Text: body, Source: defs[0].Source})
	}
	add(defs[0].Node.GetCreateFunctionStmt().GetSqlBody())
	return out, nil
}

// ParseExpr parses a scalar expression. Locations count from the start of text.
func ParseExpr(text string) (*pg_query.Node, error) {
	const prefix = "SELECT "
	stmts, err := Parse(prefix + text)
	if err != nil {
		return nil, err
	}
	if len(stmts) != 1 || len(stmts[0].Node.GetSelectStmt().GetTargetList()) != 1 {
		return nil, pgerr.New(pgerr.SyntaxError, "syntax error in expression %q", text)
	}
	return stmts[0].Node.GetSelectStmt().TargetList[0].GetResTarget().Val, nil
}

// ParseTypeName parses a type name such as "character varying(10)[]".
func ParseTypeName(text string) (*pg_query.TypeName, error) {
	node, err := ParseExpr("NULL::" + text)
	if err != nil || node.GetTypeCast() == nil {
		return nil, pgerr.New(pgerr.SyntaxError, "invalid type name \"%s\"", text)
	}
	return node.GetTypeCast().TypeName, nil
}

// Fingerprint identifies a statement's shape, constants left out.
func Fingerprint(query string) (string, error) {
	fp, err := pg_query.Fingerprint(query)
	if err != nil {
		return "", parseError(err, query)
	}
	return fp, nil
}

// Normalize replaces the constants of a query by $1, $2 ...
func Normalize(query string) (string, error) {
	n, err := pg_query.Normalize(query)
	if err != nil {
		return "", parseError(err, query)
	}
	return n, nil
}

// grammarErrors are the errors of the grammar with another SQLSTATE than 42601, by words of their messages: the parser
// hands on no SQLSTATE.
var grammarErrors = []struct {
	words string
	code  pgerr.Code
}{
	{"frame start", pgerr.WindowingError},
	{"frame end", pgerr.WindowingError},
	{"frame starting from", pgerr.WindowingError},
	{"precision for type float must be", pgerr.InvalidParameterValue},
	{"constraints cannot be marked", pgerr.FeatureNotSupported},
	{"is only supported for ON DELETE actions", pgerr.FeatureNotSupported},
	{"is no longer supported", pgerr.FeatureNotSupported},
	{"not yet implemented", pgerr.FeatureNotSupported},
	{"cannot include schema elements", pgerr.FeatureNotSupported},
	{"WITH CHECK OPTION not supported", pgerr.FeatureNotSupported},
	{"aggregates cannot have", pgerr.FeatureNotSupported},
}

func parseError(err error, query string) error {
	var pe *parser.Error
	if !errors.As(err, &pe) {
		return pgerr.New(pgerr.SyntaxError, "%w", err)
	}
	e := pgerr.New(pgerr.SyntaxError, "%s", pe.Message)
	for _, k := range grammarErrors {
		if strings.Contains(pe.Message, k.words) {
			e.Code = k.code
		}
	}
	if pe.Message == "invalid Unicode escape" {
		e.Hint = "Unicode escapes must be \\XXXX or \\+XXXXXX."
		if at := []rune(query)[min(pe.Cursorpos, utf8.RuneCountInString(query)):]; len(at) > 0 && (at[0] == 'u' || at[0] == 'U') { // in E'...'
			e.Code, e.Hint = pgerr.InvalidEscapeSequence, "Unicode escapes must be \\uXXXX or \\UXXXXXXXX."
		}
	}
	if pe.Cursorpos > 0 {
		e.Position = pe.Cursorpos // 1-based, in characters
	}
	return e
}

// IsFunctionCall reports whether the text of an expression is a call, which an index definition shows without parentheses of
// its own.
func IsFunctionCall(text string) bool {
	n, err := ParseExpr(text)
	if err != nil {
		return false
	}
	return n.GetFuncCall() != nil || n.GetCoalesceExpr() != nil || n.GetMinMaxExpr() != nil || n.GetSqlvalueFunction() != nil || strings.HasPrefix(text, "NULLIF(")
}

// Scan splits a text into tokens with their byte offsets, comments included. Errors are 42601.
func Scan(text string) ([]*pg_query.ScanToken, error) {
	r, err := pg_query.Scan(text)
	if err != nil {
		return nil, parseError(err, text)
	}
	return r.Tokens, nil
}

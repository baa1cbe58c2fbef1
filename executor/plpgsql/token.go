package plpgsql

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// token is one token of a body, as PostgreSQL's scanner sees it. PL/pgSQL's own keywords are words like any other there.
type token struct {
	kind  tokenKind
	text  string // folded for words, without quotes for strings and quoted names, else as written
	start int    // byte offsets in the body
	end   int
	// quoted words are never keywords.
	quoted bool
}

type tokenKind byte

const (
	tokEnd tokenKind = iota
	tokWord
	tokString
	tokNumber
	tokParam
	tokOther
)

// scan splits a body into tokens.
func scan(body string) ([]token, error) {
	r, err := sql.Scan(body)
	if err != nil {
		return nil, err
	}
	out := make([]token, 0, len(r)+1)
	for _, t := range r {
		text := body[t.Start:t.End]
		k := token{kind: tokOther, text: text, start: int(t.Start), end: int(t.End)}
		switch t.Token {
		case pg_query.Token_SQL_COMMENT, pg_query.Token_C_COMMENT:
			continue
		case pg_query.Token_SCONST, pg_query.Token_USCONST:
			k.kind = tokString
			if k.text, err = literalText(text); err != nil {
				return nil, err
			}
		case pg_query.Token_ICONST, pg_query.Token_FCONST:
			k.kind = tokNumber
		case pg_query.Token_PARAM:
			k.kind = tokParam
		case pg_query.Token_IDENT, pg_query.Token_UIDENT:
			k.kind = tokWord
			k.text, k.quoted = unquoteName(text)
		default:
			if t.KeywordKind != pg_query.KeywordKind_NO_KEYWORD {
				k.kind, k.text = tokWord, strings.ToLower(text)
			}
		}
		out = append(out, k)
	}
	return append(out, token{kind: tokEnd, start: len(body), end: len(body)}), nil
}

func unquoteName(text string) (string, bool) {
	if text[0] == '"' {
		return strings.ReplaceAll(text[1:len(text)-1], `""`, `"`), true
	}
	return strings.ToLower(text), false
}

// literalText is the value of a string literal in any of its forms.
func literalText(text string) (string, error) {
	if text[0] == '\'' && !strings.Contains(text[1:len(text)-1], "'") {
		return text[1 : len(text)-1], nil
	}
	n, err := sql.ParseExpr(text)
	if err != nil {
		return "", err
	}
	if c := n.GetAConst(); c != nil {
		return c.GetSval().GetSval(), nil
	}
	return "", pgerr.New(pgerr.SyntaxError, "invalid string literal")
}

// reserved are the words that end an expression or cannot name a variable.
func reserved(word string) bool {
	switch word {
	case "all", "begin", "by", "case", "declare", "else", "end", "execute", "for", "foreach", "from", "if", "in", "into",
		"loop", "not", "null", "or", "strict", "then", "to", "using", "when", "while":
		return true
	}
	return false
}

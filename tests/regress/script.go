// Package regress runs SQL scripts statement by statement on the built server and on a real PostgreSQL, and compares all
// that a client sees of each: rows, columns, command tag, notices, and every field of the error.
package regress

import (
	"strings"
)

// Script reads statements out of a psql script as psql does: by its quotes, comments and parentheses, with its variables
// put in. Meta-commands that change what is sent (\set, \g, \gset, \c) are obeyed, the rest are left out.
type Script struct {
	text string
	pos  int
	line int
	vars map[string]string
}

// Statement is what a script sends at once.
type Statement struct {
	Line int
	SQL  string
	// Prefix is of the variables that \gset makes of the row; Gset says whether there is one.
	Prefix string
	Gset   bool
	// Connect is \c: a new session, of the user if it is not empty.
	Connect bool
	User    string
}

// NewScript returns a script over a file's text.
func NewScript(text string) *Script {
	return &Script{text: text, line: 1, vars: map[string]string{"abs_srcdir": "/regress", "abs_builddir": "/regress", "libdir": "/regress", "dlsuffix": ".so"}}
}

// Set gives a variable a value.
func (s *Script) Set(name, value string) { s.vars[name] = value }

// Next returns the next statement; ok is false at the end.
func (s *Script) Next() (st Statement, ok bool) {
	var sql strings.Builder
	depth, begins := 0, 0
	var words []string
	start := 0
	add := func(text string) {
		if start == 0 && strings.TrimSpace(text) != "" {
			start = s.line
		}
		s.line += strings.Count(text, "\n")
		sql.WriteString(text)
	}
	for s.pos < len(s.text) {
		rest := s.text[s.pos:]
		switch c := rest[0]; {
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			s.pos += n
		case strings.HasPrefix(rest, "/*"):
			n := comment(rest)
			if start != 0 {
				add(rest[:n])
			} else {
				s.line += strings.Count(rest[:n], "\n")
			}
			s.pos += n
		case c == '\'' || c == '"':
			n := quoted(rest, c, c == '\'' && escapes(s.text[:s.pos]))
			add(rest[:n])
			s.pos += n
		case c == '$':
			n := dollar(rest)
			add(rest[:n])
			s.pos += n
		case c == ':':
			text, n := s.variable(rest)
			if start == 0 {
				start = s.line
			}
			sql.WriteString(text)
			s.pos += n
		case c == '(' || c == ')':
			if c == '(' {
				depth++
			} else if depth > 0 {
				depth--
			}
			add(rest[:1])
			s.pos++
		case c == ';' && depth == 0 && begins == 0:
			s.pos++
			if text := strings.TrimSpace(sql.String()); text != "" {
				return Statement{Line: start, SQL: text + ";"}, true
			}
			sql.Reset()
			start, words = 0, nil
		case strings.HasPrefix(rest, `\;`):
			add(";")
			s.pos += 2
		case c == '\\':
			st, done := s.command(strings.TrimSpace(sql.String()), start)
			if done {
				return st, true
			}
			if st.SQL == "" {
				sql.Reset()
				start, words, depth, begins = 0, nil, 0, 0
			}
		case letter(c):
			n := 1
			for n < len(rest) && (letter(rest[n]) || rest[n] >= '0' && rest[n] <= '9' || rest[n] == '$') {
				n++
			}
			words = append(words, strings.ToLower(rest[:n]))
			begins += atomic(words, begins)
			add(rest[:n])
			s.pos += n
		default:
			if start != 0 || strings.TrimSpace(rest[:1]) != "" {
				add(rest[:1])
			} else {
				s.line += strings.Count(rest[:1], "\n")
			}
			s.pos++
		}
	}
	if text := strings.TrimSpace(sql.String()); text != "" {
		return Statement{Line: start, SQL: text}, true
	}
	return Statement{}, false
}

// atomic is how the last word changes the nesting of BEGIN ATOMIC and CASE ... END in CREATE FUNCTION and PROCEDURE, whose
// semicolons do not end it.
func atomic(words []string, begins int) int {
	first := words[:min(len(words), 4)]
	if first[0] != "create" || !contains(first, "function") && !contains(first, "procedure") {
		return 0
	}
	switch last := words[len(words)-1]; {
	case last == "begin" || last == "case" && begins > 0:
		return 1
	case last == "end" && begins > 0:
		return -1
	}
	return 0
}

func contains(words []string, w string) bool {
	for _, x := range words {
		if x == w {
			return true
		}
	}
	return false
}

// CopyData returns the lines up to \. and moves behind it.
func (s *Script) CopyData() []byte {
	rest := s.text[s.pos:]
	if n := strings.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[n+1:]
	} else {
		rest = ""
	}
	end := strings.Index("\n"+rest, "\n\\.\n")
	if end < 0 {
		end = len(rest)
	}
	data := rest[:end]
	skipped := min(len(s.text), len(s.text)-len(rest)+end+len("\\.\n"))
	s.line += strings.Count(s.text[s.pos:skipped], "\n")
	s.pos = skipped
	return []byte(data)
}

// command obeys the meta-command at the position. With a statement before it, done says that the command sends it; without
// done, an empty SQL means that what was read so far is dropped.
func (s *Script) command(before string, start int) (st Statement, done bool) {
	rest := s.text[s.pos:]
	n := strings.IndexByte(rest, '\n')
	if n < 0 {
		n = len(rest)
	}
	line := rest[:n]
	name := line[:len(line)-len(strings.TrimLeft(line[1:], "abcdefghijklmnopqrstuvwxyzSE+!?."))]
	args := strings.TrimSpace(line[len(name):])
	// A second meta-command on the line stands for itself.
	if next := strings.Index(args, `\`); next >= 0 && name != `\echo` && !strings.Contains(args[:next], "'") {
		n = strings.Index(rest[len(name):], `\`) + len(name)
		args = strings.TrimSpace(rest[len(name):n])
	}
	s.pos += n
	send := Statement{Line: start, SQL: before}
	switch name {
	case `\g`, `\gx`, `\gdesc`, `\crosstabview`, `\gexec`:
		return send, before != ""
	case `\gset`:
		send.Gset, send.Prefix = true, args
		return send, before != ""
	case `\set`:
		variable, value, _ := strings.Cut(args, " ")
		s.vars[variable] = s.value(value)
	case `\unset`:
		delete(s.vars, args)
	case `\c`, `\connect`:
		f := strings.Fields(args)
		user := ""
		if len(f) > 1 && f[1] != "-" {
			user = strings.Trim(f[1], `"`)
		}
		return Statement{Line: s.line, SQL: line, Connect: true, User: user}, true
	case `\copy`:
		if strings.Contains(strings.ToLower(line), "from stdin") {
			s.CopyData()
		}
	case `\r`:
		return Statement{}, false
	}
	return Statement{SQL: before + " "}, false
}

// value is the concatenation of \set's arguments.
func (s *Script) value(args string) string {
	var out strings.Builder
	for args = strings.TrimSpace(args); args != ""; {
		switch {
		case args[0] == '\'':
			n := quoted(args, '\'', true)
			out.WriteString(strings.NewReplacer("''", "'", `\\`, `\`, `\n`, "\n").Replace(args[1 : n-1]))
			args = args[n:]
		case args[0] == ':':
			text, n := s.variable(args)
			out.WriteString(text)
			args = args[n:]
		case args[0] == ' ':
			args = args[1:]
		default:
			n := strings.IndexAny(args, " ':")
			if n < 0 {
				n = len(args)
			}
			out.WriteString(args[:n])
			args = args[n:]
		}
	}
	return out.String()
}

// variable is what stands for :name, :'name' and :"name" at the start of the text, and how many bytes it replaces.
func (s *Script) variable(text string) (string, int) {
	if strings.HasPrefix(text, "::") || strings.HasPrefix(text, ":=") || len(text) < 2 {
		n := min(2, len(text))
		return text[:n], n
	}
	quote := byte(0)
	at := 1
	if text[1] == '\'' || text[1] == '"' {
		quote, at = text[1], 2
	}
	n := at
	for n < len(text) && (letter(text[n]) || text[n] >= '0' && text[n] <= '9') {
		n++
	}
	value, known := s.vars[text[at:n]]
	if !known || quote != 0 && (n == len(text) || text[n] != quote) {
		return text[:1], 1
	}
	switch quote {
	case '\'':
		return "'" + strings.ReplaceAll(value, "'", "''") + "'", n + 1
	case '"':
		return `"` + strings.ReplaceAll(value, `"`, `""`) + `"`, n + 1
	}
	return value, n
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }

// escapes says whether a quote after this text opens E'...'.
func escapes(before string) bool {
	n := len(before)
	return n > 0 && before[n-1]|0x20 == 'e' && (n == 1 || !letter(before[n-2]) && (before[n-2] < '0' || before[n-2] > '9'))
}

// quoted is the length of the quoted text that starts here.
func quoted(text string, quote byte, backslash bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case backslash && text[i] == '\\':
			i++
		case text[i] == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

// dollar is the length of the dollar-quoted text that starts here, 1 when none does.
func dollar(text string) int {
	n := 1
	for n < len(text) && (letter(text[n]) || n > 1 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	if n == len(text) || text[n] != '$' {
		return 1
	}
	tag := text[:n+1]
	end := strings.Index(text[n+1:], tag)
	if end < 0 {
		return len(text)
	}
	return n + 1 + end + len(tag)
}

// comment is the length of the block comment, nested ones included, that starts here.
func comment(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(text[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

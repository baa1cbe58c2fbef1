package fn

import (
	"slices"
	"strings"
	"sync"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/tamil"
	"github.com/blevesearch/snowballstem/turkish"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// stemmers are the Snowball stemmers by language.
var stemmers = map[string]func(*snowballstem.Env) bool{
	"arabic":     arabic.Stem,
	"danish":     danish.Stem,
	"dutch":      dutch.Stem,
	"english":    english.Stem,
	"finnish":    finnish.Stem,
	"french":     french.Stem,
	"german":     german.Stem,
	"hungarian":  hungarian.Stem,
	"irish":      irish.Stem,
	"italian":    italian.Stem,
	"norwegian":  norwegian.Stem,
	"portuguese": portuguese.Stem,
	"romanian":   romanian.Stem,
	"russian":    russian.Stem,
	"spanish":    spanish.Stem,
	"swedish":    swedish.Stem,
	"tamil":      tamil.Stem,
	"turkish":    turkish.Stem,
}

// stopWords are the words of each language that no index keeps.
var stopWords = sync.OnceValue(func() map[string]map[string]bool {
	f := facts.Load("ts_stopwords")
	m := map[string]map[string]bool{}
	for _, r := range f.Rows {
		if m[r[0]] == nil {
			m[r[0]] = map[string]bool{}
		}
		m[r[0]][r[1]] = true
	}
	return m
})

// maxLexeme is the greatest length of a lexeme in bytes.
const maxLexeme = 2046

// textConfig is a text search configuration: simple, or that of a language. ascii is what words of ASCII letters go to where
// it is not the same: Russian texts have English words in them.
type textConfig struct {
	dict, ascii *textDict
}

// textDict stems the words of a language, unless they are stop words.
type textDict struct {
	stem  func(*snowballstem.Env) bool
	stops map[string]bool
	cache map[string]string
}

func newTextDict(language string) *textDict {
	return &textDict{stem: stemmers[language], stops: stopWords()[language], cache: map[string]string{}}
}

// lexeme returns what a word in lower case is indexed as, "" for a stop word.
func (d *textDict) lexeme(w string) string {
	if d.stops[w] {
		return ""
	}
	if s, ok := d.cache[w]; ok {
		return s
	}
	e := snowballstem.NewEnv(w)
	d.stem(e)
	if len(d.cache) < 10000 {
		d.cache[w] = e.Current()
	}
	return e.Current()
}

// textConfigs finds configurations for one call and keeps the last.
type textConfigs struct {
	name string
	last *textConfig
}

// byOID returns the configuration that a regconfig names.
func (c *textConfigs) byOID(oid int64) (*textConfig, error) {
	t := facts.Load("pg_ts_config")
	id, name := t.Col("oid"), t.Col("cfgname")
	want := string(types.Output(types.DefaultIO(), types.OidT, nil, types.Int(oid)))
	for _, r := range t.Rows {
		if r[id] == want {
			return c.byName(r[name])
		}
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "cache lookup failed for text search configuration %d", oid)
}

func (c *textConfigs) byName(name string) (*textConfig, error) {
	name = strings.TrimPrefix(name, "pg_catalog.")
	if c.last != nil && c.name == name {
		return c.last, nil
	}
	cfg := &textConfig{}
	if name != "simple" {
		if stemmers[name] == nil {
			return nil, pgerr.Unsupported("text search configuration \"" + name + "\"")
		}
		cfg.dict = newTextDict(name)
		if cfg.ascii = cfg.dict; name == "russian" {
			cfg.ascii = newTextDict("english")
		}
	}
	c.name, c.last = name, cfg
	return cfg, nil
}

// current is the configuration of the setting default_text_search_config.
func (c *textConfigs) current(env *expr.Env) (*textConfig, error) {
	name := "english"
	if env.Session != nil {
		v, ok, err := env.Session.Setting("default_text_search_config", true)
		if err != nil {
			return nil, err
		}
		if ok && v != "" {
			name = v
		}
	}
	return c.byName(name)
}

// pick takes a regconfig from the front of the arguments if there is one, and gives the others.
func (c *textConfigs) pick(env *expr.Env, args []datum, given bool) (*textConfig, []datum, error) {
	if given {
		cfg, err := c.byOID(args[0].Int())
		return cfg, args[1:], err
	}
	cfg, err := c.current(env)
	return cfg, args, err
}

// lexeme is what the configuration's dictionary makes of a token; "" for a stop word.
func (c *textConfig) lexeme(t tsToken) string {
	w := strings.ToLower(t.text)
	switch {
	case c.dict == nil || !t.word:
		return w
	case asciiOnly(w):
		return c.ascii.lexeme(w)
	}
	return c.dict.lexeme(w)
}

// placed is a lexeme and its position in the text, counted from 1.
type placed struct {
	word string
	pos  int
}

// lexemes are those of a text; the last position is given too, since stop words at the end count.
func (c *textConfig) lexemes(s string, from int) (out []placed, last int, err error) {
	tokens, err := parseText(s)
	if err != nil {
		return nil, from, err
	}
	for _, t := range tokens {
		if len(t.text) > maxLexeme || t.kind == tsMarkup {
			continue
		}
		from++
		if w := c.lexeme(t); w != "" {
			out = append(out, placed{w, from})
		}
	}
	return out, from, nil
}

func vectorOf(words []placed) datum {
	ls := make([]types.Lexeme, len(words))
	for i, w := range words {
		ls[i] = types.Lexeme{Word: w.word, Positions: []uint16{uint16(min(w.pos, 16383))}, Weights: []byte{'D'}}
	}
	return types.Ref(types.NewTSVector(ls))
}

// configFn makes a function whose first argument may be a regconfig.
func configFn(given bool, f func(c *textConfig, args []datum) (datum, error)) func(*expr.Call) (expr.EvalFunc, error) {
	return func(*expr.Call) (expr.EvalFunc, error) {
		configs := &textConfigs{}
		return func(env *expr.Env, args []datum) (datum, error) {
			c, rest, err := configs.pick(env, args, given)
			if err != nil {
				return types.Null, err
			}
			return f(c, rest)
		}, nil
	}
}

func toVector(c *textConfig, args []datum) (datum, error) {
	words, _, err := c.lexemes(args[0].Str(), 0)
	if err != nil {
		return types.Null, err
	}
	return vectorOf(words), nil
}

// jsonToVector makes a tsvector of the strings in a JSON value; a gap of one lies between two strings.
func jsonToVector(jsonb bool) func(c *textConfig, args []datum) (datum, error) {
	return func(c *textConfig, args []datum) (datum, error) {
		n, err := parseNode(args[0], jsonb)
		if err != nil {
			return types.Null, err
		}
		var words []placed
		last := 0
		for i, s := range jsonStrings(n, nil) {
			if i > 0 && last > 0 {
				last++
			}
			w, end, err := c.lexemes(s, last)
			if err != nil {
				return types.Null, err
			}
			words, last = append(words, w...), end
		}
		return vectorOf(words), nil
	}
}

func jsonStrings(n jsonNode, out []string) []string {
	switch n.kind() {
	case types.JSONString:
		return append(out, n.text())
	case types.JSONArray:
		for _, e := range n.elems() {
			out = jsonStrings(e, out)
		}
	case types.JSONObject:
		if n.bin != nil {
			for _, f := range n.bin.Fields {
				out = jsonStrings(jsonNode{bin: f.Value}, out)
			}
			return out
		}
		for _, e := range n.elems() {
			out = jsonStrings(e, out)
		}
	}
	return out
}

// vectorOp makes a new tsvector by changing a copy of each lexeme; f says whether it stays.
func vectorOp(v *types.TSVector, f func(l *types.Lexeme) bool) datum {
	out := &types.TSVector{}
	for _, l := range v.Lexemes {
		l.Positions, l.Weights = slices.Clone(l.Positions), slices.Clone(l.Weights)
		if f(&l) {
			out.Lexemes = append(out.Lexemes, l)
		}
	}
	return types.Ref(out)
}

func vectorIn(d datum) *types.TSVector { return d.Ref().(*types.TSVector) }

func weightOf(d datum) (byte, error) {
	w := d.Str()
	if len(w) == 1 && w[0]&^0x20 >= 'A' && w[0]&^0x20 <= 'D' {
		return w[0] &^ 0x20, nil
	}
	c := 0
	if w != "" {
		c = int(int8(w[0]))
	}
	return 0, pgerr.Internal("unrecognized weight: %d", c)
}

func setWeight(_ *expr.Env, args []datum) (datum, error) {
	w, err := weightOf(args[1])
	if err != nil {
		return types.Null, err
	}
	return vectorOp(vectorIn(args[0]), func(l *types.Lexeme) bool {
		if len(args) == 3 && !slices.ContainsFunc(args[2].Array().Vals, func(v datum) bool { return v.Str() == l.Word }) {
			return true
		}
		for i := range l.Weights {
			l.Weights[i] = w
		}
		return true
	}), nil
}

// vectorConcat moves the positions of the right vector behind those of the left one.
func vectorConcat(_ *expr.Env, a, b datum) (datum, error) {
	last := 0
	var all []types.Lexeme
	for _, l := range vectorIn(a).Lexemes {
		for _, p := range l.Positions {
			last = max(last, int(p))
		}
		all = append(all, types.Lexeme{Word: l.Word, Positions: slices.Clone(l.Positions), Weights: slices.Clone(l.Weights)})
	}
	for _, l := range vectorIn(b).Lexemes {
		moved := types.Lexeme{Word: l.Word, Weights: slices.Clone(l.Weights)}
		for _, p := range l.Positions {
			moved.Positions = append(moved.Positions, uint16(min(int(p)+last, 16383)))
		}
		all = append(all, moved)
	}
	return types.Ref(types.NewTSVector(all)), nil
}

// textSearchImpls are the functions and operators of full text search.
func textSearchImpls() []expr.Impl {
	strip := func(_ *expr.Env, a datum) (datum, error) {
		return vectorOp(vectorIn(a), func(l *types.Lexeme) bool { l.Positions, l.Weights = nil, nil; return true }), nil
	}
	return append(append(append(textQueryImpls(), textRankImpls()...), headlineImpls()...),
		expr.Impl{OID: 3745, Name: "to_tsvector", Make: configFn(true, toVector)}, expr.Impl{OID: 3749, Name: "to_tsvector", Make: configFn(false, toVector)},
		expr.Impl{OID: 4209, Name: "to_tsvector", Make: configFn(false, jsonToVector(true))}, expr.Impl{OID: 4210, Name: "to_tsvector", Make: configFn(false, jsonToVector(false))},
		expr.Impl{OID: 4211, Name: "to_tsvector", Make: configFn(true, jsonToVector(true))}, expr.Impl{OID: 4212, Name: "to_tsvector", Make: configFn(true, jsonToVector(false))},
		expr.Impl{OID: 3624, Name: "setweight", Eval: setWeight}, expr.Impl{OID: 3320, Name: "setweight", Eval: setWeight},
		expr.Impl{OID: 3625, Name: "tsvector_concat", F2: vectorConcat}, expr.Impl{OID: 3623, Name: "strip", F1: strip},
		expr.Impl{OID: 3711, Name: "length", F1: func(_ *expr.Env, a datum) (datum, error) {
			return types.Int(int64(len(vectorIn(a).Lexemes))), nil
		}},
		expr.Impl{OID: 3326, Name: "tsvector_to_array", F1: func(_ *expr.Env, a datum) (datum, error) {
			var vals []datum
			for _, l := range vectorIn(a).Lexemes {
				vals = append(vals, types.Str(l.Word))
			}
			return types.NewArray(types.TextT, vals), nil
		}},
		expr.Impl{OID: 3321, Name: "ts_delete", F2: func(_ *expr.Env, a, w datum) (datum, error) {
			return vectorOp(vectorIn(a), func(l *types.Lexeme) bool { return l.Word != w.Str() }), nil
		}},
		expr.Impl{OID: 3323, Name: "ts_delete", F2: func(_ *expr.Env, a, ws datum) (datum, error) {
			return vectorOp(vectorIn(a), func(l *types.Lexeme) bool {
				return !slices.ContainsFunc(ws.Array().Vals, func(v datum) bool { return !v.IsNull() && v.Str() == l.Word })
			}), nil
		}},
	)
}

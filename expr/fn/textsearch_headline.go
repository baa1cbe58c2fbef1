package fn

import (
	"math"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// headlineOptions are the options of ts_headline (manual, 12.3.4).
type headlineOptions struct {
	start, stop, delimiter                   string
	maxWords, minWords, shortWord, maxPieces int
	all                                      bool
}

func parseHeadlineOptions(text string) (headlineOptions, error) {
	o := headlineOptions{start: "<b>", stop: "</b>", delimiter: " ... ", maxWords: 35, minWords: 15, shortWord: 3}
	for rest := text; ; {
		name, value, tail, ok, err := nextOption(rest)
		if err != nil || !ok {
			if err != nil {
				return o, err
			}
			return o, o.check()
		}
		rest = tail
		number, numErr := strconv.Atoi(value)
		switch strings.ToLower(name) {
		case "startsel":
			o.start, numErr = value, nil
		case "stopsel":
			o.stop, numErr = value, nil
		case "fragmentdelimiter":
			o.delimiter, numErr = value, nil
		case "highlightall":
			o.all, numErr = strings.Contains(" 1 on true t y yes ", " "+strings.ToLower(value)+" "), nil
		case "maxwords":
			o.maxWords = number
		case "minwords":
			o.minWords = number
		case "shortword":
			o.shortWord = number
		case "maxfragments":
			o.maxPieces = number
		default:
			return o, pgerr.New(pgerr.InvalidParameterValue, "unrecognized headline parameter: \"%s\"", name)
		}
		if numErr != nil {
			return o, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", "integer", value)
		}
	}
}

// nextOption takes "name = value" off a list with commas; a value may stand in double or single quotes.
func nextOption(s string) (name, value, rest string, ok bool, err error) {
	const blanks = " \t\n\r,"
	if s = strings.TrimLeft(s, blanks); s == "" {
		return "", "", "", false, nil
	}
	bad := pgerr.New(pgerr.SyntaxError, "invalid parameter list format: \"%s\"", s)
	name, rest, ok = strings.Cut(s, "=")
	name = strings.Trim(strings.TrimSpace(name), `"`)
	rest = strings.TrimLeft(rest, " \t\n\r")
	if !ok || name == "" {
		return "", "", "", false, bad
	}
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		quote := rest[:1]
		var b strings.Builder
		for rest = rest[1:]; ; {
			i := strings.Index(rest, quote)
			if i < 0 {
				return "", "", "", false, bad
			}
			b.WriteString(rest[:i])
			if rest = rest[i+1:]; !strings.HasPrefix(rest, quote) {
				return name, b.String(), rest, true, nil
			}
			b.WriteString(quote)
			rest = rest[1:]
		}
	}
	end := strings.IndexAny(rest, ", \t\n\r")
	if end < 0 {
		end = len(rest)
	}
	return name, rest[:end], rest[end:], true, nil
}

func (o headlineOptions) check() error {
	if o.all {
		return nil
	}
	wrong := ""
	switch {
	case o.minWords >= o.maxWords:
		wrong = "MinWords should be less than MaxWords"
	case o.minWords <= 0:
		wrong = "MinWords should be positive"
	case o.shortWord < 0:
		wrong = "ShortWord should be >= 0"
	case o.maxPieces < 0:
		wrong = "MaxFragments should be >= 0"
	default:
		return nil
	}
	return pgerr.New(pgerr.InvalidParameterValue, "%s", wrong)
}

// headlineWord is a token of the text, or what lies between two.
type headlineWord struct {
	text string
	kind tsKind
	// gap says that it is no token.
	gap    bool
	lexeme string
	pos    uint16
	// wanted says that the query asks for it; in and selected are the outcome: shown, and marked.
	wanted, in, selected bool
}

// counts reports whether a word counts towards the length of a headline.
func (w *headlineWord) counts() bool { return !w.gap && w.kind != tsWhole && w.kind != tsMarkup }

// headline is a text while a headline is made of it.
type headline struct {
	o     headlineOptions
	words []headlineWord
	query *types.TSQuery
}

// newHeadline takes a text apart; gaps between tokens are words of their own.
func newHeadline(c *textConfig, text string, q *types.TSQuery, o headlineOptions) (*headline, error) {
	tokens, err := parseText(text)
	if err != nil {
		return nil, err
	}
	h := &headline{o: o, query: plainWeights(q)}
	asked := queryWords(q, nil)
	at, pos := 0, 0
	for _, t := range tokens {
		if t.at > at {
			h.words = append(h.words, headlineWord{text: text[at:t.at], gap: true})
		}
		w := headlineWord{text: t.text, kind: t.kind}
		if t.kind != tsMarkup && len(t.text) <= maxLexeme {
			pos++
			w.pos = uint16(min(pos, 16383))
			if w.lexeme = c.lexeme(t); w.lexeme != "" {
				for _, q := range asked {
					w.wanted = w.wanted || w.lexeme == q.Word || q.Prefix && strings.HasPrefix(w.lexeme, q.Word)
				}
			}
		}
		h.words = append(h.words, w)
		if at = t.at + len(t.text); t.kind == tsWhole {
			at = t.at // its parts follow
		}
	}
	if at < len(text) {
		h.words = append(h.words, headlineWord{text: text[at:], gap: true})
	}
	return h, nil
}

// plainWeights is a query without weights: a text has none.
func plainWeights(q *types.TSQuery) *types.TSQuery {
	if q == nil {
		return nil
	}
	c := *q
	c.Weights, c.Left, c.Right = "", plainWeights(q.Left), plainWeights(q.Right)
	return &c
}

// badEnd reports whether a headline had better not end at a word: it is short or a number, and not asked for.
func (h *headline) badEnd(i int) bool {
	w := &h.words[i]
	return !w.wanted && (!w.counts() || w.kind == tsDigits || len(w.text) <= h.o.shortWord)
}

// next returns the first word at or after i that is asked for, -1 for none.
func (h *headline) next(i int) int {
	for ; i < len(h.words); i++ {
		if h.words[i].wanted {
			return i
		}
	}
	return -1
}

// cover finds the first stretch at or after from, of at most most words, that satisfies the query.
func (h *headline) cover(from, most int) (start, end int, ok bool, err error) {
	for start = h.next(from); start >= 0; start = h.next(start + 1) {
		var spots []coverSpot
		for end = start; end >= 0 && end < start+most; end = h.next(end + 1) {
			spots = append(spots, coverSpot{h.words[end].lexeme, h.words[end].pos, 'D'})
			if ok, err = coverMatches(h.query, spots); ok || err != nil {
				return start, end, ok, err
			}
		}
	}
	return 0, 0, false, nil
}

// weigh counts the words and the wanted ones from i to j.
func (h *headline) weigh(i, j int) (length, wanted int) {
	for ; i <= j; i++ {
		if h.words[i].counts() {
			length++
		}
		if h.words[i].wanted {
			wanted++
		}
	}
	return length, wanted
}

// mark shows the words from i to j, those asked for marked.
func (h *headline) mark(i, j int) {
	for ; i <= j && i < len(h.words); i++ {
		h.words[i].in = true
		h.words[i].selected = h.words[i].wanted
	}
}

// markFirst shows the first words of a text that has nothing that was asked for.
func (h *headline) markFirst() {
	length, end := 0, 0
	for i := 0; i < len(h.words) && length < h.o.minWords; i++ {
		if h.words[i].counts() {
			length++
		}
		end = i
	}
	h.mark(0, end)
}

// fit makes a headline of a cover: cut to the greatest length, or made longer to the right and then to the left, ending at a
// good word where it can.
func (h *headline) fit(p, q int) (start, end int) {
	start, end = p, p
	length, i := 0, p
	for ; i <= q && length < h.o.maxWords; i++ {
		if h.words[i].counts() {
			length++
		}
		end = i
	}
	if length >= h.o.maxWords {
		for i = min(i, q); length > h.o.minWords && h.badEnd(i); i-- {
			if h.words[i].counts() {
				length--
			}
			end = i - 1
		}
		return start, end
	}
	for i--; i < len(h.words) && length < h.o.maxWords; i++ {
		if i > q && h.words[i].counts() {
			length++
		}
		end = i
		if !h.badEnd(i) && length >= h.o.minWords {
			break
		}
	}
	if length >= h.o.minWords {
		return start, end
	}
	for i = p - 1; i >= 0; i-- {
		if h.words[i].counts() {
			length++
		}
		if length >= h.o.maxWords || !h.badEnd(i) && length >= h.o.minWords {
			break
		}
	}
	return max(i, 0), end
}

// markBest shows one stretch: of all covers' headlines the first one that has its whole cover, the most wanted words and a
// good end.
func (h *headline) markBest(most int) error {
	bestStart, bestEnd, bestWanted, bestWhole := -1, 0, -1, false
	for from := 0; ; {
		p, q, ok, err := h.cover(from, most)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		start, end := h.fit(p, q)
		_, wanted := h.weigh(start, end)
		whole := start <= p && end >= q
		if whole && !bestWhole || whole == bestWhole && (wanted > bestWanted || wanted == bestWanted && !h.badEnd(end) && h.badEnd(bestEnd)) {
			bestStart, bestEnd, bestWanted, bestWhole = start, end, wanted, whole
		}
		from = p + 1
	}
	if bestWanted < 0 {
		h.markFirst()
		return nil
	}
	h.mark(bestStart, bestEnd)
	return nil
}

// piece is a part of a cover with at most the greatest length, which begins and ends at a wanted word.
type piece struct {
	start, end, length, wanted int
	gone                       bool
}

// pieces cuts covers into pieces.
func (h *headline) pieces(most int) ([]piece, error) {
	var out []piece
	for from := 0; ; {
		p, q, ok, err := h.cover(from, most)
		if err != nil || !ok {
			return out, err
		}
		for start := p; start <= q; {
			if start = h.next(start); start < 0 || start > q {
				break
			}
			x := piece{start: start, end: q}
			i := start
			for ; i <= q && x.length < h.o.maxWords; i++ {
				n, w := h.weigh(i, i)
				x.length, x.wanted = x.length+n, x.wanted+w
			}
			if x.end > i {
				for x.end = i; x.end > start && !h.words[x.end].wanted; x.end-- {
					if h.words[x.end].counts() {
						x.length--
					}
				}
			}
			out = append(out, x)
			start = x.end + 1
		}
		from = p + 1
	}
}

// stretch makes a piece longer on both sides, to good ends, up to what is shown already.
func (h *headline) stretch(x *piece) {
	if x.length >= h.o.maxWords {
		return
	}
	room, end := (h.o.maxWords-x.length)/2, x.start
	for i, n := x.start-1, 0; i >= 0 && n < room && !h.words[i].in; i-- {
		if h.words[i].counts() {
			x.length++
			n++
		}
		end = i
	}
	for ; end < x.start && h.badEnd(end); end++ {
		if h.words[end].counts() {
			x.length--
		}
	}
	x.start, end = end, x.end
	for i := x.end + 1; i < len(h.words) && x.length < h.o.maxWords && !h.words[i].in; i++ {
		if h.words[i].counts() {
			x.length++
		}
		end = i
	}
	for ; end > x.end && h.badEnd(end); end-- {
		if h.words[end].counts() {
			x.length--
		}
	}
	x.end = end
}

// markPieces shows several pieces, those with the most wanted words first.
func (h *headline) markPieces(most int) error {
	list, err := h.pieces(most)
	if err != nil {
		return err
	}
	shown := 0
	for ; shown < h.o.maxPieces; shown++ {
		best, wanted, length := -1, 0, math.MaxInt
		for i, x := range list {
			if !x.gone && (x.wanted > wanted || x.wanted == wanted && x.length < length) {
				best, wanted, length = i, x.wanted, x.length
			}
		}
		if best < 0 {
			break
		}
		x := list[best]
		h.stretch(&x)
		h.mark(x.start, x.end)
		list[best].gone = true
		for i := range list {
			list[i].gone = list[i].gone || list[i].start <= x.end && list[i].end >= x.start
		}
	}
	if shown == 0 {
		h.markFirst()
	}
	return nil
}

// text writes the headline: tags as blanks unless all is shown, compounds by their parts.
func (h *headline) text() string {
	var b strings.Builder
	inside, pieces := false, 0
	for i := range h.words {
		w := &h.words[i]
		if !w.in {
			inside = false
			continue
		}
		if !inside {
			inside = true
			if pieces++; pieces > 1 {
				b.WriteString(h.o.delimiter)
			}
		}
		switch {
		case w.kind == tsMarkup && !h.o.all:
			b.WriteByte(' ')
		case w.kind == tsWhole:
		case w.selected:
			b.WriteString(h.o.start + w.text + h.o.stop)
		default:
			b.WriteString(w.text)
		}
	}
	return b.String()
}

// tsHeadline is ts_headline over a text.
func tsHeadline(c *textConfig, args []datum) (datum, error) {
	options := ""
	if len(args) == 3 {
		options = args[2].Str()
	}
	o, err := parseHeadlineOptions(options)
	if err != nil {
		return types.Null, err
	}
	h, err := newHeadline(c, args[0].Str(), queryIn(args[1]), o)
	if err != nil {
		return types.Null, err
	}
	most := max(o.maxWords*10, 100)
	switch {
	case o.all:
		h.mark(0, len(h.words)-1)
	case o.maxPieces > 0:
		err = h.markPieces(most)
	default:
		err = h.markBest(most)
	}
	return types.Str(h.text()), err
}

// headlineImpls are ts_headline over text.
func headlineImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 3743, Name: "ts_headline", Make: configFn(true, tsHeadline)},
		{OID: 3744, Name: "ts_headline", Make: configFn(true, tsHeadline)},
		{OID: 3754, Name: "ts_headline", Make: configFn(false, tsHeadline)},
		{OID: 3755, Name: "ts_headline", Make: configFn(false, tsHeadline)},
	}
}

package types

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// rootOrdered are the languages whose ICU collations order as this server's tables do, sorted. Others, Danish with
// capitals first, say, differ in more than single letters, and are not ordered by at all.
var rootOrdered = strings.Fields(`
	af agq ak am asa ast bas bem bez bgc bho bm bo br brx ca ccp ce ceb cgg chr ckb cs cv cy dav de dje doi dua dyo dz ebu ee en eo es
	et eu ewo ff fil fr fur fy ga gd gl gsw guz gv ha hu hy ia id ig ii it jgo jmc jv ka kab kam kde kea kgp khq ki kkj kl kln km ks
	ksb ksf ksh kw lag lb lg ln lo lrc lt lu luo luy lv mai mas mer mfe mg mgh mgo mi mni ms mua my mzn naq nd nl nmg nnh nus nyn om
	os pcm pl pt qu raj rm rn ro rof rw rwk sa sah saq sat sbp sc sd se seh ses sg shi sk sl sn so sq su sv sw teo tg ti to tr tt twq
	tzm und uz vai vun xh xog yav yo yrl zgh zu
`)

// Collator makes the sort keys of an ICU collation. It is safe for concurrent use.
type Collator struct{ pool sync.Pool }

type collatorState struct {
	c   *collate.Collator
	buf collate.Buffer
}

// NewCollator returns the collator of an ICU locale such as "sv", "en-US" or "und-u-ks-level2"; nil for a locale whose
// order is not known.
func NewCollator(locale string) *Collator {
	base, extension, _ := strings.Cut(locale, "-u-")
	lang, region, _ := strings.Cut(base, "-")
	if _, ok := slices.BinarySearch(rootOrdered, lang); !ok && base != "und" && base != "" || len(region) > 3 || !knownOptions(extension) {
		return nil // a script or an extension (en-US-u-va-posix) has an order of its own
	}
	tag, err := language.Parse(locale)
	if locale == "" {
		tag, err = language.Und, nil
	}
	if err != nil {
		return nil
	}
	return &Collator{pool: sync.Pool{New: func() any { return &collatorState{c: collate.New(tag, collate.OptionsFromTag(tag))} }}}
}

// knownOptions reports whether what stands behind -u- makes the same order here as in ICU, which the strengths do. Numbers by
// their values (kn) do not: the tables take 0 for no number.
func knownOptions(extension string) bool {
	return slices.Contains([]string{"", "ks-level1", "ks-level2", "ks-level3"}, extension)
}

// Key returns bytes that order as the collation orders s. Texts that the collation finds equal differ in their bytes, as
// in PostgreSQL under a deterministic collation: 'a' never equals a decomposed form of itself.
func (c *Collator) Key(s string) []byte {
	return append(append(c.key(s, len(s)+2), 0, 0), s...)
}

// LooseKey is the key under a nondeterministic collation: the same for texts that the collation finds equal.
func (c *Collator) LooseKey(s string) []byte { return c.key(s, 0) }

func (c *Collator) key(s string, more int) []byte {
	st := c.pool.Get().(*collatorState)
	defer c.pool.Put(st)
	st.buf.Reset()
	k := st.c.KeyFromString(&st.buf, s)
	return append(make([]byte, 0, len(k)+more), k...)
}

// TextKey is Key with the length of s behind it, from which CollatedText takes s.
func (c *Collator) TextKey(s string) string {
	return string(binary.BigEndian.AppendUint32(c.Key(s), uint32(len(s))))
}

// CollatedText is the text of which TextKey made a key.
func CollatedText(key string) string {
	end := len(key) - 4
	n := int(binary.BigEndian.Uint32([]byte(key[end:])))
	return key[end-n : end]
}

package expr

import "github.com/pgmongo/pgmongo/types"

// candidate is a function or operator that a call might mean, seen with the call's own arguments.
type candidate struct {
	proc *Proc
	oper *Operator
	// args are the declared types in the order of the call's arguments, a VARIADIC one repeated.
	args []*types.T
	// order gives, with named arguments, the function's argument that each of the call's is; nil when positional.
	order []int
	// expanded says that arguments were matched to a VARIADIC element type.
	expanded  bool
	defaults  int
	pathpos   int
	ambiguous bool
}

func sameTypes(a, b []*types.T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// matching keeps the candidates that the arguments can be implicitly converted to.
func (r *Resolver) matching(input []*types.T, cands []*candidate) []*candidate {
	var out []*candidate
	for _, c := range cands {
		if r.canCoerceAll(input, c.args, Implicit) {
			out = append(out, c)
		}
	}
	return out
}

// keepBest keeps the candidates with the highest score.
func keepBest(cands []*candidate, score func(*candidate) int) []*candidate {
	best := -1
	var out []*candidate
	for _, c := range cands {
		switch s := score(c); {
		case s > best:
			best, out = s, append(out[:0:0], c)
		case s == best:
			out = append(out, c)
		}
	}
	return out
}

// choose picks one of several candidates by PostgreSQL's rules (manual, 10.2 and 10.3): most exact matches, then most
// preferred types, then the category that the unknown arguments must have, then the type of the known ones. nil means
// that the call is ambiguous: f(text) and f(date) over f('x') is text, f(int) and f(date) over it is an error.
func (r *Resolver) choose(input []*types.T, cands []*candidate) *candidate {
	base := make([]*types.T, len(input))
	unknowns := 0
	for i, t := range input {
		base[i] = t.BaseType()
		if t == types.UnknownT {
			unknowns++
		}
	}
	cands = keepBest(cands, func(c *candidate) int {
		n := 0
		for i, t := range base {
			if t != types.UnknownT && c.args[i] == t {
				n++
			}
		}
		return n
	})
	if len(cands) == 1 {
		return cands[0]
	}
	cands = keepBest(cands, func(c *candidate) int {
		n := 0
		for i, t := range base {
			if t != types.UnknownT && (c.args[i] == t || c.args[i].Preferred && c.args[i].Category == t.Category) {
				n++
			}
		}
		return n
	})
	if len(cands) == 1 {
		return cands[0]
	}
	if unknowns == 0 {
		return nil
	}
	if cands = byCategory(base, cands); len(cands) == 1 {
		return cands[0]
	}
	return r.byKnownType(base, unknowns, cands)
}

// byCategory keeps the candidates that take, for each unknown argument, the category that all agree on (the string
// category where one takes it) and a preferred type of it if one does.
func byCategory(base []*types.T, cands []*candidate) []*candidate {
	type slot struct {
		category  byte
		preferred bool
	}
	slots := make([]slot, len(base))
	for i, t := range base {
		if t != types.UnknownT {
			continue
		}
		var s slot
		conflict := false
		for _, c := range cands {
			a := c.args[i]
			switch {
			case s.category == 0:
				s = slot{a.Category, a.Preferred}
			case a.Category == s.category:
				s.preferred = s.preferred || a.Preferred
			case a.Category == 'S':
				s = slot{'S', a.Preferred}
			default:
				conflict = true
			}
		}
		if conflict && s.category != 'S' {
			return cands
		}
		slots[i] = s
	}
	var out []*candidate
	for _, c := range cands {
		keep := true
		for i, t := range base {
			if t == types.UnknownT && (c.args[i].Category != slots[i].category || slots[i].preferred && !c.args[i].Preferred) {
				keep = false
			}
		}
		if keep {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return cands
	}
	return out
}

// byKnownType takes the unknown arguments to be of the type that all known ones have.
func (r *Resolver) byKnownType(base []*types.T, unknowns int, cands []*candidate) *candidate {
	if unknowns == len(base) {
		return nil
	}
	var known *types.T
	for _, t := range base {
		if t == types.UnknownT {
			continue
		}
		if known != nil && known != t {
			return nil
		}
		known = t
	}
	all := make([]*types.T, len(base))
	for i := range all {
		all[i] = known
	}
	match := r.matching(all, cands)
	if len(match) != 1 {
		return nil
	}
	return match[0]
}

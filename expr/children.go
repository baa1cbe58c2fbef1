package expr

func (e *Const) Children() []Expr    { return nil }
func (e *Param) Children() []Expr    { return nil }
func (e *ColRef) Children() []Expr   { return nil }
func (e *CaseArg) Children() []Expr  { return nil }
func (e *Call) Children() []Expr     { return e.Args }
func (e *And) Children() []Expr      { return e.Args }
func (e *Or) Children() []Expr       { return e.Args }
func (e *Not) Children() []Expr      { return []Expr{e.X} }
func (e *IsNull) Children() []Expr   { return []Expr{e.X} }
func (e *BoolTest) Children() []Expr { return []Expr{e.X} }
func (e *Distinct) Children() []Expr { return []Expr{e.A, e.B} }
func (e *Case) Children() []Expr {
	var c []Expr
	if e.Arg != nil {
		c = append(c, e.Arg)
	}
	for _, w := range e.Whens {
		c = append(c, w.Cond, w.Then)
	}
	if e.Else != nil {
		c = append(c, e.Else)
	}
	return c
}
func (e *Coalesce) Children() []Expr    { return e.Args }
func (e *NullIf) Children() []Expr      { return []Expr{e.A, e.B} }
func (e *MinMax) Children() []Expr      { return e.Args }
func (e *ScalarArray) Children() []Expr { return []Expr{e.Left, e.Array} }
func (e *RowCompare) Children() []Expr  { return append(append([]Expr{}, e.Left...), e.Right...) }
func (e *Array) Children() []Expr       { return e.Elems }
func (e *Row) Children() []Expr         { return e.Elems }
func (e *Field) Children() []Expr       { return []Expr{e.X} }
func (e *Subscript) Children() []Expr {
	c := []Expr{e.X}
	for _, i := range e.Indexes {
		if i.Lower != nil {
			c = append(c, i.Lower)
		}
		if i.Upper != nil {
			c = append(c, i.Upper)
		}
	}
	return c
}
func (e *Relabel) Children() []Expr   { return []Expr{e.X} }
func (e *IOCast) Children() []Expr    { return []Expr{e.X} }
func (e *ArrayCast) Children() []Expr { return []Expr{e.X} }
func (e *ToDomain) Children() []Expr  { return []Expr{e.X} }
func (e *Collate) Children() []Expr   { return []Expr{e.X} }

// Children of a subquery are its test alone; the plan's own expressions are the planner's.
func (e *Subquery) Children() []Expr {
	if e.Test == nil {
		return nil
	}
	return []Expr{e.Test}
}

func (e *Agg) Children() []Expr {
	c := append([]Expr{}, e.Args...)
	for _, k := range e.OrderBy {
		c = append(c, k.X)
	}
	if e.Filter != nil {
		c = append(c, e.Filter)
	}
	return c
}

func (e *WindowCall) Children() []Expr {
	c := append([]Expr{}, e.Args...)
	if e.Filter != nil {
		c = append(c, e.Filter)
	}
	return c
}

func (e *Const) WithChildren([]Expr) Expr      { return e }
func (e *Param) WithChildren([]Expr) Expr      { return e }
func (e *ColRef) WithChildren([]Expr) Expr     { return e }
func (e *CaseArg) WithChildren([]Expr) Expr    { return e }
func (e *Call) WithChildren(c []Expr) Expr     { n := *e; n.Args = c; return &n }
func (e *And) WithChildren(c []Expr) Expr      { return &And{c} }
func (e *Or) WithChildren(c []Expr) Expr       { return &Or{c} }
func (e *Not) WithChildren(c []Expr) Expr      { return &Not{c[0]} }
func (e *IsNull) WithChildren(c []Expr) Expr   { n := *e; n.X = c[0]; return &n }
func (e *BoolTest) WithChildren(c []Expr) Expr { n := *e; n.X = c[0]; return &n }
func (e *Distinct) WithChildren(c []Expr) Expr { n := *e; n.A, n.B = c[0], c[1]; return &n }
func (e *Case) WithChildren(c []Expr) Expr {
	n := *e
	if e.Arg != nil {
		n.Arg, c = c[0], c[1:]
	}
	n.Whens = make([]When, len(e.Whens))
	for i := range n.Whens {
		n.Whens[i] = When{c[2*i], c[2*i+1]}
	}
	if e.Else != nil {
		n.Else = c[len(c)-1]
	}
	return &n
}
func (e *Coalesce) WithChildren(c []Expr) Expr    { n := *e; n.Args = c; return &n }
func (e *NullIf) WithChildren(c []Expr) Expr      { n := *e; n.A, n.B = c[0], c[1]; return &n }
func (e *MinMax) WithChildren(c []Expr) Expr      { n := *e; n.Args = c; return &n }
func (e *ScalarArray) WithChildren(c []Expr) Expr { n := *e; n.Left, n.Array = c[0], c[1]; return &n }

func (e *RowCompare) WithChildren(c []Expr) Expr {
	n := *e
	n.Left, n.Right = c[:len(e.Left)], c[len(e.Left):]
	return &n
}
func (e *Array) WithChildren(c []Expr) Expr { n := *e; n.Elems = c; return &n }
func (e *Row) WithChildren(c []Expr) Expr   { n := *e; n.Elems = c; return &n }
func (e *Field) WithChildren(c []Expr) Expr { n := *e; n.X = c[0]; return &n }
func (e *Subscript) WithChildren(c []Expr) Expr {
	n := *e
	n.X, c = c[0], c[1:]
	n.Indexes = append([]Index{}, e.Indexes...)
	for i := range n.Indexes {
		if n.Indexes[i].Lower != nil {
			n.Indexes[i].Lower, c = c[0], c[1:]
		}
		if n.Indexes[i].Upper != nil {
			n.Indexes[i].Upper, c = c[0], c[1:]
		}
	}
	return &n
}
func (e *Relabel) WithChildren(c []Expr) Expr   { n := *e; n.X = c[0]; return &n }
func (e *IOCast) WithChildren(c []Expr) Expr    { n := *e; n.X = c[0]; return &n }
func (e *ArrayCast) WithChildren(c []Expr) Expr { n := *e; n.X = c[0]; return &n }
func (e *ToDomain) WithChildren(c []Expr) Expr  { n := *e; n.X = c[0]; return &n }
func (e *Collate) WithChildren(c []Expr) Expr   { n := *e; n.X = c[0]; return &n }
func (e *Subquery) WithChildren(c []Expr) Expr {
	n := *e
	if len(c) > 0 {
		n.Test = c[0]
	}
	return &n
}

func (e *Agg) WithChildren(c []Expr) Expr {
	n := *e
	n.Args, c = c[:len(e.Args)], c[len(e.Args):]
	n.OrderBy = append([]SortKey{}, e.OrderBy...)
	for i := range n.OrderBy {
		n.OrderBy[i].X, c = c[0], c[1:]
	}
	if e.Filter != nil {
		n.Filter = c[0]
	}
	return &n
}

func (e *WindowCall) WithChildren(c []Expr) Expr {
	n := *e
	n.Args, c = c[:len(e.Args)], c[len(e.Args):]
	if e.Filter != nil {
		n.Filter = c[0]
	}
	return &n
}

// Walk calls f for e and everything below it, parents first; f returns false to leave out what is below.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, c := range e.Children() {
		Walk(c, f)
	}
}

// Rewrite replaces bottom-up: f gets each expression with its children already rewritten and returns it or another one.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	children := e.Children()
	var changed []Expr
	for i, c := range children {
		if n := Rewrite(c, f); n != c {
			if changed == nil {
				changed = append([]Expr{}, children...)
			}
			changed[i] = n
		}
	}
	if changed != nil {
		e = e.WithChildren(changed)
	}
	return f(e)
}

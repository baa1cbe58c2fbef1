package planner

func (n *Scan) Cols() []Col        { return n.Out }
func (n *Pushed) Cols() []Col      { return n.Out }
func (n *VirtualScan) Cols() []Col { return n.Out }
func (n *Values) Cols() []Col      { return n.Out }
func (n *FuncScan) Cols() []Col    { return n.Out }
func (n *Filter) Cols() []Col      { return n.Input.Cols() }
func (n *Project) Cols() []Col     { return n.Out }
func (n *ProjectSet) Cols() []Col  { return n.Out }

// Cols of a join are both sides' columns, or the left side's for semi and anti joins. Columns of a side that the join may
// fill with NULLs are no longer NotNull.
func (n *Join) Cols() []Col {
	left, right := n.Left.Cols(), []Col(nil)
	if n.Kind != SemiJoin && n.Kind != AntiJoin && n.Kind != AntiNullJoin {
		right = n.Right.Cols()
	}
	out := make([]Col, 0, len(left)+len(right))
	for _, c := range left {
		c.NotNull = c.NotNull && n.Kind != RightJoin && n.Kind != FullJoin
		out = append(out, c)
	}
	for _, c := range right {
		c.NotNull = c.NotNull && n.Kind != LeftJoin && n.Kind != FullJoin
		out = append(out, c)
	}
	return out
}

// Cols of an aggregation are its keys', then the GROUPING calls', then the aggregates'.
func (n *Aggregate) Cols() []Col {
	out := append([]Col{}, n.KeyCols...)
	for _, g := range n.Grouping {
		out = append(out, g.Col)
	}
	for _, a := range n.Aggs {
		out = append(out, a.Col)
	}
	return out
}

// Cols of a window node are its input's, then the functions'.
func (n *Window) Cols() []Col {
	out := append([]Col{}, n.Input.Cols()...)
	for _, f := range n.Funcs {
		out = append(out, f.Col)
	}
	return out
}

func (n *Sort) Cols() []Col     { return n.Input.Cols() }
func (n *Limit) Cols() []Col    { return n.Input.Cols() }
func (n *Distinct) Cols() []Col { return n.Input.Cols() }
func (n *SetOp) Cols() []Col    { return n.Out }
func (n *With) Cols() []Col     { return n.Body.Cols() }
func (n *CTEScan) Cols() []Col  { return n.Out }
func (n *LockRows) Cols() []Col { return n.Input.Cols() }
func (n *Insert) Cols() []Col   { return n.Out }
func (n *Update) Cols() []Col   { return n.Out }
func (n *Delete) Cols() []Col   { return n.Out }
func (n *Merge) Cols() []Col    { return nil }
func (n *Result) Cols() []Col   { return nil }

func (n *Scan) Inputs() []Node        { return nil }
func (n *Pushed) Inputs() []Node      { return nil }
func (n *VirtualScan) Inputs() []Node { return nil }
func (n *Values) Inputs() []Node      { return nil }
func (n *FuncScan) Inputs() []Node    { return nil }
func (n *Filter) Inputs() []Node      { return []Node{n.Input} }
func (n *Project) Inputs() []Node     { return []Node{n.Input} }
func (n *ProjectSet) Inputs() []Node  { return []Node{n.Input} }
func (n *Join) Inputs() []Node        { return []Node{n.Left, n.Right} }
func (n *Aggregate) Inputs() []Node   { return []Node{n.Input} }
func (n *Window) Inputs() []Node      { return []Node{n.Input} }
func (n *Sort) Inputs() []Node        { return []Node{n.Input} }
func (n *Limit) Inputs() []Node       { return []Node{n.Input} }
func (n *Distinct) Inputs() []Node    { return []Node{n.Input} }
func (n *SetOp) Inputs() []Node       { return []Node{n.Left, n.Right} }

// Inputs of With are the CTEs' queries (base, then step) and the body.
func (n *With) Inputs() []Node {
	var in []Node
	for _, c := range n.CTEs {
		in = append(in, c.Base)
		if c.Step != nil {
			in = append(in, c.Step)
		}
	}
	return append(in, n.Body)
}
func (n *CTEScan) Inputs() []Node  { return nil }
func (n *LockRows) Inputs() []Node { return []Node{n.Input} }
func (n *Insert) Inputs() []Node   { return []Node{n.Source} }
func (n *Update) Inputs() []Node   { return []Node{n.Source} }
func (n *Delete) Inputs() []Node   { return []Node{n.Source} }
func (n *Merge) Inputs() []Node    { return []Node{n.Source} }
func (n *Result) Inputs() []Node   { return nil }

func (n *Scan) WithInputs([]Node) Node          { return n }
func (n *Pushed) WithInputs([]Node) Node        { return n }
func (n *VirtualScan) WithInputs([]Node) Node   { return n }
func (n *Values) WithInputs([]Node) Node        { return n }
func (n *FuncScan) WithInputs([]Node) Node      { return n }
func (n *Filter) WithInputs(in []Node) Node     { c := *n; c.Input = in[0]; return &c }
func (n *Project) WithInputs(in []Node) Node    { c := *n; c.Input = in[0]; return &c }
func (n *ProjectSet) WithInputs(in []Node) Node { c := *n; c.Input = in[0]; return &c }
func (n *Join) WithInputs(in []Node) Node       { c := *n; c.Left, c.Right = in[0], in[1]; return &c }
func (n *Aggregate) WithInputs(in []Node) Node  { c := *n; c.Input = in[0]; return &c }
func (n *Window) WithInputs(in []Node) Node     { c := *n; c.Input = in[0]; return &c }
func (n *Sort) WithInputs(in []Node) Node       { c := *n; c.Input = in[0]; return &c }
func (n *Limit) WithInputs(in []Node) Node      { c := *n; c.Input = in[0]; return &c }
func (n *Distinct) WithInputs(in []Node) Node   { c := *n; c.Input = in[0]; return &c }
func (n *SetOp) WithInputs(in []Node) Node      { c := *n; c.Left, c.Right = in[0], in[1]; return &c }

// WithInputs replaces the CTEs' queries in place: CTEScans point at the CTE, which is the one node that is shared.
func (n *With) WithInputs(in []Node) Node {
	for _, c := range n.CTEs {
		c.Base, in = in[0], in[1:]
		if c.Step != nil {
			c.Step, in = in[0], in[1:]
		}
	}
	return &With{CTEs: n.CTEs, Body: in[0]}
}
func (n *CTEScan) WithInputs([]Node) Node     { return n }
func (n *LockRows) WithInputs(in []Node) Node { c := *n; c.Input = in[0]; return &c }
func (n *Insert) WithInputs(in []Node) Node   { c := *n; c.Source = in[0]; return &c }
func (n *Update) WithInputs(in []Node) Node   { c := *n; c.Source = in[0]; return &c }
func (n *Delete) WithInputs(in []Node) Node   { c := *n; c.Source = in[0]; return &c }
func (n *Merge) WithInputs(in []Node) Node    { c := *n; c.Source = in[0]; return &c }
func (n *Result) WithInputs([]Node) Node      { return n }

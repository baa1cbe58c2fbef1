package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createFunction is CREATE [OR REPLACE] FUNCTION and PROCEDURE: the definition is recorded, a call runs it.
func (r *run) createFunction(n *pg_query.CreateFunctionStmt) (string, error) {
	kind, word := byte('f'), "function"
	if n.IsProcedure {
		kind, word = 'p', "procedure"
	}
	tag := "CREATE " + strings.ToUpper(word)
	schema, name, err := qualified(names(n.Funcname))
	if err != nil {
		return "", err
	}
	sc, err := r.creationSchema(schema, -1)
	if err != nil {
		return "", err
	}
	f := &catalog.Function{
		SchemaID: sc.OID, Schema: sc.Name, Name: catalog.CutName(name), Kind: kind, Owner: r.owner(), ACL: r.newACL(catalog.OnFunction, r.owner(), sc), Volatile: 'v', Parallel: 'u', Cost: 100,
	}
	if err := r.functionArgs(f, n); err != nil {
		return "", err
	}
	if err := r.functionOptions(f, n.Options); err != nil {
		return "", err
	}
	if n.SqlBody != nil {
		if f.Language == "" {
			f.Language = "sql"
		}
		body := proto.Clone(n.SqlBody).(*pg_query.Node)
		r.qualifyNames(body)
		if f.Body, err = bodyText(body); err != nil {
			return "", err
		}
	}
	if f.Language == "" {
		return "", pgerr.New(pgerr.InvalidFunctionDefinition, "no language specified")
	}
	if f.RetSet && f.Rows == 0 {
		f.Rows = 1000
	}
	f.OID = 0
	for _, old := range r.snap().FunctionsIn(sc.Name, f.Name) {
		if !slices.Equal(inputArgs(old), inputArgs(f)) {
			continue
		}
		if !n.Replace {
			return "", pgerr.New(pgerr.DuplicateFunction, "function \"%s\" already exists with same argument types", f.Name)
		}
		if err := r.mustOwn(word, f.Name, old.Owner); err != nil {
			return "", err
		}
		if old.Kind != f.Kind {
			return "", pgerr.New(pgerr.WrongObjectType, "cannot change routine kind").WithDetail("\"%s\" is a %s.", f.Name, map[byte]string{'f': "function", 'p': "procedure"}[old.Kind])
		}
		if old.Ret != f.Ret || old.RetSet != f.RetSet {
			return "", pgerr.New(pgerr.InvalidFunctionDefinition, "cannot change return type of existing function").
				WithHint("Use %s %s first.", "DROP "+strings.ToUpper(word), r.functionText(old))
		}
		f.OID, f.Comment, f.ACL, f.Owner = old.OID, old.Comment, old.ACL, old.Owner
	}
	if f.OID == 0 {
		f.OID = r.newOID(sc.Name)
	}
	r.ch.PutFunction(f)
	r.routine = f
	return tag, nil
}

// bodyText writes an SQL-standard body as statements.
func bodyText(n *pg_query.Node) (string, error) {
	if ret := n.GetReturnStmt(); ret != nil {
		text, err := deparseExpr(ret.Returnval)
		return "RETURN " + text, err
	}
	var b strings.Builder
	b.WriteString("BEGIN ATOMIC\n")
	var list func(n *pg_query.Node) error
	list = func(n *pg_query.Node) error {
		if l := n.GetList(); l != nil {
			for _, i := range l.Items {
				if err := list(i); err != nil {
					return err
				}
			}
			return nil
		}
		var text string
		var err error
		switch {
		case n == nil || n.Node == nil: // an empty statement
			return nil
		case n.GetReturnStmt() != nil:
			text, err = deparseExpr(n.GetReturnStmt().Returnval)
			text = "RETURN " + text
		default:
			text, err = deparseStmt(n)
		}
		b.WriteString(" " + text + ";\n")
		return err
	}
	err := list(n)
	return b.String() + "END", err
}

func (r *run) functionArgs(f *catalog.Function, n *pg_query.CreateFunctionStmt) error {
	var outs []*types.T
	table, sawDefault := false, false
	for _, node := range n.Parameters {
		p := node.GetFunctionParameter()
		t, _, err := r.resolver().TypeName(p.ArgType)
		if err != nil {
			return err
		}
		a := catalog.FunctionArg{Name: p.Name, Type: t, Mode: 'i'}
		switch p.Mode {
		case pg_query.FunctionParameterMode_FUNC_PARAM_OUT:
			a.Mode = 'o'
		case pg_query.FunctionParameterMode_FUNC_PARAM_INOUT:
			a.Mode = 'b'
		case pg_query.FunctionParameterMode_FUNC_PARAM_VARIADIC:
			a.Mode = 'v'
			if !t.IsArray() && !t.IsPolymorphic() {
				return pgerr.New(pgerr.InvalidFunctionDefinition, "VARIADIC parameter must be an array")
			}
		case pg_query.FunctionParameterMode_FUNC_PARAM_TABLE:
			a.Mode, table = 't', true
		}
		if p.Defexpr != nil {
			if a.Mode == 'o' || a.Mode == 't' {
				return pgerr.New(pgerr.InvalidFunctionDefinition, "only input parameters can have default values")
			}
			sawDefault = true
			if a.Default, _, err = r.bindDefault(p.Defexpr, t, -1, p.Name); err != nil {
				return err
			}
		} else if sawDefault && a.Mode != 'o' && a.Mode != 't' {
			return pgerr.New(pgerr.InvalidFunctionDefinition, "input parameters after one with a default value must also have defaults")
		}
		if a.Name != "" && slices.ContainsFunc(f.Args, func(o catalog.FunctionArg) bool { return o.Name == a.Name }) {
			return pgerr.New(pgerr.InvalidFunctionDefinition, "parameter name \"%s\" used more than once", a.Name)
		}
		if a.Mode == 'o' || a.Mode == 'b' || a.Mode == 't' {
			outs = append(outs, t)
		}
		f.Args = append(f.Args, a)
	}
	switch {
	case n.ReturnType != nil && !table:
		t, _, err := r.resolver().TypeName(n.ReturnType)
		if err != nil {
			return err
		}
		f.Ret, f.RetSet = t, n.ReturnType.Setof
	case table:
		f.RetSet = true
		f.Ret = types.RecordT
		if len(outs) == 1 {
			f.Ret = outs[0]
		}
	case len(outs) > 1 || len(outs) == 1 && f.Kind == 'p':
		f.Ret = types.RecordT // of a procedure with one OUT argument, too
	case len(outs) == 1:
		f.Ret = outs[0]
	case f.Kind == 'p':
		f.Ret = types.VoidT
	default:
		return pgerr.New(pgerr.InvalidFunctionDefinition, "function result type must be specified")
	}
	for _, t := range append(outs, f.Ret) {
		if err := determined(f, t); err != nil {
			return err
		}
	}
	return nil
}

// polymorphicInputs are the types of inputs from which a call finds a result's polymorphic type, by the result's.
var polymorphicInputs = map[string][]string{
	"any":                {"anyelement", "anyarray", "anynonarray", "anyenum", "anyrange", "anymultirange"},
	"anyrange":           {"anyrange", "anymultirange"},
	"anycompatible":      {"anycompatible", "anycompatiblearray", "anycompatiblenonarray", "anycompatiblerange", "anycompatiblemultirange"},
	"anycompatiblerange": {"anycompatiblerange", "anycompatiblemultirange"},
}

// determined refuses a polymorphic result that no input determines.
func determined(f *catalog.Function, t *types.T) error {
	if !t.IsPolymorphic() {
		return nil
	}
	family := "any"
	if strings.HasPrefix(t.Name, "anycompatible") {
		family = "anycompatible"
	}
	if strings.HasSuffix(t.Name, "range") {
		family += "range"
	}
	inputs := polymorphicInputs[family]
	for _, a := range f.Args {
		if a.Mode != 'o' && a.Mode != 't' && slices.Contains(inputs, a.Type.Name) {
			return nil
		}
	}
	list := strings.Join(inputs[:len(inputs)-1], ", ")
	if len(inputs) > 2 {
		list += ","
	}
	return pgerr.New(pgerr.InvalidFunctionDefinition, "cannot determine result data type").
		WithDetail("A result of type %s requires at least one input of type %s or %s.", t.Name, list, inputs[len(inputs)-1])
}

func (r *run) functionOptions(f *catalog.Function, options []*pg_query.Node) error {
	for _, o := range options {
		d := o.GetDefElem()
		switch d.Defname {
		case "language":
			f.Language = strings.ToLower(defText(d.Arg, ""))
			switch f.Language {
			case "sql", "plpgsql":
			case "internal", "c":
				return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for language %s", f.Language)
			default:
				return pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", f.Language)
			}
			if f.Language == "plpgsql" && r.snap().ExtensionByName("plpgsql") == nil {
				return pgerr.New(pgerr.UndefinedObject, "language \"plpgsql\" does not exist").WithHint("Use CREATE EXTENSION to load the language into the database.")
			}
		case "as":
			as := names(d.Arg.GetList().GetItems())
			if len(as) == 2 {
				f.Library = as[0]
			}
			f.Source = as[len(as)-1]
		case "volatility":
			f.Volatile = defText(d.Arg, "volatile")[0]
		case "strict":
			f.Strict = defBool(d)
		case "security":
			f.SecDef = defBool(d)
		case "parallel":
			f.Parallel = defText(d.Arg, "unsafe")[0]
		case "cost", "rows":
			v, err := defInt(d)
			if err != nil {
				return err
			}
			if v <= 0 {
				return pgerr.New(pgerr.InvalidParameterValue, "%s must be positive", strings.ToUpper(d.Defname))
			}
			if d.Defname == "cost" {
				f.Cost = float64(v)
			} else {
				f.Rows = float64(v)
			}
		case "set":
			v := d.Arg.GetVariableSetStmt()
			var parts []string
			for _, a := range v.Args {
				parts = append(parts, constText(a))
			}
			f.Settings = append(f.Settings, v.Name+"="+strings.Join(parts, ", "))
		case "leakproof", "window", "support", "transform":
		}
	}
	return nil
}

// constText is a setting's value as text.
func constText(n *pg_query.Node) string {
	if t, ok := constantText(n); ok {
		return t
	}
	return ""
}

// findFunctions finds the user-defined functions that a name and its argument types mean.
func (r *run) findFunctions(o *pg_query.ObjectWithArgs) ([]*catalog.Function, []*types.T, error) {
	schema, name, err := qualified(names(o.Objname))
	if err != nil {
		return nil, nil, err
	}
	var args []*types.T
	for _, a := range o.Objargs {
		t, _, err := r.resolver().TypeName(a.GetTypeName())
		if err != nil {
			return nil, nil, err
		}
		args = append(args, t)
	}
	path := r.c.Path
	if schema != "" {
		path = []string{r.tempSchema(schema)}
	}
	var found []*catalog.Function
	for _, p := range path {
		for _, f := range r.snap().FunctionsIn(p, name) {
			if o.ArgsUnspecified || slices.Equal(inputArgs(f), args) {
				found = append(found, f)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found, args, nil
}

// userFunction finds one function or fails as PostgreSQL does.
func (r *run) userFunction(o *pg_query.ObjectWithArgs, word string) (*catalog.Function, error) {
	found, args, err := r.findFunctions(o)
	if err != nil {
		return nil, err
	}
	name := strings.Join(names(o.Objname), ".")
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, pgerr.New(pgerr.AmbiguousFunction, "%s name \"%s\" is not unique", word, name).WithHint("Specify the argument list to select the %s unambiguously.", word)
	case o.ArgsUnspecified:
		return nil, pgerr.New(pgerr.UndefinedFunction, "could not find a %s named \"%s\"", word, name)
	}
	return nil, pgerr.New(pgerr.UndefinedFunction, "%s %s(%s) does not exist", word, name, strings.Join(r.argTexts(args), ", "))
}

func (r *run) dropFunction(n *pg_query.DropStmt, o *pg_query.ObjectWithArgs) ([]object, error) {
	word := strings.ToLower(objectTypeName(n.RemoveType))
	f, err := r.userFunction(o, word)
	if err == nil {
		if word == "function" && f.Kind == 'p' || word == "procedure" && f.Kind != 'p' {
			return nil, pgerr.New(pgerr.WrongObjectType, "%s is not a %s", r.functionText(f), word)
		}
		o := object{kind: objFunction, oid: f.OID}
		return []object{o}, r.requiredByRange(o)
	}
	if !n.MissingOk || pgerr.Is(err, pgerr.AmbiguousFunction) {
		return nil, err
	}
	var args []string
	for _, a := range o.Objargs {
		args = append(args, strings.Join(names(a.GetTypeName().GetNames()), "."))
	}
	return r.missing(n, pgerr.UndefinedFunction, "%s %s(%s) does not exist", word, strings.Join(names(o.Objname), "."), strings.Join(args, ","))
}

func (r *run) renameFunction(o *pg_query.ObjectWithArgs, name string) error {
	f, err := r.userFunction(o, "function")
	if err != nil {
		return err
	}
	for _, other := range r.snap().FunctionsIn(f.Schema, name) {
		if slices.Equal(inputArgs(other), inputArgs(f)) {
			return pgerr.New(pgerr.DuplicateFunction, "function %s(%s) already exists in schema \"%s\"", name, strings.Join(r.argTexts(inputArgs(f)), ", "), f.Schema)
		}
	}
	c := *f
	c.Name = name
	r.ch.PutFunction(&c)
	return nil
}

func (r *run) alterFunction(n *pg_query.AlterFunctionStmt) error {
	f, err := r.userFunction(n.Func, "function")
	if err != nil {
		return err
	}
	c := *f
	if err := r.functionOptions(&c, n.Actions); err != nil {
		return err
	}
	r.ch.PutFunction(&c)
	return nil
}

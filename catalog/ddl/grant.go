package ddl

import (
	"regexp"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// privilege letters as aclitem writes them, in its order.
var privilegeLetters = []struct {
	name   string
	letter byte
}{
	{"insert", 'a'},
	{"select", 'r'},
	{"update", 'w'},
	{"delete", 'd'},
	{"truncate", 'D'},
	{"references", 'x'},
	{"trigger", 't'},
	{"execute", 'X'},
	{"usage", 'U'},
	{"create", 'C'},
	{"temporary", 'T'},
	{"connect", 'c'},
	{"set", 's'},
	{"alter system", 'A'},
}

// allPrivileges are the letters that ALL means for a kind of object.
func allPrivileges(t pg_query.ObjectType) string {
	switch t {
	case pg_query.ObjectType_OBJECT_TABLE:
		return "arwdDxt"
	case pg_query.ObjectType_OBJECT_SEQUENCE:
		return "rwU"
	case pg_query.ObjectType_OBJECT_SCHEMA:
		return "UC"
	case pg_query.ObjectType_OBJECT_DATABASE:
		return "CTc"
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE:
		return "X"
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN, pg_query.ObjectType_OBJECT_LANGUAGE:
		return "U"
	case pg_query.ObjectType_OBJECT_COLUMN:
		return "arwx"
	}
	return ""
}

// grant is GRANT and REVOKE on objects: the access control lists are kept for the catalogues.
func (r *run) grant(n *pg_query.GrantStmt) (string, error) {
	tag := "GRANT"
	if !n.IsGrant {
		tag = "REVOKE"
	}
	var grantees []string
	for _, g := range n.Grantees {
		spec := g.GetRoleSpec()
		if spec.Roletype == pg_query.RoleSpecType_ROLESPEC_PUBLIC {
			grantees = append(grantees, "")
			continue
		}
		role, err := r.role(spec)
		if err != nil {
			return "", err
		}
		grantees = append(grantees, role.Name)
	}
	if n.Targtype == pg_query.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA {
		return tag, r.grantInSchemas(n, grantees)
	}
	for _, o := range n.Objects {
		if err := r.grantOn(n, o, grantees); err != nil {
			return "", err
		}
	}
	return tag, nil
}

func (r *run) grantInSchemas(n *pg_query.GrantStmt, grantees []string) error {
	for _, s := range names(n.Objects) {
		sc := r.snap().SchemaByName(s)
		if sc == nil {
			return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", s)
		}
		for _, rel := range r.before.Relations() {
			isSeq := rel.Kind == catalog.KindSequence
			if rel.SchemaID != sc.OID || n.Objtype == pg_query.ObjectType_OBJECT_SEQUENCE != isSeq {
				continue
			}
			if n.Objtype == pg_query.ObjectType_OBJECT_TABLE || isSeq {
				if err := r.grantRelation(n, rel, grantees); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *run) grantOn(n *pg_query.GrantStmt, o *pg_query.Node, grantees []string) error {
	switch n.Objtype {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_SEQUENCE:
		rel, err := r.relation(o.GetRangeVar())
		if err != nil {
			return err
		}
		return r.grantRelation(n, rel, grantees)
	case pg_query.ObjectType_OBJECT_SCHEMA:
		name := o.GetString_().GetSval()
		sc := r.snap().SchemaByName(name)
		if sc == nil {
			return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
		}
		letters, err := r.letters(n, n.Objtype)
		if err != nil {
			return err
		}
		c := *sc
		c.ACL = changeACL(sc.ACL, r.ownerName(sc.Owner), "UC", "", grantees, letters, n)
		r.ch.PutSchema(&c)
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE:
		f, err := r.userFunction(o.GetObjectWithArgs(), "function")
		if err != nil {
			return err
		}
		letters, err := r.letters(n, n.Objtype)
		if err != nil {
			return err
		}
		c := *f
		c.ACL = changeACL(f.ACL, r.ownerName(f.Owner), "X", "X", grantees, letters, n)
		r.ch.PutFunction(&c)
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		t, err := r.userType(grantedNames(o))
		if err != nil {
			return err
		}
		letters, err := r.letters(n, n.Objtype)
		if err != nil {
			return err
		}
		info := r.snap().TypeInfo(t.OID)
		info.ACL = changeACL(info.ACL, r.ownerName(info.Owner), "U", "U", grantees, letters, n)
		r.ch.PutType(t, info)
	case pg_query.ObjectType_OBJECT_DATABASE:
		if r.c.Cluster != nil {
			name := o.GetString_().GetSval()
			ok, err := r.c.Cluster.DatabaseExists(r.ctx, name)
			if err != nil {
				return err
			}
			if !ok {
				return pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", name)
			}
		}
	case pg_query.ObjectType_OBJECT_LANGUAGE:
	default:
		return pgerr.Unsupported("GRANT ON " + objectTypeName(n.Objtype))
	}
	return nil
}

func (r *run) ownerName(oid uint32) string {
	if role := r.snap().RoleByOID(oid); role != nil {
		return role.Name
	}
	return "postgres"
}

func (r *run) grantRelation(n *pg_query.GrantStmt, rel *catalog.Relation, grantees []string) error {
	rel = r.snap().RelationByOID(rel.OID)
	if isSystem(rel) {
		return nil
	}
	kind := pg_query.ObjectType_OBJECT_TABLE
	if rel.Kind == catalog.KindSequence {
		kind = pg_query.ObjectType_OBJECT_SEQUENCE
	}
	c := rel.Clone()
	var whole []*pg_query.Node
	for _, p := range n.Privileges {
		priv := p.GetAccessPriv()
		if len(priv.Cols) == 0 {
			whole = append(whole, p)
			continue
		}
		letters, err := r.privilegeLetters([]*pg_query.Node{p}, pg_query.ObjectType_OBJECT_COLUMN)
		if err != nil {
			return err
		}
		for _, name := range names(priv.Cols) {
			col := c.Column(name)
			if col == nil {
				return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, rel.Name)
			}
			setColumn(c, col.Attnum, func(x *catalog.Column) {
				x.ACL = changeACL(x.ACL, r.ownerName(rel.Owner), "", "", grantees, letters, n)
			})
		}
	}
	if len(whole) > 0 || len(n.Privileges) == 0 {
		letters, err := r.privilegeLetters(whole, kind)
		if err != nil {
			return err
		}
		c.ACL = changeACL(rel.ACL, r.ownerName(rel.Owner), allPrivileges(kind), "", grantees, letters, n)
	}
	r.ch.PutRelation(c)
	return nil
}

func (r *run) letters(n *pg_query.GrantStmt, kind pg_query.ObjectType) (string, error) {
	return r.privilegeLetters(n.Privileges, kind)
}

// privilegeLetters translates privilege names; none means ALL.
func (r *run) privilegeLetters(list []*pg_query.Node, kind pg_query.ObjectType) (string, error) {
	all := allPrivileges(kind)
	if len(list) == 0 {
		return all, nil
	}
	out := ""
	for _, p := range list {
		name := p.GetAccessPriv().GetPrivName()
		if name == "" {
			out += all
			continue
		}
		if name == "temp" {
			name = "temporary"
		}
		i := slices.IndexFunc(privilegeLetters, func(l struct {
			name   string
			letter byte
		},
		) bool {
			return l.name == name
		})
		if i < 0 {
			return "", pgerr.New(pgerr.SyntaxError, "unrecognized privilege type \"%s\"", name)
		}
		l := privilegeLetters[i].letter
		if !strings.ContainsRune(all, rune(l)) {
			return "", pgerr.New(pgerr.InvalidGrantOperation, "invalid privilege type %s for %s", strings.ToUpper(name), strings.ToLower(objectTypeName(kind)))
		}
		out += string(l)
	}
	return out, nil
}

// changeACL grants or revokes letters in an access control list. An absent list stands for the owner's full rights and,
// for some kinds, rights of everyone, which it begins with.
func changeACL(acl []string, owner, ownerAll, publicAll string, grantees []string, letters string, n *pg_query.GrantStmt) []string {
	out := slices.Clone(acl)
	if len(out) == 0 {
		if publicAll != "" {
			out = append(out, "="+publicAll+"/"+owner)
		}
		if ownerAll != "" {
			out = append(out, quoteACL(owner)+"="+ownerAll+"/"+owner)
		}
	}
	for _, g := range grantees {
		prefix := quoteACL(g) + "="
		i := slices.IndexFunc(out, func(a string) bool { return strings.HasPrefix(a, prefix) })
		have := ""
		if i >= 0 {
			have, _, _ = strings.Cut(out[i][len(prefix):], "/")
		}
		now := mergePrivileges(have, letters, n.IsGrant, n.GrantOption)
		item := prefix + now + "/" + owner
		switch {
		case i >= 0 && now == "":
			out = slices.Delete(out, i, i+1)
		case i >= 0:
			out[i] = item
		case now != "":
			out = append(out, item)
		}
	}
	return out
}

var plainACL = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

// quoteACL writes a role's name in an aclitem, which quotes other names than an SQL identifier: Bob stays Bob.
func quoteACL(name string) string {
	if plainACL.MatchString(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// mergePrivileges adds or removes letters, each perhaps followed by * for the grant option, and keeps aclitem's order.
func mergePrivileges(have, letters string, grant, option bool) string {
	out := ""
	for _, l := range privilegeLetters {
		has := strings.IndexByte(have, l.letter)
		star := has >= 0 && has+1 < len(have) && have[has+1] == '*'
		on := has >= 0
		if strings.IndexByte(letters, l.letter) >= 0 {
			switch {
			case grant:
				on, star = true, star || option
			case option:
				star = false
			default:
				on = false
			}
		}
		if on {
			out += string(l.letter)
			if star {
				out += "*"
			}
		}
	}
	return out
}

// grantedNames is the name of a type in GRANT, which the parser gives as a list, or as a type name.
func grantedNames(o *pg_query.Node) []string {
	if l := o.GetList(); l != nil {
		return names(l.GetItems())
	}
	return names(o.GetTypeName().GetNames())
}

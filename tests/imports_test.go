package tests

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/pgmongo/pgmongo/"

// layers lists every package with those of this module that it may import: imports go in one direction. A package that
// is not in the table fails the test, so that a new one finds its place on purpose. "..." stands for all sub-packages.
var layers = []struct {
	pkg string
	may []string
}{
	{"types/facts", nil},
	{"types/pgerr", nil},
	{"types", []string{"types/facts", "types/pgerr"}},
	{"sql", []string{"types/pgerr"}},
	{"metrics", nil},
	{"mongo/mql", []string{"types/pgerr"}},
	{"mongo/mongod", nil},
	{"mongo", []string{"mongo/mql", "types/pgerr"}},
	{"catalog", []string{"types", "types/facts", "types/pgerr", "sql"}},
	{"catalog/catalogtest", []string{"catalog", "catalog/ddl", "expr", "types", "types/pgerr", "sql"}},
	{"catalog/document", []string{"catalog", "types", "types/pgerr"}},
	{"catalog/indexkey", []string{"catalog", "expr", "sql", "types", "types/pgerr"}},
	{"catalog/infer", []string{"catalog", "mongo", "types", "types/pgerr"}},
	{"catalog/schemafile", []string{"catalog", "types"}},
	{"catalog/store", []string{"catalog", "catalog/infer", "mongo", "txn", "txn/cluster", "types", "types/pgerr", "catalog/ddl", "catalog/document", "catalog/indexkey", "expr", "planner"}},
	{"expr", []string{"catalog", "mongo/mql", "sql", "types", "types/facts", "types/pgerr"}},
	{"expr/fn", []string{"expr", "catalog", "mongo/mql", "types", "types/facts", "types/pgerr"}},
	{"catalog/infoschema", []string{"catalog", "expr", "types", "types/facts", "types/pgerr"}},
	{"catalog/pgcatalog", []string{"catalog", "catalog/infoschema", "expr", "sql", "types", "types/facts", "types/pgerr"}},
	{"planner", []string{"catalog", "expr", "mongo/mql", "sql", "types", "types/pgerr", "types/facts"}},
	{"txn/cluster", []string{"mongo", "types/pgerr"}},
	{"txn", []string{"txn/cluster", "mongo", "types", "types/pgerr"}},
	{"executor", []string{"planner", "expr", "catalog", "catalog/document", "catalog/indexkey", "txn", "mongo", "mongo/mql", "types", "types/pgerr", "expr/fn"}},
	{"executor/plpgsql", []string{"planner", "expr", "catalog", "sql", "types", "types/facts", "types/pgerr"}},
	{"catalog/ddl", []string{"catalog", "catalog/document", "catalog/indexkey", "catalog/store", "executor", "expr", "mongo", "planner", "sql", "txn", "types", "types/facts", "types/pgerr"}},
	{"server/settings", []string{"types", "types/facts", "types/pgerr"}},
	{"server/session", []string{"catalog/...", "txn/cluster", "executor", "executor/plpgsql", "expr/...", "metrics", "mongo", "planner", "server/settings", "sql", "txn", "types/...", "catalog", "expr", "types", "server/copyio"}},
	{"server/copyio", []string{"types", "types/pgerr"}},
	{"server", []string{"server/session", "server/settings", "metrics", "sql", "types", "types/pgerr", "executor", "planner", "server/copyio"}},
	{"server/instance", []string{"server/...", "txn/cluster", "catalog/...", "expr/...", "metrics", "mongo", "txn", "types/...", "expr", "server"}},
}

func TestImportsGoInOneDirection(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	known := map[string][]string{}
	for _, l := range layers {
		known[l.pkg] = l.may
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		path, imports, _ := strings.Cut(line, ":")
		pkg := strings.TrimPrefix(path, module)
		if strings.HasPrefix(pkg, "cmd/") || strings.HasPrefix(pkg, "tests") {
			continue
		}
		may, ok := known[pkg]
		if !ok {
			t.Errorf("package %s is not in the table of layers", pkg)
			continue
		}
		for _, imp := range strings.Fields(imports) {
			if dep, ours := strings.CutPrefix(imp, module); ours && !allowed(dep, may) {
				t.Errorf("%s must not import %s", pkg, dep)
			}
			if strings.HasPrefix(imp, "go.mongodb.org/mongo-driver/") && !strings.Contains(imp, "/bson") && pkg != "mongo" && pkg != "mongo/mongod" {
				t.Errorf("%s must not import the driver (%s)", pkg, imp)
			}
			if strings.HasSuffix(imp, "/pgproto3") && pkg != "server" {
				t.Errorf("%s must not know the wire protocol", pkg)
			}
		}
	}
}

func allowed(dep string, may []string) bool {
	for _, m := range may {
		if dep == m || strings.HasSuffix(m, "/...") && strings.HasPrefix(dep, strings.TrimSuffix(m, "...")) {
			return true
		}
	}
	return false
}

package settings

import (
	"strings"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// checks are the parameters whose values PostgreSQL looks into; each returns the canonical form.
var checks = map[string]func(string) (string, error){
	"TimeZone": func(v string) (string, error) {
		_, name, err := Zone(v)
		return name, err
	},
	"DateStyle":                  checkDateStyle,
	"client_encoding":            checkEncoding,
	"default_with_oids":          checkOids,
	"application_name":           checkASCII,
	"cluster_name":               checkASCII,
	"search_path":                checkPath,
	"default_tablespace":         checkTablespace,
	"default_text_search_config": checkTextSearch,
	"synchronous_commit":         func(v string) (string, error) { return v, nil },
}

func checkOids(v string) (string, error) {
	if v == "on" {
		return "", pgerr.New(pgerr.FeatureNotSupported, "tables declared WITH OIDS are not supported")
	}
	return v, nil
}

// checkASCII replaces what is not printable ASCII by question marks, byte by byte.
func checkASCII(v string) (string, error) {
	b := []byte(v)
	for i, c := range b {
		if c < 32 || c > 126 {
			b[i] = '?'
		}
	}
	return string(b), nil
}

func checkPath(v string) (string, error) {
	if _, ok := SplitIdentifiers(v); !ok {
		return "", pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"search_path\": \"%s\"", v).
			WithDetail("List syntax is invalid.")
	}
	return v, nil
}

// checkTextSearch qualifies the name of a built-in configuration.
func checkTextSearch(v string) (string, error) {
	parts, ok := SplitIdentifiers(strings.ReplaceAll(v, ".", ","))
	f := facts.Load("pg_ts_config")
	for _, r := range f.Rows {
		name := r[f.Col("cfgname")]
		if ok && (len(parts) == 1 && parts[0] == name || len(parts) == 2 && parts[0] == "pg_catalog" && parts[1] == name) {
			return "pg_catalog." + name, nil
		}
	}
	return "", pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"default_text_search_config\": \"%s\"", v)
}

func checkTablespace(v string) (string, error) {
	if v == "" || v == "pg_default" {
		return v, nil
	}
	return "", pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"default_tablespace\": \"%s\"", v).
		WithDetail("Tablespace \"%s\" does not exist.", v)
}

func checkEncoding(v string) (string, error) {
	switch e := types.EncodingByName(v); {
	case e == nil:
		return "", pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"client_encoding\": \"%s\"", v)
	case !e.Known():
		return "", pgerr.Unsupported("conversion between " + e.Name + " and UTF8")
	default:
		return e.Name, nil
	}
}

func checkDateStyle(v string) (string, error) {
	style, order, err := parseDateStyle(v, "ISO", "MDY")
	if err != nil {
		return "", err
	}
	return style + ", " + order, nil
}

// parseDateStyle reads a DateStyle value; what it does not say keeps the given style and order.
func parseDateStyle(v, style, order string) (string, string, error) {
	bad := func(detail string, args ...any) error {
		return pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"DateStyle\": \"%s\"", v).WithDetail(detail, args...)
	}
	words, ok := SplitIdentifiers(v)
	if !ok {
		return "", "", bad("List syntax is invalid.")
	}
	var s, o string
	set := func(p *string, val string) bool {
		if *p != "" && *p != val {
			return false
		}
		*p = val
		return true
	}
	for _, w := range words {
		fine := true
		switch {
		case w == "iso":
			fine = set(&s, "ISO")
		case w == "sql":
			fine = set(&s, "SQL")
		case strings.HasPrefix(w, "postgres"):
			fine = set(&s, "Postgres")
		case w == "german":
			fine = set(&s, "German")
			if o == "" && fine {
				order = "DMY"
			}
		case w == "ymd":
			fine = set(&o, "YMD")
		case w == "dmy", strings.HasPrefix(w, "euro"):
			fine = set(&o, "DMY")
		case w == "mdy", strings.HasPrefix(w, "us"), strings.HasPrefix(w, "noneuro"):
			fine = set(&o, "MDY")
		case w == "default":
		default:
			return "", "", bad("Unrecognized key word: \"%s\".", w)
		}
		if !fine {
			return "", "", bad("Conflicting \"datestyle\" specifications.")
		}
	}
	if s != "" {
		style = s
	}
	if o != "" {
		order = o
	}
	return style, order, nil
}

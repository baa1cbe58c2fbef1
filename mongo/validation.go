package mongo

import (
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// rejected names the rules of a validator that a document does not keep, from the details that the server gives:
// `name: maxLength 5 (specified string length was not satisfied); required: missing "mail"`.
func rejected(details bson.Raw) string {
	var rules []string
	walkRules(details, "", &rules)
	return strings.Join(rules, "; ")
}

// lists are where the details of a rule hold those of the rules in it.
var lists = []string{"schemaRulesNotSatisfied", "propertiesNotSatisfied", "clausesNotSatisfied", "details"}

// walkRules adds the rules in details that have no others in them; property is the field that they are about.
func walkRules(d bson.Raw, property string, rules *[]string) {
	name := func(key string) string {
		s, _ := d.Lookup(key).StringValueOK()
		return s
	}
	if p := name("propertyName"); p != "" {
		if property != "" {
			property += "."
		}
		property += p
	}
	below := false
	for _, key := range lists {
		v := d.Lookup(key)
		if doc, ok := v.DocumentOK(); ok {
			below = true
			walkRules(doc, property, rules)
		}
		list, ok := v.ArrayOK()
		if !ok {
			continue
		}
		vals, err := list.Values()
		if err != nil {
			return
		}
		for _, v := range vals {
			if doc, ok := v.DocumentOK(); ok {
				below = true
				walkRules(doc, property, rules)
			}
		}
	}
	operator := name("operatorName")
	if below || operator == "" {
		return
	}
	rule := operator
	if spec, ok := d.Lookup("specifiedAs").DocumentOK(); ok {
		if text, err := bson.MarshalExtJSON(spec, false, false); err == nil {
			rule = strings.TrimSuffix(strings.TrimPrefix(string(text), "{"), "}")
		}
	}
	if missing, ok := d.Lookup("missingProperties").ArrayOK(); ok {
		rule = "required: missing " + strings.Trim(missing.String(), "[]")
	}
	if reason := name("reason"); reason != "" {
		rule += fmt.Sprintf(" (%s)", reason)
	}
	if property != "" {
		rule = property + ": " + rule
	}
	*rules = append(*rules, rule)
}

// keyText is the key of a duplicate, as PostgreSQL writes it: "(a, b)=(1, x)".
func keyText(key bson.Raw) string {
	elems, err := key.Elements()
	if err != nil || len(elems) == 0 {
		return ""
	}
	var names, vals []string
	for _, e := range elems {
		v := e.Value()
		s, ok := v.StringValueOK()
		switch n, isInt := v.AsInt64OK(); {
		case ok:
		case v.Type == bson.TypeNull:
			s = "null"
		case isInt && v.Type != bson.TypeDouble:
			s = fmt.Sprint(n)
		case v.Type == bson.TypeObjectID:
			s = v.ObjectID().Hex()
		default:
			s = v.String()
		}
		names, vals = append(names, e.Key()), append(vals, s)
	}
	return fmt.Sprintf("(%s)=(%s)", strings.Join(names, ", "), strings.Join(vals, ", "))
}

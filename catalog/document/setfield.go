package document

import "go.mongodb.org/mongo-driver/v2/bson"

// SetField returns a copy of a document with one field set; a value without a type removes the field.
func SetField(doc bson.Raw, path []string, v bson.RawValue) bson.Raw {
	return applyChanges(doc, []change{{path: path, v: v, drop: v.Type == 0}})
}

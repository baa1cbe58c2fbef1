package types

import "go.mongodb.org/mongo-driver/v2/bson"

// FromBSON reads a stored value as a value of t; null reads as NULL. A value that does not fit t is a 22P02 error that
// names the BSON type found; the caller adds collection, field and _id.
func FromBSON(t *T, v bson.RawValue) (Datum, error) { return Null, nil }

// AppendBSON appends an element with the value's stored form: key and value for an element of a document under
// construction. NULL is written as null.
func AppendBSON(dst []byte, key string, t *T, d Datum) ([]byte, error) { return dst, nil }

// ToBSON returns the stored form of a value, as used in filters and as _id.
func ToBSON(t *T, d Datum) (bson.RawValue, error) { return bson.RawValue{}, nil }

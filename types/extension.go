package types

import (
	"strconv"
	"strings"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// extensionCodec is how the values of an extension's base type are read, written and ordered.
type extensionCodec struct {
	rep    Rep
	input  func(s string) (Datum, error)
	output func(dst []byte, d Datum) []byte
	// receive and send are the binary format.
	receive func(b []byte) (Datum, error)
	send    func(dst []byte, d Datum) []byte
	// compare is the default btree class; nil for a type that has none.
	compare func(a, b Datum) int
	// key returns what equal values share; it is what is hashed. folds says that it is not the value itself.
	key   func(d Datum) string
	folds bool
	// fromBSON and appendBSON are the stored form; nil means the text form as a string.
	fromBSON   func(v bson.RawValue) (Datum, bool)
	appendBSON func(dst []byte, d Datum) (bson.Type, []byte)
}

// extensionCodecs are the extensions' types that have values, by name. The others (gtrgm, ghstore ...) exist only inside
// PostgreSQL's own indexes.
var extensionCodecs = map[string]*extensionCodec{
	"citext":    {rep: RepString, input: inputText, output: outputString, receive: receiveUTF8, send: outputString, compare: compareFolded, key: foldedKey, folds: true},
	"hstore":    {rep: RepRef, input: inputHStore, output: outputHStore, receive: receiveHStore, send: sendHStore, compare: compareHStore, key: hstoreKey, fromBSON: hstoreFromBSON, appendBSON: appendHStoreBSON},
	"ltree":     {rep: RepString, input: ParseLTree, output: outputString, receive: versioned(ParseLTree), send: sendVersioned, compare: compareLTree, key: Datum.Str},
	"lquery":    {rep: RepString, input: inputLQuery, output: outputString, receive: versioned(inputLQuery), send: sendVersioned, key: Datum.Str},
	"ltxtquery": {rep: RepString, input: inputLTXTQuery, output: outputString, receive: versioned(inputLTXTQuery), send: sendVersioned, key: Datum.Str},
	"cube":      {rep: RepRef, input: inputCube, output: outputCube, receive: receiveCube, send: sendCube, compare: compareCube, key: cubeKey},
}

func outputString(dst []byte, d Datum) []byte { return append(dst, d.Str()...) }

// versioned reads the binary format that is a version byte and the text form.
func versioned(input func(string) (Datum, error)) func([]byte) (Datum, error) {
	return func(b []byte) (Datum, error) {
		if len(b) == 0 || b[0] != 1 {
			return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "unsupported version number in binary data")
		}
		return input(string(b[1:]))
	}
}

func sendVersioned(dst []byte, d Datum) []byte { return append(append(dst, 1), d.Str()...) }

// Lower is PostgreSQL's lower() in C.UTF-8.
func Lower(s string) string { return strings.Map(unicode.ToLower, s) }

func compareFolded(a, b Datum) int { return strings.Compare(Lower(a.Str()), Lower(b.Str())) }

func foldedKey(d Datum) string { return Lower(d.Str()) }

// Folds reports whether values of t that are not the same text are equal: 'A' and 'a' of citext.
func Folds(t *T) bool {
	base := t.BaseType()
	return base.ext != nil && base.ext.folds
}

// ExtensionTypes makes the types of an extension as they are when it is installed in a schema, arrays left out; nil for an
// extension without types.
func ExtensionTypes(extension, schema string) []*T {
	f := facts.Load("ext_type")
	var ts []*T
	for _, r := range f.Rows {
		cell := func(name string) string { return r[f.Col(name)] }
		num := func(name string) int64 {
			n, _ := strconv.ParseInt(cell(name), 10, 64)
			return n
		}
		if cell("extension") != extension {
			continue
		}
		t := &T{
			OID: uint32(num("oid")), Name: cell("typname"), Schema: schema, Len: int16(num("typlen")), ByVal: cell("typbyval") == "t",
			Kind: cell("typtype")[0], Category: cell("typcategory")[0], Preferred: cell("typispreferred") == "t", ArrayOID: uint32(num("typarray")),
			Collation: uint32(num("typcollation")), Align: cell("typalign")[0], Storage: cell("typstorage")[0], BaseTypmod: -1, Rep: RepString,
		}
		if t.ext = extensionCodecs[t.Name]; t.ext != nil {
			t.Rep = t.ext.rep
		} else {
			t.ext = opaque(t)
		}
		ts = append(ts, t)
	}
	return ts
}

// opaque is the codec of a type whose values no query sees.
func opaque(t *T) *extensionCodec {
	refuse := func() (Datum, error) {
		return Null, pgerr.New(pgerr.FeatureNotSupported, "cannot accept a value of type %s", t.Name)
	}
	return &extensionCodec{
		rep: RepString, input: func(string) (Datum, error) { return refuse() }, output: outputString,
		receive: func([]byte) (Datum, error) { return refuse() }, send: outputString, key: Datum.Str,
	}
}

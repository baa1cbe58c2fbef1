package documents

import (
	"context"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// make inserts what a fixture stands for into the collection of its name.
func (f *file) make(name string) string {
	docs := fixtures[name]
	if docs == nil {
		f.t.Fatalf("no fixture %s", name)
	}
	if _, err := f.native.Collection(name).InsertMany(context.Background(), docs()); err != nil {
		f.t.Fatal(err)
	}
	return "ok"
}

var fixtures = map[string]func() []any{
	// A thousand fields, f0 to f999, each an int32 of its number.
	"wide": func() []any {
		d := bson.D{{Key: "_id", Value: int32(1)}}
		for i := range 1000 {
			d = append(d, bson.E{Key: fmt.Sprintf("f%d", i), Value: int32(i)})
		}
		return []any{d}
	},
	// Fields of which no two documents have the same: k<i> of i.
	"differing": func() []any {
		docs := make([]any, 100_000)
		for i := range docs {
			docs[i] = bson.D{{Key: "_id", Value: int32(i)}, {Key: "n", Value: int32(i % 10)}, {Key: fmt.Sprintf("k%d", i), Value: int32(i)}}
		}
		return docs
	},
	// A document of nearly 16 MB, and a small one.
	"big": func() []any {
		return []any{bson.D{{Key: "_id", Value: int32(1)}, {Key: "s", Value: strings.Repeat("x", 16<<20-100)}}, bson.D{{Key: "_id", Value: int32(2)}, {Key: "s", Value: "small"}}}
	},
	// A hundred documents inside each other, under the key d; MongoDB allows no more.
	"deep": func() []any {
		d := bson.D{{Key: "end", Value: int32(7)}}
		for range 98 {
			d = bson.D{{Key: "d", Value: d}}
		}
		return []any{append(bson.D{{Key: "_id", Value: int32(1)}}, d...)}
	},
}

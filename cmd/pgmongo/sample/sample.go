// Package sample makes the demonstration's documents: a public data set of countries, nested and irregular as published,
// and an e-commerce set generated from a seed, with the missing fields, nulls and mixed types that real collections have.
package sample

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

//go:embed data/countries.jsonl.gz
var countries []byte

// Insert stores documents in a collection; it is called with batches of at most Batch documents.
type Insert func(collection string, docs []any) error

// Batch is the most documents handed to one Insert.
const Batch = 2000

// Load generates every sample collection through insert: countries, customers, products, orders. size is the number of
// orders; customers and products follow from it.
func Load(insert Insert, seed uint64, size int) error {
	if err := loadCountries(insert); err != nil {
		return err
	}
	return loadShop(insert, seed, size)
}

func loadCountries(insert Insert) error {
	zr, err := gzip.NewReader(bytes.NewReader(countries))
	if err != nil {
		return fmt.Errorf("countries: %w", err)
	}
	lines := bufio.NewScanner(zr)
	lines.Buffer(nil, 1<<20)
	var docs []any
	for lines.Scan() {
		var doc bson.D
		if err := bson.UnmarshalExtJSON(lines.Bytes(), false, &doc); err != nil {
			return fmt.Errorf("countries: %w", err)
		}
		docs = append(docs, doc)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("countries: %w", err)
	}
	return insert("countries", docs)
}

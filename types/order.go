package types

// Compare orders two non-NULL values of t by its default btree operator class: negative, zero or positive.
func Compare(t *T, a, b Datum) int { return 0 }

// Equal reports equality by t's default equality operator.
func Equal(t *T, a, b Datum) bool { return Compare(t, a, b) == 0 }

// Hash hashes a non-NULL value of t so that equal values (also across int2, int4 and int8, and across scales of numeric)
// have equal hashes.
func Hash(t *T, d Datum, seed uint64) uint64 { return seed }

// Sortable and Hashable report whether t has a default btree and hash operator class.
func Sortable(t *T) bool { return true }

// Hashable reports whether t has a default hash operator class.
func Hashable(t *T) bool { return true }

// Size estimates the memory that a value holds beyond the Datum itself, in bytes.
func Size(d Datum) int { return 0 }

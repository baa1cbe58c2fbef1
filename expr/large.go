package expr

import "context"

// LargeObjects are the large objects of a database as a statement of a session sees them. Descriptors live until the end of
// the transaction. Errors are PostgreSQL's.
type LargeObjects interface {
	// Create makes an object; with 0 it chooses the OID.
	Create(ctx context.Context, oid uint32) (uint32, error)
	Unlink(ctx context.Context, oid uint32) error
	// Open returns a descriptor, Close ends one.
	Open(ctx context.Context, oid uint32, mode int32) (int32, error)
	Close(fd int32) error
	// Read and Write work at the descriptor's position and move it.
	Read(ctx context.Context, fd int32, n int32) ([]byte, error)
	Write(ctx context.Context, fd int32, data []byte) error
	// Seek moves a descriptor: whence is 0 from the start, 1 from the position, 2 from the end.
	Seek(ctx context.Context, fd int32, offset int64, whence int32) (int64, error)
	Tell(fd int32) (int64, error)
	Truncate(ctx context.Context, fd int32, size int64) error
	// Get reads n bytes, or with a negative n all, of an object; Put writes into one.
	Get(ctx context.Context, oid uint32, offset int64, n int64) ([]byte, error)
	Put(ctx context.Context, oid uint32, offset int64, data []byte) error
}

// UsesLargeObjects reports whether a built-in function reads or writes large objects, by its OID: such functions run in a
// transaction of their own statements.
func UsesLargeObjects(oid uint32) bool {
	switch oid {
	case 715, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172, 3457, 3458, 3459, 3460:
		return true
	}
	return false
}

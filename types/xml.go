package types

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// xmlDeclaration finds the declaration in front of XML: its version and standalone with their quotes.
var xmlDeclaration = regexp.MustCompile(`^<\?xml\s+version\s*=\s*("[\w.:-]+"|'[\w.:-]+')(?:\s+encoding\s*=\s*(?:"[\w.:-]+"|'[\w.:-]+'))?` +
	`(?:\s+standalone\s*=\s*("yes"|"no"|'yes'|'no'))?\s*\?>`)

// inputXML checks that s is well-formed XML content.
func inputXML(s string) (Datum, error) {
	d := xml.NewDecoder(strings.NewReader(s[len(xmlDeclaration.FindString(s)):]))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return Str(s), nil
		}
		if err != nil {
			return Null, pgerr.New(pgerr.InvalidXmlContent, "invalid XML content").WithDetail("%s", err.Error())
		}
	}
}

// appendXML writes XML for a client: the declaration leaves out the encoding, which may not be the client's, and goes
// when it says nothing else, with its line.
func appendXML(dst []byte, s string) []byte {
	m := xmlDeclaration.FindStringSubmatchIndex(s)
	if m == nil {
		return append(dst, s...)
	}
	version, rest := s[m[2]+1:m[3]-1], s[m[1]:]
	if version == "1.0" && m[4] < 0 {
		return append(dst, strings.TrimPrefix(rest, "\n")...)
	}
	dst = append(append(append(dst, `<?xml version="`...), version...), '"')
	if m[4] >= 0 {
		dst = append(append(append(dst, ` standalone="`...), s[m[4]+1:m[5]-1]...), '"')
	}
	return append(append(dst, "?>"...), rest...)
}

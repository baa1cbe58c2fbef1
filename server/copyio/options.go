// Package copyio reads and writes the data formats of COPY: text, csv and binary.
package copyio

import (
	"strings"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Format is a data format of COPY.
type Format uint8

// The formats.
const (
	Text Format = iota
	CSV
	Binary
)

// Header is what COPY does with a first line of names.
type Header uint8

// The ways of HEADER.
const (
	NoHeader Header = iota
	WithHeader
	MatchHeader
)

// Option is one option of the statement. Bare says that no value was given; List is a parenthesised list's items, Star
// says that the value was *.
type Option struct {
	Name  string
	Value string
	Bare  bool
	List  []string
	Star  bool
	Loc   int32
}

// Options are the checked options of a COPY.
type Options struct {
	Format      Format
	Delimiter   byte
	Null        string
	Header      Header
	Quote       byte
	Escape      byte
	ForceQuote  []string
	ForceAll    bool
	ForceNotNul []string
	ForceNull   []string
	Encoding    *types.Encoding // nil: the client's
}

// parsing keeps which options were given.
type parsing struct {
	o                       *Options
	from                    bool
	format, freeze, header  bool
	delim, null, quote, esc *string
	fq, fnn, fn, encoding   bool
}

// Parse checks the options of COPY FROM or COPY TO and fills in defaults. Errors are PostgreSQL's.
func Parse(from bool, opts []Option) (*Options, error) {
	p := &parsing{o: &Options{}, from: from}
	for i := range opts {
		if err := p.option(&opts[i]); err != nil {
			return nil, pgerr.At(err, opts[i].Loc)
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p.o, nil
}

func once(set *bool) error {
	if *set {
		return pgerr.New(pgerr.SyntaxError, "conflicting or redundant options")
	}
	*set = true
	return nil
}

func text(dst **string, o *Option) error {
	if *dst != nil {
		return pgerr.New(pgerr.SyntaxError, "conflicting or redundant options")
	}
	if o.Bare {
		return pgerr.New(pgerr.SyntaxError, "%s requires a parameter", o.Name)
	}
	*dst = &o.Value
	return nil
}

func (p *parsing) option(o *Option) error {
	switch o.Name {
	case "format":
		if err := once(&p.format); err != nil {
			return err
		}
		if o.Bare {
			return pgerr.New(pgerr.SyntaxError, "%s requires a parameter", o.Name)
		}
		switch o.Value {
		case "text":
		case "csv":
			p.o.Format = CSV
		case "binary":
			p.o.Format = Binary
		default:
			return pgerr.New(pgerr.InvalidParameterValue, "COPY format \"%s\" not recognized", o.Value)
		}
	case "freeze":
		return once(&p.freeze)
	case "delimiter":
		return text(&p.delim, o)
	case "null":
		return text(&p.null, o)
	case "quote":
		return text(&p.quote, o)
	case "escape":
		return text(&p.esc, o)
	case "header":
		if err := once(&p.header); err != nil {
			return err
		}
		return p.headerChoice(o)
	case "force_quote":
		if err := once(&p.fq); err != nil {
			return err
		}
		p.o.ForceQuote, p.o.ForceAll = o.List, o.Star
		return wantList(o, o.Star)
	case "force_not_null":
		if err := once(&p.fnn); err != nil {
			return err
		}
		p.o.ForceNotNul = o.List
		return wantList(o, false)
	case "force_null":
		if err := once(&p.fn); err != nil {
			return err
		}
		p.o.ForceNull = o.List
		return wantList(o, false)
	case "encoding":
		if err := once(&p.encoding); err != nil {
			return err
		}
		switch p.o.Encoding = types.EncodingByName(o.Value); {
		case p.o.Encoding == nil:
			return pgerr.New(pgerr.InvalidParameterValue, "argument to option \"%s\" must be a valid encoding name", o.Name)
		case !p.o.Encoding.Known():
			return pgerr.Unsupported("conversion between " + p.o.Encoding.Name + " and UTF8")
		}
	default:
		return pgerr.New(pgerr.SyntaxError, "option \"%s\" not recognized", o.Name)
	}
	return nil
}

func wantList(o *Option, star bool) error {
	if star || o.List != nil {
		return nil
	}
	return pgerr.New(pgerr.InvalidParameterValue, "argument to option \"%s\" must be a list of column names", o.Name)
}

func (p *parsing) headerChoice(o *Option) error {
	switch v := strings.ToLower(o.Value); {
	case o.Bare, v == "true", v == "on", v == "1":
		p.o.Header = WithHeader
	case v == "false", v == "off", v == "0":
		p.o.Header = NoHeader
	case v == "match":
		if !p.from {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot use \"match\" with HEADER in COPY TO")
		}
		p.o.Header = MatchHeader
	default:
		return pgerr.New(pgerr.SyntaxError, "%s requires a Boolean value or \"match\"", o.Name)
	}
	return nil
}

func (p *parsing) check() error {
	o := p.o
	if o.Format == Binary {
		switch {
		case p.delim != nil:
			return pgerr.New(pgerr.SyntaxError, "cannot specify DELIMITER in BINARY mode")
		case p.null != nil:
			return pgerr.New(pgerr.SyntaxError, "cannot specify NULL in BINARY mode")
		}
	}
	delim, null, quote := "\t", `\N`, `"`
	if o.Format == CSV {
		delim, null = ",", ""
	}
	give := func(dst *string, v *string) {
		if v != nil {
			*dst = *v
		}
	}
	give(&delim, p.delim)
	give(&null, p.null)
	give(&quote, p.quote)
	esc := quote
	give(&esc, p.esc)
	o.Null = null
	switch {
	case len(delim) != 1:
		return pgerr.New(pgerr.FeatureNotSupported, "COPY delimiter must be a single one-byte character")
	case strings.ContainsAny(delim, "\r\n"):
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(null, "\r\n"):
		return pgerr.New(pgerr.InvalidParameterValue, "COPY null representation cannot use newline or carriage return")
	case o.Format != CSV && strings.Contains("\\.abcdefghijklmnopqrstuvwxyz0123456789", delim):
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter cannot be \"%s\"", delim)
	case o.Format == Binary && o.Header != NoHeader:
		return pgerr.New(pgerr.FeatureNotSupported, "cannot specify HEADER in BINARY mode")
	}
	if err := p.checkCSV(delim, null, quote, esc); err != nil {
		return err
	}
	o.Delimiter, o.Quote, o.Escape = delim[0], quote[0], esc[0]
	return nil
}

func (p *parsing) checkCSV(delim, null, quote, esc string) error {
	csv := p.o.Format == CSV
	unsupported := func(format string) error { return pgerr.New(pgerr.FeatureNotSupported, "%s", format) }
	switch {
	case !csv && p.quote != nil:
		return unsupported("COPY quote available only in CSV mode")
	case csv && len(quote) != 1:
		return unsupported("COPY quote must be a single one-byte character")
	case csv && delim == quote:
		return pgerr.New(pgerr.InvalidParameterValue, "COPY delimiter and quote must be different")
	case !csv && p.esc != nil:
		return unsupported("COPY escape available only in CSV mode")
	case csv && len(esc) != 1:
		return unsupported("COPY escape must be a single one-byte character")
	case !csv && p.fq:
		return unsupported("COPY force quote available only in CSV mode")
	case p.fq && p.from:
		return unsupported("COPY force quote only available using COPY TO")
	case !csv && p.fnn:
		return unsupported("COPY force not null available only in CSV mode")
	case p.fnn && !p.from:
		return unsupported("COPY force not null only available using COPY FROM")
	case !csv && p.fn:
		return unsupported("COPY force null available only in CSV mode")
	case p.fn && !p.from:
		return unsupported("COPY force null only available using COPY FROM")
	case strings.Contains(null, delim):
		return pgerr.New(pgerr.FeatureNotSupported, "COPY delimiter must not appear in the NULL specification")
	case csv && strings.Contains(null, quote):
		return pgerr.New(pgerr.FeatureNotSupported, "CSV quote character must not appear in the NULL specification")
	}
	return nil
}

package fn

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// pgpConfig reads the options of the pgp_ functions: cipher-algo=aes256, compress-algo=1 ...; those that only tune what is
// written are accepted as they are.
func pgpConfig(options string) (*packet.Config, error) {
	c := &packet.Config{DefaultHash: crypto.SHA256, DefaultCipher: packet.CipherAES128, DefaultCompressionAlgo: packet.CompressionNone}
	for _, o := range strings.FieldsFunc(options, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, value, _ := strings.Cut(o, "=")
		ok := true
		switch name {
		case "cipher-algo":
			c.DefaultCipher, ok = map[string]packet.CipherFunction{
				"aes": packet.CipherAES128, "aes128": packet.CipherAES128, "aes192": packet.CipherAES192, "aes256": packet.CipherAES256,
				"3des": packet.Cipher3DES, "cast5": packet.CipherCAST5,
			}[value]
		case "compress-algo":
			c.DefaultCompressionAlgo, ok = map[string]packet.CompressionAlgo{"0": packet.CompressionNone, "1": packet.CompressionZIP, "2": packet.CompressionZLIB}[value]
		case "compress-level", "convert-crlf", "disable-mdc", "sess-key", "s2k-mode", "s2k-count", "s2k-digest-algo", "s2k-cipher-algo", "unicode-mode":
		default:
			ok = false
		}
		if !ok {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "Bad option: %s", o)
		}
	}
	return c, nil
}

func wrongKey() error { return cryptoFailure("Wrong key or corrupt data") }

// pgpWrite encrypts through one of the library's writers.
func pgpWrite(data []byte, open func(w io.Writer) (io.WriteCloser, error)) (datum, error) {
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return types.Null, cryptoFailure("%v", err)
	}
	return types.Bytes(b.Bytes()), nil
}

func pgpRead(message []byte, keys openpgp.EntityList, password string) (datum, error) {
	asked := false
	md, err := openpgp.ReadMessage(bytes.NewReader(message), keys, func(list []openpgp.Key, symmetric bool) ([]byte, error) {
		if asked {
			return nil, errors.New("the password is wrong")
		}
		asked = true
		for _, k := range list {
			if k.PrivateKey != nil {
				if err := k.PrivateKey.Decrypt([]byte(password)); err != nil {
					return nil, err
				}
			}
		}
		return []byte(password), nil
	}, nil)
	if err != nil {
		return types.Null, wrongKey()
	}
	out, err := io.ReadAll(md.UnverifiedBody)
	if err != nil {
		return types.Null, wrongKey()
	}
	return types.Bytes(out), nil
}

func optional(args []datum, i int) string {
	if i < len(args) {
		return args[i].Str()
	}
	return ""
}

func pgpSymEncrypt(binary bool) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		c, err := pgpConfig(optional(args, 2))
		if err != nil {
			return types.Null, err
		}
		return pgpWrite(args[0].Bytes(), func(w io.Writer) (io.WriteCloser, error) {
			return openpgp.SymmetricallyEncrypt(w, args[1].Bytes(), &openpgp.FileHints{IsBinary: binary}, c)
		})
	}
}

func pgpSymDecrypt(_ *expr.Env, args []datum) (datum, error) {
	if _, err := pgpConfig(optional(args, 2)); err != nil {
		return types.Null, err
	}
	return pgpRead(args[0].Bytes(), nil, args[1].Str())
}

func pgpPubEncrypt(binary bool) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		c, err := pgpConfig(optional(args, 2))
		if err != nil {
			return types.Null, err
		}
		keys, err := openpgp.ReadKeyRing(bytes.NewReader(args[1].Bytes()))
		if err != nil {
			return types.Null, cryptoFailure("No encryption key found")
		}
		return pgpWrite(args[0].Bytes(), func(w io.Writer) (io.WriteCloser, error) {
			return openpgp.Encrypt(w, keys, nil, &openpgp.FileHints{IsBinary: binary}, c)
		})
	}
}

func pgpPubDecrypt(_ *expr.Env, args []datum) (datum, error) {
	keys, err := openpgp.ReadKeyRing(bytes.NewReader(args[1].Bytes()))
	if err != nil {
		return types.Null, wrongKey()
	}
	return pgpRead(args[0].Bytes(), keys, optional(args, 2))
}

// crc24 is the checksum of armored messages (RFC 4880, section 6.1).
func crc24(data []byte) []byte {
	crc := uint32(0xb704ce)
	for _, c := range data {
		crc ^= uint32(c) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return []byte{byte(crc >> 16), byte(crc >> 8), byte(crc)}
}

// armored writes a message with headers, 76 characters a line.
func armored(data []byte, headers [][2]string) string {
	var b strings.Builder
	b.WriteString("-----BEGIN PGP MESSAGE-----\n")
	for _, h := range headers {
		b.WriteString(h[0] + ": " + h[1] + "\n")
	}
	b.WriteByte('\n')
	for text := base64.StdEncoding.EncodeToString(data); text != ""; {
		n := min(len(text), 76)
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString("=" + base64.StdEncoding.EncodeToString(crc24(data)) + "\n-----END PGP MESSAGE-----\n")
	return b.String()
}

// pgpImpls are pgcrypto's functions for OpenPGP messages.
func pgpImpls() []expr.Impl {
	out := []expr.Impl{
		{OID: 2000009001, Name: "armor", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Str(armored(a.Bytes(), nil)), nil }},
		{OID: 2000009002, Name: "armor", Eval: func(_ *expr.Env, args []datum) (datum, error) {
			keys, values := texts(args[1]), texts(args[2])
			if len(keys) != len(values) {
				return types.Null, pgerr.New(pgerr.ArraySubscriptError, "mismatched array dimensions")
			}
			headers := make([][2]string, len(keys))
			for i := range keys {
				headers[i] = [2]string{keys[i], values[i]}
			}
			return types.Str(armored(args[0].Bytes(), headers)), nil
		}},
		{OID: 2000009004, Name: "dearmor", F1: func(_ *expr.Env, a datum) (datum, error) {
			block, err := armor.Decode(strings.NewReader(a.Str()))
			if err != nil {
				return types.Null, cryptoFailure("Corrupt ascii-armor")
			}
			data, err := io.ReadAll(block.Body)
			if err != nil {
				return types.Null, cryptoFailure("Corrupt ascii-armor")
			}
			return types.Bytes(data), nil
		}},
	}
	for i, name := range []string{"pgp_pub_decrypt", "pgp_pub_decrypt", "pgp_pub_decrypt", "pgp_pub_decrypt_bytea", "pgp_pub_decrypt_bytea", "pgp_pub_decrypt_bytea"} {
		out = append(out, expr.Impl{OID: 2000009018 + uint32(i), Name: name, Eval: pgpPubDecrypt})
	}
	for i, name := range []string{"pgp_pub_encrypt", "pgp_pub_encrypt", "pgp_pub_encrypt_bytea", "pgp_pub_encrypt_bytea"} {
		out = append(out, expr.Impl{OID: 2000009024 + uint32(i), Name: name, Eval: pgpPubEncrypt(i > 1)})
	}
	for i, name := range []string{"pgp_sym_decrypt", "pgp_sym_decrypt", "pgp_sym_decrypt_bytea", "pgp_sym_decrypt_bytea"} {
		out = append(out, expr.Impl{OID: 2000009028 + uint32(i), Name: name, Eval: pgpSymDecrypt})
	}
	for i, name := range []string{"pgp_sym_encrypt", "pgp_sym_encrypt", "pgp_sym_encrypt_bytea", "pgp_sym_encrypt_bytea"} {
		out = append(out, expr.Impl{OID: 2000009032 + uint32(i), Name: name, Eval: pgpSymEncrypt(i > 1)})
	}
	return out
}

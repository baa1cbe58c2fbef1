package fn

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strings"

	//lint:ignore SA1019 bcrypt and the cipher bf are what applications ask for
	"golang.org/x/crypto/blowfish"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// digests are the hash algorithms of digest and hmac.
var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

func digestOf(name string) (func() hash.Hash, error) {
	if f := digests[strings.ToLower(name)]; f != nil {
		return f, nil
	}
	return nil, pgerr.New(pgerr.InvalidParameterValue, "Cannot use \"%s\": No such hash algorithm", name)
}

func cryptoFailure(format string, args ...any) error {
	return pgerr.New(pgerr.ExternalRoutineInvocationException, format, args...)
}

// blockCipher is a cipher as encrypt and decrypt name it: aes, aes-ecb, bf-cbc/pad:none ...
type blockCipher struct {
	block cipher.Block
	ecb   bool
	pad   bool
}

func parseCipher(name string, key []byte) (*blockCipher, error) {
	unknown := pgerr.New(pgerr.InvalidParameterValue, "Cannot use \"%s\": No such cipher algorithm", name)
	main, options, _ := strings.Cut(strings.ToLower(name), "/")
	algo, mode, hasMode := strings.Cut(main, "-")
	c := &blockCipher{pad: true, ecb: mode == "ecb"}
	if hasMode && mode != "ecb" && mode != "cbc" {
		return nil, unknown
	}
	for _, o := range strings.Split(options, "/") {
		switch o {
		case "", "pad:pkcs":
		case "pad:none":
			c.pad = false
		default:
			return nil, unknown
		}
	}
	var err error
	switch algo {
	case "aes", "rijndael", "aes128", "aes192", "aes256":
		size := 16
		for size < len(key) {
			size += 8
		}
		if size > 32 {
			return nil, cryptoFailure("encrypt error: Key was too big")
		}
		c.block, err = aes.NewCipher(padZero(key, size))
	case "bf", "blowfish":
		c.block, err = blowfish.NewCipher(key)
	case "des":
		c.block, err = des.NewCipher(padZero(key, 8))
	case "3des", "des3":
		c.block, err = des.NewTripleDESCipher(padZero(key, 24))
	default:
		return nil, unknown
	}
	if err != nil {
		return nil, cryptoFailure("encrypt error: %v", err)
	}
	return c, nil
}

// padZero makes a text n bytes long: zeros after it, or its beginning.
func padZero(b []byte, n int) []byte {
	out := make([]byte, n)
	copy(out, b)
	return out
}

func (c *blockCipher) encrypt(data, iv []byte) ([]byte, error) {
	n := c.block.BlockSize()
	data = bytes.Clone(data)
	if c.pad {
		fill := n - len(data)%n
		data = append(data, bytes.Repeat([]byte{byte(fill)}, fill)...)
	}
	if len(data)%n != 0 {
		return nil, cryptoFailure("encrypt error: Encryption failed")
	}
	if c.ecb {
		for i := 0; i < len(data); i += n {
			c.block.Encrypt(data[i:], data[i:])
		}
		return data, nil
	}
	cipher.NewCBCEncrypter(c.block, padZero(iv, n)).CryptBlocks(data, data)
	return data, nil
}

func (c *blockCipher) decrypt(data, iv []byte) ([]byte, error) {
	n := c.block.BlockSize()
	bad := cryptoFailure("decrypt error: Decryption failed")
	if len(data) == 0 && !c.pad {
		return nil, nil
	}
	if len(data)%n != 0 || len(data) == 0 {
		return nil, bad
	}
	data = bytes.Clone(data)
	if c.ecb {
		for i := 0; i < len(data); i += n {
			c.block.Decrypt(data[i:], data[i:])
		}
	} else {
		cipher.NewCBCDecrypter(c.block, padZero(iv, n)).CryptBlocks(data, data)
	}
	if !c.pad {
		return data, nil
	}
	fill := int(data[len(data)-1])
	if fill == 0 || fill > n || !bytes.HasSuffix(data, bytes.Repeat([]byte{byte(fill)}, fill)) {
		return nil, bad
	}
	return data[:len(data)-fill], nil
}

// cryptAlphabet is crypt's base 64, bcryptAlphabet that of bcrypt.
const (
	cryptAlphabet  = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

var bcrypt64 = base64.NewEncoding(bcryptAlphabet).WithPadding(base64.NoPadding)

func genSalt(kind string, rounds int) (string, error) {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", pgerr.Internal("no random bytes: %v", err)
	}
	wrong := pgerr.New(pgerr.InvalidParameterValue, "gen_salt: Incorrect number of rounds")
	switch strings.ToLower(kind) {
	case "bf":
		if rounds == 0 {
			rounds = 6
		}
		if rounds < 4 || rounds > 31 {
			return "", wrong
		}
		return "$2a$" + string([]byte{'0' + byte(rounds/10), '0' + byte(rounds%10)}) + "$" + bcrypt64.EncodeToString(random), nil
	case "md5":
		if rounds != 0 && rounds != 1000 {
			return "", wrong
		}
		var b strings.Builder
		b.WriteString("$1$")
		for _, c := range random[:8] {
			b.WriteByte(cryptAlphabet[c&63])
		}
		return b.String(), nil
	case "des", "xdes":
		return "", pgerr.Unsupported("gen_salt of the DES algorithms")
	}
	return "", pgerr.New(pgerr.InvalidParameterValue, "gen_salt: Unknown salt algorithm")
}

// crypt hashes a password as its salt says.
func crypt(password, salt string) (string, error) {
	switch {
	case strings.HasPrefix(salt, "$2a$"), strings.HasPrefix(salt, "$2x$"):
		return cryptBlowfish(password, salt)
	case strings.HasPrefix(salt, "$1$"):
		return cryptMD5(password, salt), nil
	case len(salt) < 2:
		return "", pgerr.New(pgerr.InvalidParameterValue, "invalid salt")
	}
	return "", pgerr.Unsupported("crypt with the DES algorithms")
}

func cryptBlowfish(password, setting string) (string, error) {
	invalid := pgerr.New(pgerr.InvalidParameterValue, "invalid salt")
	if len(setting) < 29 || setting[6] != '$' || !strings.HasPrefix(setting, "$2a$") {
		return "", invalid
	}
	cost := int(setting[4]-'0')*10 + int(setting[5]-'0')
	salt, err := bcrypt64.DecodeString(setting[7:29])
	if err != nil || cost < 4 || cost > 31 {
		return "", invalid
	}
	key := append([]byte(password), 0)
	c, err := blowfish.NewSaltedCipher(key, salt)
	if err != nil {
		return "", invalid
	}
	for range uint64(1) << cost {
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(salt, c)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for i := 0; i < 24; i += 8 {
		for range 64 {
			c.Encrypt(text[i:i+8], text[i:i+8])
		}
	}
	return setting[:7] + bcrypt64.EncodeToString(salt) + bcrypt64.EncodeToString(text[:23]), nil
}

// cryptMD5 is the MD5-based crypt of FreeBSD.
func cryptMD5(password, setting string) string {
	salt, _, _ := strings.Cut(setting[3:], "$")
	if len(salt) > 8 {
		salt = salt[:8]
	}
	inner := md5.Sum([]byte(password + salt + password))
	b := []byte(password + "$1$" + salt)
	for n := len(password); n > 0; n -= 16 {
		b = append(b, inner[:min(n, 16)]...)
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			b = append(b, 0)
		} else {
			b = append(b, password[0])
		}
	}
	sum := md5.Sum(b)
	for i := range 1000 {
		var next []byte
		odd := i&1 != 0
		if odd {
			next = append(next, password...)
		} else {
			next = append(next, sum[:]...)
		}
		if i%3 != 0 {
			next = append(next, salt...)
		}
		if i%7 != 0 {
			next = append(next, password...)
		}
		if odd {
			next = append(next, sum[:]...)
		} else {
			next = append(next, password...)
		}
		sum = md5.Sum(next)
	}
	var out strings.Builder
	out.WriteString("$1$" + salt + "$")
	group := func(n int, bytes ...byte) {
		v := uint32(0)
		for _, c := range bytes {
			v = v<<8 | uint32(c)
		}
		for range n {
			out.WriteByte(cryptAlphabet[v&63])
			v >>= 6
		}
	}
	for _, g := range [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}} {
		group(4, sum[g[0]], sum[g[1]], sum[g[2]])
	}
	group(2, sum[11])
	return out.String()
}

// cryptoImpls are the functions of extension pgcrypto.
func cryptoImpls() []expr.Impl {
	digest := func(_ *expr.Env, a, b datum) (datum, error) {
		f, err := digestOf(b.Str())
		if err != nil {
			return types.Null, err
		}
		h := f()
		h.Write(a.Bytes())
		return types.Bytes(h.Sum(nil)), nil
	}
	mac := func(_ *expr.Env, args []datum) (datum, error) {
		f, err := digestOf(args[2].Str())
		if err != nil {
			return types.Null, err
		}
		h := hmac.New(f, args[1].Bytes())
		h.Write(args[0].Bytes())
		return types.Bytes(h.Sum(nil)), nil
	}
	code := func(run func(c *blockCipher, data, iv []byte) ([]byte, error)) expr.EvalFunc {
		return func(_ *expr.Env, args []datum) (datum, error) {
			c, err := parseCipher(args[len(args)-1].Str(), args[1].Bytes())
			if err != nil {
				return types.Null, err
			}
			var iv []byte
			if len(args) == 4 {
				iv = args[2].Bytes()
			}
			out, err := run(c, args[0].Bytes(), iv)
			return types.Bytes(out), err
		}
	}
	salt := func(_ *expr.Env, args []datum) (datum, error) {
		rounds := 0
		if len(args) == 2 {
			rounds = int(args[1].Int())
		}
		s, err := genSalt(args[0].Str(), rounds)
		return types.Str(s), err
	}
	return append(pgpImpls(),
		expr.Impl{OID: 2000009003, Name: "crypt", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			s, err := crypt(a.Str(), b.Str())
			return types.Str(s), err
		}},
		expr.Impl{OID: 2000009005, Name: "decrypt", Eval: code((*blockCipher).decrypt)},
		expr.Impl{OID: 2000009006, Name: "decrypt_iv", Eval: code((*blockCipher).decrypt)},
		expr.Impl{OID: 2000009007, Name: "digest", F2: digest}, expr.Impl{OID: 2000009008, Name: "digest", F2: digest},
		expr.Impl{OID: 2000009009, Name: "encrypt", Eval: code((*blockCipher).encrypt)},
		expr.Impl{OID: 2000009010, Name: "encrypt_iv", Eval: code((*blockCipher).encrypt)},
		expr.Impl{OID: 2000009011, Name: "gen_random_bytes", F1: func(_ *expr.Env, a datum) (datum, error) {
			n := a.Int()
			if n < 1 || n > 1024 {
				return types.Null, cryptoFailure("Length not in range")
			}
			b := make([]byte, n)
			_, err := rand.Read(b)
			return types.Bytes(b), err
		}},
		expr.Impl{OID: 2000009012, Name: "gen_salt", Eval: salt}, expr.Impl{OID: 2000009013, Name: "gen_salt", Eval: salt},
		expr.Impl{OID: 2000009014, Name: "hmac", Eval: mac}, expr.Impl{OID: 2000009015, Name: "hmac", Eval: mac},
	)
}

package ddl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/xdg-go/stringprep"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// scramIterations is PostgreSQL's number of rounds.
const scramIterations = 4096

// passwordVerifier turns a password into the SCRAM-SHA-256 verifier that is kept in its place; a verifier passes as it is.
func passwordVerifier(password string) (string, error) {
	if strings.HasPrefix(password, "SCRAM-SHA-256$") {
		return password, nil
	}
	if strings.HasPrefix(password, "md5") && len(password) == 35 {
		return "", pgerr.Unsupported("an MD5 password")
	}
	if prepared, err := stringprep.SASLprep.Prepare(password); err == nil {
		password = prepared
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", pgerr.Internal("could not generate random salt: %w", err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", pgerr.Internal("could not derive a key: %w", err)
	}
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return "SCRAM-SHA-256$4096:" + b64(salt) + "$" + b64(stored[:]) + ":" + b64(mac(salted, "Server Key")), nil
}

package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// AuthMode is how clients prove who they are.
type AuthMode string

// The authentication modes.
const (
	AuthTrust AuthMode = "trust"
	AuthSCRAM AuthMode = "scram-sha-256"
)

const mechanism = "SCRAM-SHA-256"

// authenticate runs the exchange that the mode asks for.
func (c *conn) authenticate(user string) error {
	if c.srv.cfg.Auth == AuthTrust {
		return nil
	}
	return c.scram(user)
}

func (c *conn) scram(user string) error {
	stored, known, err := c.srv.credentials(c.ctx, user)
	if err != nil {
		return err
	}
	c.send(&pgproto3.AuthenticationSASL{AuthMechanisms: []string{mechanism}})
	body, err := c.askPassword()
	if err != nil {
		return err
	}
	var first pgproto3.SASLInitialResponse
	if err := first.Decode(body); err != nil || first.AuthMechanism != mechanism {
		return fatal(pgerr.ProtocolViolation, "client selected an invalid SASL authentication mechanism")
	}
	x := exchange{stored: stored}
	challenge, err := x.first(string(first.Data))
	if err != nil {
		return err
	}
	c.send(&pgproto3.AuthenticationSASLContinue{Data: []byte(challenge)})
	if body, err = c.askPassword(); err != nil {
		return err
	}
	final, ok, err := x.final(string(body))
	if err != nil {
		return err
	}
	if !ok || !known {
		return fatal(pgerr.InvalidPassword, "password authentication failed for user \"%s\"", user)
	}
	c.send(&pgproto3.AuthenticationSASLFinal{Data: []byte(final)})
	return nil
}

// exchange is the server's side of RFC 5802. It is written here because PostgreSQL's clients leave the user name empty,
// which the library's server takes for a mistake.
type exchange struct {
	stored      scram.StoredCredentials
	header      string // of the client, repeated in its final message
	nonce       string
	authMessage string
}

func malformed(detail string) error {
	return fatal(pgerr.ProtocolViolation, "malformed SCRAM message").WithDetail("%s", detail)
}

// first answers the client's first message with the challenge.
func (x *exchange) first(msg string) (string, error) {
	switch {
	case strings.HasPrefix(msg, "p="):
		return "", fatal(pgerr.ProtocolViolation, "client selected %s without channel binding, but the SCRAM message includes channel binding data", mechanism)
	case !strings.HasPrefix(msg, "n,,") && !strings.HasPrefix(msg, "y,,"):
		return "", malformed("Unexpected attribute in the header.")
	}
	x.header = msg[:3]
	bare := msg[3:]
	_, nonce, ok := strings.Cut(bare, ",r=")
	if !ok || !strings.HasPrefix(bare, "n=") || nonce == "" || strings.ContainsAny(nonce, ",") {
		return "", malformed("The nonce is missing.")
	}
	var random [18]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", pgerr.Internal("no random numbers: %v", err)
	}
	x.nonce = nonce + base64.StdEncoding.EncodeToString(random[:])
	challenge := "r=" + x.nonce + ",s=" + base64.StdEncoding.EncodeToString([]byte(x.stored.Salt)) + ",i=" + strconv.Itoa(x.stored.Iters)
	x.authMessage = bare + "," + challenge
	return challenge, nil
}

// final checks the client's proof; ok is false for a wrong password.
func (x *exchange) final(msg string) (answer string, ok bool, err error) {
	without, proof, found := strings.Cut(msg, ",p=")
	if !found {
		return "", false, malformed("The proof is missing.")
	}
	if without != "c="+base64.StdEncoding.EncodeToString([]byte(x.header))+",r="+x.nonce {
		return "", false, malformed("The nonce or the channel binding does not match.")
	}
	clientProof, err := base64.StdEncoding.DecodeString(proof)
	if err != nil || len(clientProof) != sha256.Size {
		return "", false, malformed("The proof is not valid.")
	}
	auth := x.authMessage + "," + without
	key := sign(x.stored.StoredKey, auth)
	for i := range key {
		key[i] ^= clientProof[i]
	}
	sum := sha256.Sum256(key)
	ok = subtle.ConstantTimeCompare(sum[:], x.stored.StoredKey) == 1
	return "v=" + base64.StdEncoding.EncodeToString(sign(x.stored.ServerKey, auth)), ok, nil
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (c *conn) askPassword() ([]byte, error) {
	if err := c.flush(); err != nil {
		return nil, err
	}
	return c.read.readPassword()
}

// Verifier makes the SCRAM-SHA-256 verifier of a password, in the form that PostgreSQL stores.
func Verifier(password string, salt []byte) (string, error) {
	const iterations = 4096
	client, err := scram.SHA256.NewClient("*", password, "")
	if err != nil {
		return "", err
	}
	k, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	if err != nil {
		return "", err
	}
	enc := base64.StdEncoding.EncodeToString
	return mechanism + "$" + strconv.Itoa(iterations) + ":" + enc(salt) + "$" + enc(k.StoredKey) + ":" + enc(k.ServerKey), nil
}

// parseVerifier reads a verifier; ok is false when it is not one.
func parseVerifier(v string) (k scram.StoredCredentials, ok bool) {
	parts := strings.Split(v, "$")
	if len(parts) != 3 || parts[0] != mechanism {
		return k, false
	}
	iters, salt, ok1 := strings.Cut(parts[1], ":")
	stored, server, ok2 := strings.Cut(parts[2], ":")
	n, err := strconv.Atoi(iters)
	if !ok1 || !ok2 || err != nil {
		return k, false
	}
	dec := base64.StdEncoding.DecodeString
	s, err1 := dec(salt)
	st, err2 := dec(stored)
	se, err3 := dec(server)
	if err1 != nil || err2 != nil || err3 != nil {
		return k, false
	}
	k.Salt, k.Iters, k.StoredKey, k.ServerKey = string(s), n, st, se
	return k, true
}

// mockCredentials lets the exchange with an unknown user look like one with a wrong password.
func mockCredentials(secret []byte, user string) scram.StoredCredentials {
	sum := sign(secret, user)
	var k scram.StoredCredentials
	k.Salt, k.Iters, k.StoredKey, k.ServerKey = string(sum[:16]), 4096, sum, sum
	return k
}

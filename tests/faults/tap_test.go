package faults

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// tap stands between the server and its MongoDB and does something to chosen commands: what MongoDB's failCommand does, and
// at exact points.
type tap struct {
	target string
	ln     net.Listener

	mu    sync.Mutex
	plans []*plan
}

// plan is what is done to the next command of a name.
type plan struct {
	command string
	do      fault
	// answer replaces MongoDB's, with it.
	answer bson.D
	// met is closed when the command came; go on when what is held is let go.
	met, goOn chan struct{}
}

type fault uint8

const (
	dropRequest   fault = iota // MongoDB never gets it, the connection ends
	dropReply                  // MongoDB does it, the connection ends
	holdRequest                // MongoDB gets it when goOn is closed
	holdReply                  // the server gets the answer when goOn is closed
	answerInstead              // MongoDB never gets it, the server gets another answer
	answerAfter                // MongoDB does it, the server gets another answer
	answerAbort                // MongoDB gets abortTransaction in its place, the server gets another answer
)

func newTap(t *testing.T, target string) *tap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{target: target, ln: ln}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

// uri names one server, since MongoDB would tell its own address otherwise.
func (p *tap) uri() string { return "mongodb://" + p.ln.Addr().String() + "/?directConnection=true" }

// next has something done to the next command of a name.
func (p *tap) next(command string, do fault, answer bson.D) *plan {
	pl := &plan{command, do, answer, make(chan struct{}), make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans = append(p.plans, pl)
	return pl
}

func (p *tap) take(command string) *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, pl := range p.plans {
		if pl.command == command {
			p.plans = append(p.plans[:i:i], p.plans[i+1:]...)
			close(pl.met)
			return pl
		}
	}
	return nil
}

func (p *tap) serve(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer s.Close()
	var mu sync.Mutex
	replies := map[uint32]*plan{} // by request
	go func() {
		defer c.Close()
		defer s.Close()
		for {
			msg, err := frame(s)
			if err != nil {
				return
			}
			mu.Lock()
			pl := replies[binary.LittleEndian.Uint32(msg[8:])]
			mu.Unlock()
			if pl != nil {
				switch pl.do {
				case dropReply:
					return
				case holdReply:
					<-pl.goOn
				case answerAfter, answerAbort:
					msg = reply(binary.LittleEndian.Uint32(msg[8:]), pl.answer)
				}
			}
			if _, err := c.Write(msg); err != nil {
				return
			}
		}
	}()
	for {
		msg, err := frame(c)
		if err != nil {
			return
		}
		request := binary.LittleEndian.Uint32(msg[4:])
		if pl := p.take(command(msg)); pl != nil {
			switch pl.do {
			case dropRequest:
				return
			case holdRequest:
				<-pl.goOn
			case answerInstead:
				if _, err := c.Write(reply(request, pl.answer)); err != nil {
					return
				}
				continue
			default:
				if pl.do == answerAbort {
					msg = abort(msg)
				}
				mu.Lock()
				replies[request] = pl
				mu.Unlock()
			}
		}
		if _, err := s.Write(msg); err != nil {
			return
		}
	}
}

// frame reads one message.
func frame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n < 16 || n > 64<<20 {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	msg := append(size[:], make([]byte, n-4)...)
	_, err := io.ReadFull(r, msg[4:])
	return msg, err
}

// command is the name of a message's command: the first key of its body.
func command(msg []byte) string {
	const body = 16 + 4 + 1 + 4 + 1 // header, flags, kind of section, size of the document, type of its first value
	if binary.LittleEndian.Uint32(msg[12:]) != 2013 || len(msg) < body || msg[20] != 0 {
		return ""
	}
	name, _, _ := bytes.Cut(msg[body:], []byte{0})
	return string(name)
}

// abort is a commitTransaction's message with abortTransaction in its place.
func abort(msg []byte) []byte {
	var body bson.D
	if err := bson.Unmarshal(msg[21:], &body); err != nil {
		panic(err)
	}
	body[0].Key = "abortTransaction"
	doc, err := bson.Marshal(body)
	if err != nil {
		panic(err)
	}
	out := append(bytes.Clone(msg[:21]), doc...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	return out
}

// reply is an answer to a request.
func reply(request uint32, doc bson.D) []byte {
	body, err := bson.Marshal(doc)
	if err != nil {
		panic(err)
	}
	msg := make([]byte, 21, 21+len(body))
	binary.LittleEndian.PutUint32(msg, uint32(21+len(body)))
	binary.LittleEndian.PutUint32(msg[8:], request)
	binary.LittleEndian.PutUint32(msg[12:], 2013)
	return append(msg, body...)
}

// failure is an answer that reports an error with labels.
func failure(code int, name string, labels ...string) bson.D {
	l := bson.A{}
	for _, x := range labels {
		l = append(l, x)
	}
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: int32(code)}, {Key: "codeName", Value: name}, {Key: "errmsg", Value: name}, {Key: "errorLabels", Value: l}}
}

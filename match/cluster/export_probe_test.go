package cluster

import (
	"time"

	"muster/match/cluster/ownership"
	"muster/proto"
)

// Question is a probe's question, for tests.
type Question struct {
	Kind   ownership.Question
	Asker  string
	Asked  string
	Number uint64
	TTL    time.Duration
	Nonce  [nonceLen]byte
}

// AppendQuestion writes a question without its MAC, ParseQuestion reads it.
func AppendQuestion(dst []byte, q Question) []byte {
	w := proto.NewWriter()
	(&question{q.Kind, q.Asker, q.Asked, q.Number, q.TTL, q.Nonce}).appendTo(w)
	return append(dst, w.Bytes()...)
}

// ParseQuestion reads what AppendQuestion has written.
func ParseQuestion(b []byte) (Question, error) {
	var q question
	err := q.parse(proto.NewReader(b))
	return Question{q.kind, q.asker, q.asked, q.number, q.ttl, q.nonce}, err
}

// SealQuestion returns a question as it is sent.
func SealQuestion(key []byte, q Question) []byte {
	return seal(key, "question", nil, AppendQuestion(nil, q))
}

// OpenAnswer reads the answer to a question as it was sent.
func OpenAnswer(key, question, answer []byte) (ownership.Reply, bool) {
	msg, ok := open(key, "answer", question, answer)
	if !ok {
		return ownership.Silence, false
	}
	return ownership.Reply(msg[0]), true
}

package lobby

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
)

// Keyed is embedded in the inputs of operations that create something, which a client may then repeat. Its name is
// exported because the library fills nothing else.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"64" pattern:"^[ -~]+$" example:"6b1f0c52-7d3e-4a57-9c55-0d6f3c1f2a10" doc:"1 to 64 printable ASCII characters of the client's choice. The same request with the same key, sent again, gives the same answer and creates nothing more; the same key with another request is refused."`
}

// idempotent returns the id of what a player's request creates, 26 lower-case letters and digits, and a digest of what
// it asks for. With a key the id follows from the route, the player and the key, so that a repeat finds what is there
// already: whoever stores it keeps the digest too, and answers errOtherRequest where that differs. Without a key each
// id is new. body is the request's, as it was decoded.
func (l *Lobby) idempotent(ctx context.Context, route, key string, body any) (id, digest string) {
	text, _ := json.Marshal(body) // what came as JSON can be JSON again
	sum := sha256.Sum256(text)
	digest = hex.EncodeToString(sum[:16])
	if key == "" {
		return cluster.NewID(), digest
	}
	return l.cfg.Keys.Derive(route, playerOf(ctx).ID, key), digest
}

// errOtherRequest means that an idempotency key was used before, with another request.
var errOtherRequest = errors.New("the idempotency key was used for another request")

// otherRequest is the answer of errOtherRequest.
func otherRequest() error {
	return huma.Error422UnprocessableEntity("this idempotency key was used for another request", &huma.ErrorDetail{
		Message: "expected a new key, or the request of before", Location: "header.Idempotency-Key",
	})
}

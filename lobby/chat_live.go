package lobby

import (
	"context"
	"errors"
	"fmt"

	"muster/lobby/chat"
	"muster/lobby/live"
)

// chatRequests are chat's requests on the lobby's socket: they do what REST does, with the same limits and errors.
func (l *Lobby) chatRequests() live.Handlers {
	return live.Handlers{
		"chat.send": live.Typed(func(ctx context.Context, c live.Caller, b *chatSendBody) (any, error) {
			return l.chatSend(ctx, c.Player, b.Channel, b.Text, b.Key)
		}),
		"chat.history": live.Typed(func(ctx context.Context, c live.Caller, b *chatHistoryBody) (any, error) {
			if b.Limit == 0 {
				b.Limit = 50
			}
			return l.chatHistory(ctx, c.Player, b.Channel, b.Before, b.Limit)
		}),
	}
}

// maxChannel bounds a channel's name, in bytes.
const maxChannel = 80

// chatSendBody asks for a message to be sent.
type chatSendBody struct {
	Channel string `json:"channel"`
	Text    string `json:"text"`
	Key     string `json:"key"` // an idempotency key, or ""
}

// Check says what is wrong with the body.
func (b *chatSendBody) Check() error {
	if len(b.Channel) > maxChannel {
		return errors.New("channel is too long")
	}
	if len(b.Key) > 64 {
		return errors.New("key has more than 64 characters")
	}
	for i := range len(b.Key) {
		if b.Key[i] < ' ' || b.Key[i] > '~' {
			return errors.New("key has characters that are not printable ASCII")
		}
	}
	return nil
}

// chatHistoryBody asks for messages of a channel.
type chatHistoryBody struct {
	Channel string `json:"channel"`
	Before  string `json:"before"` // a message's id, or ""
	Limit   int    `json:"limit"`  // 1 to 100; 0 is 50
}

// Check says what is wrong with the body.
func (b *chatHistoryBody) Check() error {
	switch {
	case len(b.Channel) > maxChannel:
		return errors.New("channel is too long")
	case b.Before != "" && !chat.IsID(b.Before):
		return errors.New("before is no message's id")
	case b.Limit < 0 || b.Limit > chat.MaxPage:
		return fmt.Errorf("limit is not 0 to %d", chat.MaxPage)
	}
	return nil
}

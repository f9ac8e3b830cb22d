package match

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestWhatFailsForAllRoomsAtOnceIsOneLine(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	h := &Host{log: zap.New(core), ctx: t.Context()}
	for _, room := range []string{"a", "b", "c"} {
		_ = h.call(&Instance{spec: Spec{ID: room}}, "renewing a room", func(context.Context) error { return errors.New("refused") })
	}
	lines := logs.FilterMessage("renewing a room failed").All()
	if len(lines) != 1 || lines[0].ContextMap()["room"] != "a" {
		t.Errorf("the log has %v", lines)
	}
}

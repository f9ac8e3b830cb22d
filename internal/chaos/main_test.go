package chaos

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"muster/cmd"
	"muster/internal/testprocess"
)

func TestMain(m *testing.M) {
	switch role := testprocess.Role(); role {
	case "":
		goleak.VerifyTestMain(m)
	case "serve":
		cmd.Main(games...)
	default:
		fmt.Fprintf(os.Stderr, "no such role: %q\n", role)
		os.Exit(2)
	}
}

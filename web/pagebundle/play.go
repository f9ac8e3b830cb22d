package pagebundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// player is the program that PlayStep bundles and runs: what is recorded follows as an argument of play.
const player = `
import { playVectors } from "@muster/client/vectors";
import { step } from "./step.ts";

const play = (recorded, tables) => {
  try {
    console.log(JSON.stringify(playVectors(recorded, step, { tables })));
  } catch (error) {
    console.log(JSON.stringify({ difference: error.message }));
  }
};
play(%s, %s);
`

// PlayStep holds a page's step to the game's rules: it runs the function step of page/src/step.ts of the game in dir over a
// recorded match, a *vectors.File of muster/netcode/vectors, and compares the rows of tables after each tick with what the
// rules made of them. It returns how many values were equal. The error is the first difference, or why it could not be
// run; it wraps [exec.ErrNotFound] where there is no Node.js.
func PlayStep(ctx context.Context, dir string, recorded any, tables ...string) (equal int, err error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return 0, fmt.Errorf("running the page's step: %w", err)
	}
	script, err := bundledPlayer(dir, recorded, tables)
	if err != nil {
		return 0, err
	}
	run := exec.CommandContext(ctx, node, "--input-type=module") //nolint:gosec // Node.js, on the sources of the game that is tested
	run.Stdin = bytes.NewReader(script)
	var said bytes.Buffer
	run.Stderr = &said
	out, err := run.Output()
	if err != nil {
		return 0, fmt.Errorf("running the page's step: %w\n%s", err, said.String())
	}
	var result struct {
		Equal      int
		Difference string
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return 0, fmt.Errorf("reading what the page's step came to, %q: %w", out, err)
	}
	if result.Difference != "" {
		return 0, fmt.Errorf("the page's step is not the rules': %s", result.Difference)
	}
	return result.Equal, nil
}

// bundledPlayer is the program as Node.js runs it.
func bundledPlayer(dir string, recorded any, tables []string) ([]byte, error) {
	record, err := json.Marshal(recorded)
	if err != nil {
		return nil, fmt.Errorf("writing the recorded match: %w", err)
	}
	list, err := json.Marshal(tables)
	if err != nil {
		return nil, fmt.Errorf("writing the tables' names: %w", err)
	}
	sdkDir, err := client(dir)
	if err != nil {
		return nil, err
	}
	names, err := sdk(sdkDir)
	if err != nil {
		return nil, err
	}
	src, err := filepath.Abs(filepath.Join(dir, "page", "src"))
	if err != nil {
		return nil, fmt.Errorf("building the page's step: %w", err)
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: src,
		Stdin:         &api.StdinOptions{Contents: fmt.Sprintf(player, record, list), ResolveDir: src, Sourcefile: "play.ts"},
		Alias:         names,
		Bundle:        true,
		Format:        api.FormatESModule,
		Platform:      api.PlatformNode,
		Target:        api.ES2022,
		TsconfigRaw:   tsconfig,
		LogLevel:      api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		return nil, failure(result.Errors)
	}
	return result.OutputFiles[0].Contents, nil
}

// failure is what esbuild found wrong.
func failure(list []api.Message) error {
	lines := api.FormatMessages(list, api.FormatMessagesOptions{Kind: api.ErrorMessage})
	return errors.New(strings.TrimSpace(strings.Join(lines, "")))
}

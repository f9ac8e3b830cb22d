package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// clientSources are the TypeScript SDK's entry points, from the module's directory, by the names that pages import.
var clientSources = map[string]string{
	"@muster/client":         "client/ts/src/index.ts",
	"@muster/client/overlay": "client/ts/src/overlay/index.ts",
	"@muster/client/wire":    "client/ts/src/wire.ts",
	"@muster/client/vectors": "client/ts/src/vectors.ts",
}

// copied are the files that go into dist as they are.
var copied = map[string]string{
	"arena/index.html": "arena.html",
	"arena/icon.svg":   "assets/icon.svg",
	"fonts/OFL.txt":    "assets/fonts-license.txt",
}

// build returns the files of dist by their slash-separated path in it. root is the module's directory.
func build(root string) (map[string][]byte, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	src := filepath.Join(root, "web", "src")
	assets := filepath.Join(root, "web", "dist", "assets")
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: filepath.Join(root, "web"),
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: "src/arena/main.ts", OutputPath: "arena"},
			{InputPath: "src/arena/style.css", OutputPath: "arena"},
		},
		Outdir:     assets,
		AssetNames: "[name]",
		Alias:      aliases(root),
		Loader:     map[string]api.Loader{".woff2": api.LoaderFile},
		Bundle:     true,
		Format:     api.FormatESModule,
		Platform:   api.PlatformBrowser,
		Target:     api.ES2022,
		Charset:    api.CharsetUTF8,
		// The tsconfig files are for the type checker; what they say must not change the output.
		TsconfigRaw:       `{"compilerOptions":{"verbatimModuleSyntax":true}}`,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone,
		LogLevel:          api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		lines := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return nil, errors.New(strings.TrimSpace(strings.Join(lines, "")))
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		name, err := filepath.Rel(assets, f.Path)
		if err != nil {
			return nil, err
		}
		files["assets/"+filepath.ToSlash(name)] = f.Contents
	}
	for from, to := range copied {
		body, err := fs.ReadFile(os.DirFS(src), from)
		if err != nil {
			return nil, fmt.Errorf("copying to %s: %w", to, err)
		}
		if _, taken := files[to]; taken {
			return nil, fmt.Errorf("two sources make %s", to)
		}
		files[to] = body
	}
	return files, nil
}

// aliases says where each entry point of the SDK is.
func aliases(root string) map[string]string {
	to := map[string]string{}
	for name, source := range clientSources {
		to[name] = filepath.Join(root, filepath.FromSlash(source))
	}
	return to
}

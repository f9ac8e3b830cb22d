package pagebundle

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Sources say what a page is built from. Paths in the result are slash-separated.
type Sources struct {
	// Dir is the directory of the sources.
	Dir string
	// Entries are the files to bundle, from Dir, by the path of what they become, without its extension.
	Entries []Entry
	// Copies are the files that are taken as they are: from Dir, to the result.
	Copies map[string]string
	// Assets is the directory in the result for what the entries bring with them, such as fonts; "" is its root.
	Assets string
	// Client is the directory of the SDK's npm package, client/ts. Its sources are bundled, under its names.
	Client string
}

// Entry is one file to bundle.
type Entry struct{ From, To string }

// tsconfig takes the place of the tsconfig files: they are for the type checker, and must not change the output.
const tsconfig = `{"compilerOptions":{"verbatimModuleSyntax":true}}`

// Build returns the files of the page by their path.
func Build(s Sources) (map[string][]byte, error) {
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", s.Dir, err)
	}
	names, err := sdk(s.Client)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "out") // nothing is written there
	entries := make([]api.EntryPoint, len(s.Entries))
	for i, e := range s.Entries {
		entries[i] = api.EntryPoint{InputPath: "./" + e.From, OutputPath: e.To}
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:       dir,
		EntryPointsAdvanced: entries,
		Outdir:              out,
		AssetNames:          path.Join(s.Assets, "[name]"),
		Alias:               names,
		Loader:              map[string]api.Loader{".woff2": api.LoaderFile},
		Bundle:              true,
		Format:              api.FormatESModule,
		Platform:            api.PlatformBrowser,
		Target:              api.ES2022,
		Charset:             api.CharsetUTF8,
		TsconfigRaw:         tsconfig,
		MinifyWhitespace:    true,
		MinifyIdentifiers:   true,
		MinifySyntax:        true,
		LegalComments:       api.LegalCommentsNone,
		LogLevel:            api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		return nil, failure(result.Errors)
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		name, err := filepath.Rel(out, f.Path)
		if err != nil {
			return nil, fmt.Errorf("building %s: %w", f.Path, err)
		}
		files[filepath.ToSlash(name)] = f.Contents
	}
	return files, copies(s, dir, files)
}

// copies adds the files that are taken as they are.
func copies(s Sources, dir string, files map[string][]byte) error {
	for from, to := range s.Copies {
		body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(from))) //nolint:gosec // the caller's own sources
		if err != nil {
			return fmt.Errorf("copying to %s: %w", to, err)
		}
		if _, taken := files[to]; taken {
			return fmt.Errorf("two sources make %s", to)
		}
		files[to] = body
	}
	return nil
}

// sdk returns the source file of each name that the SDK is imported by. Its package.json names what is published, which
// is made of src file by file.
func sdk(dir string) (map[string]string, error) {
	file := filepath.Join(dir, "package.json")
	body, err := os.ReadFile(file) //nolint:gosec // Muster's own
	if err != nil {
		return nil, fmt.Errorf("looking for the TypeScript SDK: %w", err)
	}
	var pkg struct {
		Name    string
		Exports map[string]struct{ Default string }
	}
	if err := json.Unmarshal(body, &pkg); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("looking for the TypeScript SDK: %w", err)
	}
	names := map[string]string{}
	for name, export := range pkg.Exports {
		built, ok := strings.CutPrefix(export.Default, "./dist/")
		if !ok {
			return nil, fmt.Errorf("%s: the export %s is %q, want ./dist/….js", file, name, export.Default)
		}
		names[path.Join(pkg.Name, name)] = filepath.Join(dir, "src", filepath.FromSlash(strings.TrimSuffix(built, ".js")+".ts"))
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no exports", file)
	}
	return names, nil
}

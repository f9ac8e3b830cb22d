package lobby_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/golden"
	"muster/internal/testredis"
)

// description fetches /openapi.json, for which no token is needed.
func description(t *testing.T) []byte {
	t.Helper()
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	p.serve()
	a := p.send(request{method: "GET", path: "/openapi.json"})
	if a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	var b bytes.Buffer
	must(t, json.Indent(&b, a.body, "", "  "))
	b.WriteByte('\n')
	return b.Bytes()
}

func TestDescriptionIsTheOneThatIsKept(t *testing.T) {
	got, file := description(t), filepath.Join("testdata", "openapi.json")
	golden.Check(t, file, got, "run go test ./lobby -update")
}

type object = map[string]any

// in walks into nested objects.
func in(t *testing.T, v any, path ...string) object {
	t.Helper()
	for _, k := range path {
		o, ok := v.(object)
		if !ok {
			t.Fatalf("there is no object above %q", k)
		}
		v = o[k]
	}
	o, _ := v.(object)
	return o
}

func TestEveryOperationIsDescribedInFull(t *testing.T) {
	var doc object
	must(t, json.Unmarshal(description(t), &doc))
	if doc["openapi"] != "3.1.0" {
		t.Errorf("it is OpenAPI %v", doc["openapi"])
	}
	if info := in(t, doc, "info"); info["version"] != "v0" || info["title"] == "" || info["description"] == "" {
		t.Errorf("info is %v", info)
	}
	if h := in(t, doc, "components", "headers", "Retry-After"); h["description"] == nil || in(t, h, "schema")["examples"] == nil {
		t.Errorf("the header Retry-After is %v", h)
	}
	schemas := in(t, doc, "components", "schemas")
	ids := map[any]bool{}
	operations := 0
	for path, item := range in(t, doc, "paths") {
		for method, v := range item.(object) {
			operations++
			op := v.(object)
			where := strings.ToUpper(method) + " " + path
			if id, _ := op["operationId"].(string); !regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`).MatchString(id) || ids[id] {
				t.Errorf("%s: operationId %v", where, op["operationId"])
			}
			ids[op["operationId"]] = true
			if s, _ := op["summary"].(string); len(s) < 10 {
				t.Errorf("%s: summary %q", where, s)
			}
			checkStatuses(t, where, op)
			for _, param := range list(op["parameters"]) {
				if p := param.(object); p["description"] == nil || p["example"] == nil && in(t, p, "schema")["examples"] == nil {
					t.Errorf("%s: parameter %v has no description or example", where, p["name"])
				}
			}
			checkExamples(t, where+" body", op["requestBody"], schemas)
			for _, status := range []string{"429", "503"} {
				if h := in(t, op, "responses", status, "headers", "Retry-After"); h["$ref"] != "#/components/headers/Retry-After" {
					t.Errorf("%s: %s has no Retry-After", where, status)
				}
			}
			for status, res := range in(t, op, "responses") {
				checkExamples(t, where+" "+status, res, schemas)
			}
		}
	}
	if operations != 70 {
		t.Errorf("%d operations are described, want 70", operations)
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// moreStatuses are errors of operations besides those that follow from what they are.
var moreStatuses = map[string][]string{
	"POST /v1/guests/renew":         {"401"},
	"GET /v1/rooms":                 {"404"},
	"POST /v1/rooms":                {"404", "409"},
	"POST /v1/parties":              {"409"},
	"POST /v1/tickets/{id}/confirm": {"409"},
	"GET /v1/me/party":              {"404"},
	"POST /v1/parties/join":         {"404"},
	"POST /v1/parties/{id}/invite":  {"409"},
	"POST /v1/parties/{id}/code":    {"403"},
	"POST /v1/parties/{id}/kick":    {"403"},
	"POST /v1/parties/{id}/promote": {"403"},
	"POST /v1/groups":               {"409"},
	"POST /v1/groups/{id}/invite":   {"409"},
	"POST /v1/notifications":        {"403", "404"},
	"POST /v1/publish":              {"403", "404", "409"},

	"POST /v1/chat/{channel}/messages":        {"403"},
	"POST /v1/chat/{channel}/mute":            {"403"},
	"DELETE /v1/chat/{channel}/mute/{player}": {"403"},
	"PUT /v1/me/mutes/{player}":               {"409"},

	"POST /v1/replays":       {"404", "409"},
	"POST /v1/replays/files": {"409"},
	"PATCH /v1/replays/{id}": {"403"},

	"GET /v1/admin/nodes":               {"403"},
	"GET /v1/admin/placement":           {"403", "404"},
	"POST /v1/admin/nodes/{id}/drain":   {"403"},
	"DELETE /v1/admin/nodes/{id}/drain": {"403"},

	"GET /v1/admin/rooms":                {"403"},
	"GET /v1/admin/rooms/{id}":           {"403"},
	"GET /v1/admin/rooms/{id}/state":     {"403", "409"},
	"POST /v1/admin/rooms/{id}/end":      {"403", "409"},
	"POST /v1/admin/rooms/{id}/kick":     {"403", "409"},
	"POST /v1/admin/rooms/{id}/announce": {"403"},
}

// checkStatuses: each operation lists the errors that it can have, all problem documents.
// forRole are the ways to rooms, which games may keep for those with a role.
var forRole = regexp.MustCompile(`^(POST|GET|PATCH) /v1/(rooms|games|codes)|/v1/tickets(/\{id\}(/confirm)?)?$`)

// forAnybody are what a token of any role may ask for.
var forAnybody = regexp.MustCompile(`^GET /v1/(queues|matches/\{id\}|players/\{player\})$`)

func checkStatuses(t *testing.T, where string, op object) {
	t.Helper()
	want := []string{"429", "500", "503"}
	if op["parameters"] != nil || op["requestBody"] != nil {
		want = append(want, "422")
	}
	if s, ok := op["security"].([]any); !ok || len(s) > 0 {
		want = append(want, "401")
	}
	if op["requestBody"] != nil {
		want = append(want, "400", "413", "415")
	}
	if strings.Contains(where, "{") && !strings.Contains(where, "/me/blocks") && !strings.Contains(where, "/me/mutes") || strings.HasSuffix(where, "/tickets") {
		want = append(want, "404")
	}
	if strings.HasSuffix(where, "POST /v1/tickets") || strings.HasSuffix(where, "/join") || strings.HasPrefix(where, "PUT /v1/me/blocks") {
		want = append(want, "409")
	}
	if forRole.MatchString(where) {
		want = append(want, "403")
	}
	if s, ok := op["security"].([]any); (!ok || len(s) > 0) && !forAnybody.MatchString(where) {
		want = append(want, "403") // to backends
	}
	want = append(want, moreStatuses[where]...)
	var got []string
	for status, res := range in(t, op, "responses") {
		if status >= "400" {
			got = append(got, status)
			if in(t, res, "content", "application/problem+json") == nil {
				t.Errorf("%s: %s is no problem document", where, status)
			}
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: error statuses (-want +got):\n%s", where, diff)
	}
}

// checkExamples: each field of a JSON body has an example, or is itself made of such fields.
func checkExamples(t *testing.T, where string, body any, schemas object) {
	t.Helper()
	if body == nil {
		return
	}
	for kind, content := range in(t, body, "content") {
		if kind == "application/octet-stream" {
			continue // it has no fields
		}
		if ref, _ := in(t, content, "schema")["$ref"].(string); ref != "" {
			checkFields(t, where, ref, schemas)
		} else {
			t.Errorf("%s: its schema has no name", where)
		}
	}
}

func checkFields(t *testing.T, where, ref string, schemas object) {
	t.Helper()
	name := ref[strings.LastIndex(ref, "/")+1:]
	if strings.HasPrefix(name, "Error") {
		return // the library's own, with examples where they help
	}
	for field, v := range in(t, schemas, name, "properties") {
		f := v.(object)
		inner, _ := f["$ref"].(string)
		if items := in(t, f, "items"); items != nil {
			inner, _ = items["$ref"].(string)
		}
		if inner != "" {
			checkFields(t, where, inner, schemas)
		} else if f["examples"] == nil {
			t.Errorf("%s: %s.%s has no example", where, name, field)
		}
	}
}

package lobby_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"muster/internal/golden"
	"muster/lobby"
	"muster/lobby/chat"
	"muster/lobby/party"
)

// What the TypeScript client knows of the REST interface: lobby_routes.ts and lobby_types.ts.
func TestTypesOfTheTypeScriptClientAreThoseOfTheDescription(t *testing.T) {
	var doc object
	must(t, json.Unmarshal(description(t), &doc))
	routes, types := typescript(t, doc)
	for name, got := range map[string]string{"lobby_routes.ts": routes, "lobby_types.ts": types} {
		file := filepath.Join("..", "client", "ts", "src", name)
		golden.Check(t, file, []byte(got), "run go test ./lobby -update")
	}
}

// typeNames are other names for schemas: those that would say too little beside the client's own types, or mean others.
var typeNames = map[string]string{
	"GuestOutputBody": "Guest", "Match": "MatchSeat", "Message": "ChatMessage", "Event": "LobbyEvent", "Events": "LobbyEvents",
	"MatchesOutputBody": "PlayedMatches", "QueuesOutputBody": "Queues", "BlocksOutputBody": "Blocks", "MutesOutputBody": "Mutes", "MuteInputBody": "RoomMute", "Muted": "MutedPlayer", "PutMeInputBody": "Profile",
	"CreateRoomInputBody": "NewRoom", "ChangeRoomInputBody": "RoomChange", "NotifyBody": "NewNotification", "Placement": "PlayerPlacement",
	"NewGuestInputBody": "NewGuest", "RenewGuestInputBody": "GuestRenewal", "NewPartyInputBody": "NewParty", "CodeInputBody": "Code",
	"OpenReplayInputBody": "NewReplay",
	"ReadyInputBody":      "Ready", "NewGroupInputBody": "NewGroup", "ConfirmTicketInputBody": "TicketConfirmation",
}

// eventSchemas describes the bodies of events that are not those of REST, and what they are made of.
func eventSchemas(t *testing.T) object {
	t.Helper()
	names := map[reflect.Type]string{
		reflect.TypeFor[party.Event](): "PartyEvent", reflect.TypeFor[party.Party](): "PartyState", reflect.TypeFor[party.Member](): "PartyStateMember",
		reflect.TypeFor[chat.Message](): "ChatEvent", reflect.TypeFor[chat.Invitation](): "GroupInvitation", reflect.TypeFor[lobby.Notification](): "Notification",
		reflect.TypeFor[chat.Muting](): "Muting",
	}
	r := huma.NewMapRegistry("#/components/schemas/", func(of reflect.Type, _ string) string {
		for of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		return names[of] // only those of structs are used
	})
	for of := range names {
		r.Schema(of, true, "")
	}
	text, err := json.Marshal(r.Map())
	must(t, err)
	var schemas object
	must(t, json.Unmarshal(text, &schemas))
	return schemas
}

// typescriptOf writes the types of an OpenAPI document.
type typescriptOf struct {
	t       *testing.T
	schemas object
	wanted  map[string]bool            // schemas that something refers to
	said    map[string]map[string]bool // of each, what refers to it
	part    string                     // whose fields are being written
}

const written = "// The lobby's REST interface. Written by go test ./lobby -update from its OpenAPI document: change it there.\n"

// typescript returns lobby_routes.ts and lobby_types.ts.
func typescript(t *testing.T, doc object) (routes, types string) {
	t.Helper()
	w := typescriptOf{t, in(t, doc, "components", "schemas"), map[string]bool{}, map[string]map[string]bool{}, ""}
	lines := map[string]string{}
	for path, item := range in(t, doc, "paths") {
		for method, op := range item.(object) {
			route := strings.ToUpper(method) + " " + path
			if text := w.route(route, op.(object)); text != "" {
				lines[route] = text
			}
		}
	}
	var b strings.Builder
	b.WriteString(written + "\nimport type {\n")
	for _, name := range w.names() {
		fmt.Fprintf(&b, "  %s,\n", typeName(name))
	}
	b.WriteString("} from \"./lobby_types.js\";\n\n" +
		"/** What each route takes, from its path, its query and its body together, and what it answers. */\nexport interface Routes {\n")
	for _, route := range slices.Sorted(maps.Keys(lines)) {
		b.WriteString(lines[route])
	}
	b.WriteString("}\n")
	routes = b.String()

	for name, schema := range eventSchemas(t) {
		if w.schemas[name] != nil {
			t.Fatalf("two schemas are called %s", name)
		}
		w.schemas[name], w.wanted[name] = schema, true
		w.say(name, "An event's body")
	}
	for done := map[string]bool{}; len(done) < len(w.wanted); { // each may want others
		for _, name := range w.names() {
			if !done[name] {
				done[name] = true
				w.fields(name) // notes what it wants
			}
		}
	}
	b.Reset()
	b.WriteString(written)
	names := w.names()
	for i, name := range names {
		if i > 0 && typeName(name) == typeName(names[i-1]) {
			t.Fatalf("two schemas are called %s", typeName(name))
		}
		fmt.Fprintf(&b, "\n/** %s. */\nexport interface %s {\n%s}\n", w.about(name), typeName(name), w.fields(name))
	}
	return routes, b.String()
}

// names are the schemas that something refers to, by the names of their types.
func (w *typescriptOf) names() []string {
	return slices.SortedFunc(maps.Keys(w.wanted), func(a, b string) int { return strings.Compare(typeName(a), typeName(b)) })
}

func typeName(schema string) string {
	if name := typeNames[schema]; name != "" {
		return name
	}
	return schema
}

func (w *typescriptOf) schema(name string) object {
	s, _ := w.schemas[name].(object)
	if s == nil || s["type"] != "object" {
		w.t.Fatalf("schema %s is no object", name)
	}
	return s
}

// route returns a route's line with its comment; "" for one that does not speak JSON.
func (w *typescriptOf) route(route string, op object) string {
	if body := op["requestBody"]; body != nil && in(w.t, body, "content")["application/json"] == nil {
		return ""
	}
	reply := "void"
	for status, res := range in(w.t, op, "responses") {
		if status >= "300" {
			continue
		}
		for kind, content := range in(w.t, res, "content") {
			if kind != "application/json" {
				return ""
			}
			reply = w.of(in(w.t, content, "schema"))
			w.say(refOf(in(w.t, content, "schema")), "What "+route+" answers")
		}
	}
	var args []string
	names := map[string]bool{}
	for _, v := range list(op["parameters"]) {
		p := v.(object)
		if p["in"] == "header" {
			continue // an option of every request
		}
		name, optional, or := p["name"].(string), "?", " | undefined" // so that a page's next can be handed on as it is
		if p["required"] == true {
			optional, or = "", ""
		}
		if schema := in(w.t, p, "schema"); p["in"] == "query" && schema["items"] != nil && p["explode"] != true {
			w.t.Fatalf("%s: the list %s is not written as one parameter for each", route, name)
		}
		names[name] = true
		args = append(args, fmt.Sprintf("%s%s: %s%s", name, optional, strings.TrimSuffix(w.of(in(w.t, p, "schema")), " | null"), or))
	}
	var parts []string
	if len(args) > 0 {
		parts = append(parts, "{ "+strings.Join(args, "; ")+" }")
	}
	if body := op["requestBody"]; body != nil {
		schema := in(w.t, body, "content", "application/json", "schema")
		parts = append(parts, w.of(schema))
		w.say(refOf(schema), "What "+route+" takes")
		for field := range in(w.t, w.schema(refOf(schema)), "properties") {
			if names[field] {
				w.t.Fatalf("%s: %s is a parameter and a field of the body", route, field)
			}
		}
	}
	if parts == nil {
		parts = []string{"{}"}
	}
	return fmt.Sprintf("  /** %s. */\n  %q: { args: %s; reply: %s };\n", op["summary"], route, strings.Join(parts, " & "), reply)
}

func refOf(schema object) string {
	ref, _ := schema["$ref"].(string)
	return ref[strings.LastIndex(ref, "/")+1:]
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// say notes what refers to a schema.
func (w *typescriptOf) say(name, what string) {
	if w.said[name] == nil {
		w.said[name] = map[string]bool{}
	}
	w.said[name][what] = true
}

// about returns a schema's comment: the first two that refer to it.
func (w *typescriptOf) about(name string) string {
	said := slices.Sorted(maps.Keys(w.said[name]))
	if len(said) == 0 {
		w.t.Fatalf("nothing refers to %s", name)
	}
	text := said[0]
	for _, also := range said[1:min(2, len(said))] {
		text += ". " + also
	}
	return text
}

// fields returns the lines of a schema's fields.
func (w *typescriptOf) fields(of string) string {
	var b strings.Builder
	schema := w.schema(of)
	w.part = typeName(of)
	defer func() { w.part = "" }()
	required := list(schema["required"])
	properties := in(w.t, schema, "properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !plainName.MatchString(name) {
			w.t.Fatalf("the field %q is no name", name)
		}
		p := properties[name].(object)
		comment, _ := p["description"].(string)
		if p["format"] == "date-time" {
			comment = strings.TrimSpace(comment + " RFC 3339.")
		}
		if comment != "" {
			fmt.Fprintf(&b, "  /** %s */\n", comment)
		}
		optional := "?"
		if slices.Contains(required, any(name)) {
			optional = ""
		}
		fmt.Fprintf(&b, "  %s%s: %s;\n", name, optional, w.of(p))
	}
	return b.String()
}

// of returns the type of a schema.
func (w *typescriptOf) of(schema object) string {
	if ref := refOf(schema); ref != "" {
		w.wanted[ref] = true
		if w.part != "" {
			w.say(ref, "A part of "+w.part)
		}
		return typeName(ref)
	}
	kinds := list(schema["type"])
	if one, ok := schema["type"].(string); ok {
		kinds = []any{one}
	}
	if kinds == nil {
		return "unknown"
	}
	all := make([]string, len(kinds))
	for i, kind := range kinds {
		all[i] = w.kind(schema, kind)
	}
	return strings.Join(all, " | ")
}

func (w *typescriptOf) kind(schema object, kind any) string {
	switch values := list(schema["enum"]); {
	case kind == "string" && values != nil:
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = fmt.Sprintf("%q", v)
		}
		return strings.Join(quoted, " | ")
	case kind == "integer", kind == "number":
		return "number"
	case kind == "string", kind == "boolean", kind == "null":
		return kind.(string)
	case kind == "array":
		item := w.of(in(w.t, schema, "items"))
		if strings.Contains(item, " ") {
			item = "(" + item + ")"
		}
		return item + "[]"
	case kind == "object" && schema["properties"] == nil:
		return "Record<string, " + w.of(in(w.t, schema, "additionalProperties")) + ">"
	}
	w.t.Fatalf("no type for %v", schema)
	return ""
}

package queuefile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"muster/lobby/queue"
)

// Bounds of an expression. There are no loops, no functions but a few small ones and no variables, so a run looks at each
// node at most once: what it costs is bounded by its length and by the tickets' attributes.
const (
	maxExpression = 1000 // bytes
	maxNodes      = 200
	// maxMemory is how many elements a run may make. Constants in square brackets are made when the file is read.
	maxMemory = 1000
)

// scope is what an expression sees.
type scope struct {
	A      side    `expr:"a"`
	B      side    `expr:"b"`
	Waited float64 `expr:"waited"` // seconds, the oldest ticket's
}

// side is a ticket as an expression sees it.
type side struct {
	Rating     float64        `expr:"rating"` // by which it is matched: halfway from its players' mean to the best of them
	Players    int            `expr:"players"`
	Regions    []string       `expr:"regions"` // those that each of its players measured
	Attributes map[string]any `expr:"attributes"`
}

// Words that an expression may have.
var (
	functions = []string{"abs", "len", "max", "min"}
	operators = []string{
		"==", "!=", "<", "<=", ">", ">=", "and", "&&", "or", "||", "not", "!", "+", "-", "*", "/", "%", "in", "contains",
		"startsWith", "endsWith", "??",
	}
)

// expression is one that was compiled. Any goroutine may run it.
type expression struct {
	program *vm.Program
	regions bool // it looks at them, which cost to work out
	waited  bool // it looks at the wait
	idle    sync.Pool
}

// running is what one run needs.
type running struct {
	vm    vm.VM
	scope scope
}

// compile returns an expression that gives true or false at a bounded cost.
func compile(text string) (e *expression, err error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("the expression has %d bytes, at most %d allowed", len(text), maxExpression)
	}
	defer func() {
		if r := recover(); r != nil { // of the library, on what it does not expect
			e, err = nil, fmt.Errorf("this is no expression: %v", r)
		}
	}()
	v := &vetting{}
	options := []expr.Option{
		expr.Env(&scope{}), expr.AsBool(), expr.WarnOnAny(), expr.MaxNodes(maxNodes), expr.DisableIfOperator(),
		expr.DisableAllBuiltins(), expr.Patch(v),
	}
	for _, name := range functions {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(text, options...)
	if v.refused != "" { // says more than what the compiler found
		return nil, errors.New(v.refused)
	}
	if err != nil {
		var fe *file.Error
		if errors.As(err, &fe) {
			what := strings.ReplaceAll(fe.Message, "\n", " ")
			if field, ok := strings.CutPrefix(what, "type queuefile.side has no field "); ok {
				what = fmt.Sprintf("there is no %s: a ticket has rating, players, regions and attributes", field)
			}
			return nil, fmt.Errorf("column %d: %s", fe.Column+1, what)
		}
		if got, ok := strings.CutPrefix(err.Error(), "expected bool, but got "); ok {
			return nil, fmt.Errorf("it gives %s, want true or false", strings.Replace(got, "interface {}", "anything", 1))
		}
		return nil, err //nolint:wrapcheck // of the expression, which the caller names
	}
	e = &expression{program: program, regions: v.regions, waited: v.waited}
	e.idle.New = func() any { return &running{vm: vm.VM{MemoryBudget: maxMemory}} }
	return e, nil
}

// run says whether the expression holds for two tickets. An error says why that cannot be said.
func (e *expression) run(a, b *queue.Ticket, waited time.Duration) (bool, error) {
	r, ok := e.idle.Get().(*running)
	if !ok {
		return false, errors.New("the pool has something else")
	}
	defer e.idle.Put(r)
	r.scope = scope{A: e.side(a), B: e.side(b), Waited: waited.Seconds()}
	got, err := r.vm.Run(e.program, &r.scope)
	r.scope = scope{} // keeps no ticket alive
	if err != nil {
		var fe *file.Error
		if errors.As(err, &fe) {
			return false, errors.New(fe.Message)
		}
		return false, err //nolint:wrapcheck // of the expression, which the caller names
	}
	holds, ok := got.(bool)
	if !ok {
		return false, fmt.Errorf("it gives %T, not true or false", got)
	}
	return holds, nil
}

func (e *expression) side(t *queue.Ticket) side {
	s := side{Players: len(t.Players), Attributes: t.Attributes}
	if s.Players > 0 {
		s.Rating = t.Rating()
	}
	if e.regions && len(t.Players) > 0 {
		for name := range t.Players[0].Latency {
			if !slices.ContainsFunc(t.Players[1:], func(p queue.Player) bool { _, ok := p.Latency[name]; return !ok }) {
				s.Regions = append(s.Regions, name)
			}
		}
		slices.Sort(s.Regions)
	}
	return s
}

// vetting refuses what an expression may not have. It implements ast.Visitor.
type vetting struct {
	refused string
	regions bool
	waited  bool
}

// Visit implements ast.Visitor.
func (v *vetting) Visit(node *ast.Node) { //nolint:gocritic // the interface's
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.waited = v.waited || n.Value == "waited"
		if n.Value == "$env" {
			v.refuse(n, "there is no $env: there are a, b and waited")
		}
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConstantNode,
		*ast.ChainNode, *ast.ConditionalNode, *ast.ArrayNode:
	case *ast.MemberNode:
		if s, ok := n.Property.(*ast.StringNode); ok && s.Value == "regions" {
			v.regions = true
		}
	case *ast.UnaryNode:
		v.operator(n.Operator, n)
	case *ast.BinaryNode:
		v.operator(n.Operator, n)
	case *ast.BuiltinNode:
		v.function(n.Name, n)
	case *ast.CallNode:
		name := "this"
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			name = id.Value
		}
		v.function(name, n)
	default:
		v.refuse(n, "let, loops, slices, maps and several statements are not allowed")
	}
}

func (v *vetting) operator(op string, n ast.Node) {
	if !slices.Contains(operators, op) {
		v.refuse(n, fmt.Sprintf("the operator %s is not allowed", op))
	}
}

func (v *vetting) function(name string, n ast.Node) {
	if !slices.Contains(functions, name) {
		v.refuse(n, fmt.Sprintf("%s is no function here: there are abs, len, max and min", short(name)))
	}
}

func (v *vetting) refuse(n ast.Node, why string) {
	if v.refused == "" {
		v.refused = fmt.Sprintf("column %d: %s", n.Location().From+1, why)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"time"
)

// variant says how a notebook is executed other than as it stands.
type variant struct {
	parameters []string // "name=value", set after the cell tagged parameters
	figures    []string // names of figures: only these are drawn
	timeout    time.Duration
	env        []string
}

// apply changes the notebook, which was read to be executed.
func (v variant) apply(nb *notebook) error {
	for _, c := range nb.Cells {
		if len(v.figures) > 0 && !slices.ContainsFunc(v.figures, c.draws) {
			c.dropBody()
		}
	}
	if len(v.parameters) == 0 {
		return nil
	}
	return nb.setParameters(v.parameters)
}

// limit bounds the time that a cell may take.
func (v variant) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if v.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, v.timeout, fmt.Errorf("it took longer than -timeout %v", v.timeout))
}

// draws tells whether the cell shows the figure of a name.
func (c *cell) draws(figure string) bool {
	return c.Type == "code" && slices.Contains(c.figures(), figure)
}

var figureName = regexp.MustCompile(`\bName:\s*"([^"]+)"`)

// figures lists the names of the figures in the cell.
func (c *cell) figures() (names []string) {
	if !strings.Contains(string(c.Source), "plotting.") {
		return nil
	}
	for _, m := range figureName.FindAllStringSubmatch(string(c.Source), -1) {
		names = append(names, m[1])
	}
	return names
}

// dropBody leaves the declarations of a cell, on which others depend: values do not
// outlive the program of a cell.
func (c *cell) dropBody() {
	if at := slices.IndexFunc(lines(string(c.Source)), beginsBody); c.Type == "code" && at >= 0 {
		c.Source = text(strings.Join(lines(string(c.Source))[:at], ""))
	}
}

// injected is the tag that papermill gives to a cell of this kind.
const injected = "injected-parameters"

// setParameters inserts a cell behind the one tagged parameters, which declares some
// of its variables again with other values. The types stay.
func (nb *notebook) setParameters(assignments []string) error {
	at := slices.IndexFunc(nb.Cells, func(c *cell) bool { return c.hasTag("parameters") })
	if at < 0 {
		return errors.New("no cell is tagged parameters, so there is nothing that -p can set")
	}
	known, names := variables(string(nb.Cells[at].Source))
	var declared strings.Builder
	declared.WriteString("var (\n")
	for _, assignment := range assignments {
		name, value, _ := strings.Cut(assignment, "=")
		kind, found := known[name]
		if !found {
			return fmt.Errorf("-p %s: there is no parameter %q; there are %s", assignment, name, strings.Join(names, ", "))
		}
		if _, err := parser.ParseExpr(value); err != nil {
			return fmt.Errorf("-p %s: want NAME=VALUE with a value of Go, such as %s=1: %w", assignment, names[0], err)
		}
		fmt.Fprintf(&declared, "\t%s %s = %s\n", name, kind, value)
	}
	declared.WriteString(")")
	cells := slices.DeleteFunc(nb.Cells, func(c *cell) bool { return c.hasTag(injected) })
	nb.Cells = slices.Insert(cells, at+1, &cell{
		Type: "code", ID: injected, Outputs: []*output{}, Source: text(declared.String()),
		Metadata: map[string]any{"tags": []any{injected}},
	})
	return nil
}

// variables returns the types of the variables that a cell declares, empty where
// only the rest of the notebook knows it, and their names in order.
func variables(code string) (kinds map[string]string, names []string) {
	kinds = map[string]string{}
	file := parseCell(code).file
	if file == nil {
		return kinds, nil
	}
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			v := spec.(*ast.ValueSpec)
			for i, name := range v.Names {
				names = append(names, name.Name)
				kinds[name.Name] = kind(v, i)
			}
		}
	}
	return kinds, names
}

// kind is the type of a declared variable as far as its declaration says it.
func kind(v *ast.ValueSpec, i int) string {
	switch {
	case v.Type != nil:
		return types.ExprString(v.Type)
	case i >= len(v.Values):
		return ""
	}
	value := types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	if err := types.CheckExpr(token.NewFileSet(), nil, token.NoPos, v.Values[i], &value); err != nil {
		return ""
	}
	return types.Default(value.Types[v.Values[i]].Type).String()
}

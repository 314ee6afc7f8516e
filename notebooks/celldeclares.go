package main

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// onlyDeclares tells whether a program would do nothing that can be seen: gonb makes such programs of
// cells that declare functions and parameters.
func onlyDeclares(program *ast.File) bool {
	q := quiet{}
	for _, spec := range program.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err == nil && spec.Name == nil {
			q[path.Base(name)] = true
		}
	}
	for _, declaration := range program.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "main" && slices.ContainsFunc(d.Body.List, isNotFlags)) {
				return false
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR && slices.ContainsFunc(v.Values, q.lacks) {
					return false
				}
			}
		}
	}
	return true
}

// isNotFlags tells a statement from flag.Parse(), which gonb writes into each main.
func isNotFlags(statement ast.Stmt) bool {
	s, ok := statement.(*ast.ExprStmt)
	if !ok {
		return true
	}
	call, ok := s.X.(*ast.CallExpr)
	return !ok || !isSelected(call.Fun, "flag", "Parse")
}

// isSelected tells whether an expression is one of the names of a package.
func isSelected(e ast.Expr, from string, names ...string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == from && slices.Contains(names, s.Sel.Name)
}

// quiet is the packages of a program that have their own names, from which values may be taken.
type quiet map[string]bool

// lacks tells whether the value of a variable could print, panic or take its time. Where it cannot be
// seen from the expression, it could.
func (q quiet) lacks(value ast.Expr) (loud bool) {
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.BasicLit, *ast.Ident, *ast.CompositeLit, *ast.KeyValueExpr, *ast.ParenExpr,
			*ast.ArrayType, *ast.MapType, *ast.StructType, *ast.FieldList, *ast.Field:
		case *ast.FuncLit, *ast.FuncType: // which nobody calls
			return false
		case *ast.UnaryExpr:
			loud = loud || n.Op == token.ARROW
		case *ast.BinaryExpr:
			loud = loud || n.Op != token.ADD && n.Op != token.SUB && n.Op != token.MUL
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			loud = loud || !ok || !q[x.Name]
		case *ast.CallExpr:
			to, ok := n.Fun.(*ast.Ident)
			converts := ok && slices.Contains([]string{"float64", "int", "int64", "uint64", "string"}, to.Name)
			loud = loud || !converts && !isSelected(n.Fun, "sync", "OnceFunc", "OnceValue", "OnceValues")
		default:
			loud = true
		}
		return !loud
	})
	return loud
}

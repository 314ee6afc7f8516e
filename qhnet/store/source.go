package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"qhlab/qhnet"
)

// codeOf hashes the code that a function may run: its own declaration and all that it
// names, directly or not, in its package and in those of its modules, with all methods
// of the types among them, without comments and layout; and the versions of the modules
// that they import. So a result outlives an edit of a comment, of a test, of another
// cell, of a layer that it does not have, and none of the code that makes it. Values
// that the function captures are not seen, nor is the release of Go.
//
// A program that is far from its sources, or older than one of them, is its own version.
func codeOf(function any) string {
	entry := runtime.FuncForPC(reflect.ValueOf(function).Pointer())
	importPath, names := splitName(entry.Name())
	return remembered(entry.Name(), func() (string, error) {
		return codeIn(false, folderOf(entry, importPath), importPath, names)
	})
}

// codeAround hashes the packages that a flow or a descent of a model may run, each as a whole.
func codeAround(m qhnet.Model) string {
	t := reflect.TypeOf(m)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return remembered(t.PkgPath(), func() (string, error) {
		return codeIn(true, folderOf(nil, t.PkgPath()), t.PkgPath(), t.Name())
	})
}

func remembered(name string, code func() (string, error)) string {
	known, ok := codes.Load(name)
	if !ok {
		text, err := code()
		if err != nil {
			text = programVersion()
		}
		known, _ = codes.LoadOrStore(name, text)
	}
	return known.(string)
}

var codes sync.Map // by the name of the function or the model's package

// reader finds declarations that others name.
type reader struct {
	modules  []module
	packages map[string]*sources // by import path; nil is a package of others
	reached  map[*declaration]bool
	imported []string // by those reached, of others
	whole    bool     // a package is reached as a whole
}

type module struct{ path, folder, text string }

// sources are the declarations of a package by name, "T.m" for a method.
type sources struct {
	path     string
	named    map[string][]*declaration
	methods  map[string][]string // by type
	seen     map[string]bool     // names reached
	selected map[string]bool     // what stands behind a dot in declarations reached
	info     types.Info
	scope    *types.Scope
	assembly string
}

type declaration struct {
	*sources
	node ast.Node
	text string
}

// codeIn hashes what the named declarations of a package reach.
func codeIn(whole bool, folder, importPath, names string) (string, error) {
	_, here, _, _ := runtime.Caller(0)
	r := reader{packages: map[string]*sources{}, reached: map[*declaration]bool{}, whole: whole}
	for _, around := range []string{filepath.Dir(here), folder} {
		if m, ok := moduleAround(around); ok && !slices.Contains(r.modules, m) {
			r.modules = append(r.modules, m)
		}
	}
	if whole { // what runs the model
		if s, err := r.open("qhlab/qhnet"); err != nil || s == nil || r.reach(s) != nil {
			return "", errors.Join(err, errors.New("no sources"))
		}
	}
	own, err := r.open(importPath)
	if own == nil && err == nil { // a program, or a test beside its package
		if own, err = read(folder, path.Base(importPath)); err == nil {
			own.path = importPath
			r.packages[importPath] = own
		}
	}
	if err != nil {
		return "", err
	}
	entries := own.entries(names)
	if entries == nil {
		return "", fmt.Errorf("%s has no declaration of %s", importPath, names)
	}
	err = r.reach(own, entries...)
	return r.hash(), err
}

// splitName cuts a function's name into its package's path and its name there.
func splitName(name string) (importPath, inside string) {
	at := strings.LastIndex(name, "/") + 1
	base, inside, _ := strings.Cut(name[at:], ".")
	return name[:at] + base, inside
}

// folderOf is where a function of a package was compiled. A method value has no file of
// its own; then a caller from the same package tells.
func folderOf(entry *runtime.Func, importPath string) string {
	if entry != nil {
		if file, _ := entry.FileLine(entry.Entry()); filepath.IsAbs(file) {
			return filepath.Dir(file)
		}
	}
	counters := make([]uintptr, 64)
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters)])
	for frame, more := frames.Next(); more; frame, more = frames.Next() {
		if own, _ := splitName(frame.Function); own == importPath {
			return filepath.Dir(frame.File)
		}
	}
	return ""
}

// moduleAround returns the module that a folder is in.
func moduleAround(folder string) (module, bool) {
	for filepath.IsAbs(folder) {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if m := moduleLine.FindSubmatch(text); err == nil && m != nil {
			return module{string(m[1]), folder, string(text)}, true
		}
		if folder == filepath.Dir(folder) {
			break
		}
		folder = filepath.Dir(folder)
	}
	return module{}, false
}

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)\s*$`)

// literal is the part of a function's name that is a function without name, or what the
// compiler makes of a method value or a generic function.
var literal = regexp.MustCompile(`(\.(func|gowrap)?\d+|-(fm|range\d+)|\[\.\.\.\])+`)

// entries are the names of the declarations that a function stands in, by its own name:
// "f", "T.m", "(*T).m". Before it stands what the compiler has put it into.
func (s *sources) entries(name string) (names []string) {
	parts := strings.Split(literal.ReplaceAllString(name, ""), ".")
	last := len(parts) - 1
	if last > 0 {
		if method := strings.Trim(parts[last-1], "(*)") + "." + parts[last]; s.named[method] != nil {
			return []string{method}
		}
	}
	if s.named[parts[last]] != nil {
		names = append(names, parts[last])
	}
	return names
}

// reach follows the names to declarations of a package, and what these name. An exported
// method comes with its type, as any interface may call it; another one only if its name
// stands behind a dot. Functions init count but for those of a program, which is a notebook's
// with something from whoever runs it.
func (r *reader) reach(s *sources, names ...string) (err error) {
	if names = append(names, "_"); s.path != "main" {
		names = append(names, "init")
	}
	if r.whole {
		names = slices.AppendSeq(names, maps.Keys(s.named))
	}
	for _, name := range names {
		if s.seen[name] || err != nil {
			continue
		}
		s.seen[name] = true
		for _, m := range s.methods[name] {
			if ast.IsExported(m) || s.selected[m] {
				err = errors.Join(err, r.reach(s, name+"."+m))
			}
		}
		for _, d := range s.named[name] {
			if !r.reached[d] {
				r.reached[d] = true
				err = errors.Join(err, r.follow(d))
			}
		}
	}
	return err
}

// selects reaches the methods of a name, of the types reached.
func (r *reader) selects(s *sources, name string) (err error) {
	if s.selected[name] {
		return nil
	}
	s.selected[name] = true
	for t, methods := range s.methods {
		if s.seen[t] && slices.Contains(methods, name) {
			err = errors.Join(err, r.reach(s, t+"."+name))
		}
	}
	return err
}

// follow reaches all that a declaration names.
func (r *reader) follow(d *declaration) (err error) {
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				if p, ok := d.info.Uses[x].(*types.PkgName); ok {
					other, failed := r.open(p.Imported().Path())
					if err = errors.Join(err, failed); other != nil && failed == nil {
						err = errors.Join(err, r.reach(other, n.Sel.Name))
					}
					return false
				}
			}
			err = errors.Join(err, r.selects(d.sources, n.Sel.Name))
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident: // what the checker could not resolve may be one of the package
			if o := d.info.Uses[n]; o != nil && o.Parent() == d.scope || o == nil && d.info.Defs[n] == nil {
				err = errors.Join(err, r.reach(d.sources, n.Name))
			}
		}
		return err == nil
	}
	ast.Inspect(d.node, visit)
	return err
}

// open reads a package of the modules, and returns nil for those of others.
func (r *reader) open(importPath string) (*sources, error) {
	if s, ok := r.packages[importPath]; ok {
		return s, nil
	}
	for _, m := range r.modules {
		if within, ok := strings.CutPrefix(importPath+"/", m.path+"/"); ok {
			s, err := read(filepath.Join(m.folder, filepath.FromSlash(within)), "")
			if err == nil {
				s.path = importPath
				r.packages[importPath] = s
			}
			return s, err
		}
	}
	r.imported = append(r.imported, importPath)
	r.packages[importPath] = nil
	return nil, nil
}

// hash is that of the declarations reached.
func (r *reader) hash() string {
	var texts []string
	seen := map[*sources]bool{}
	for d := range r.reached {
		texts = append(texts, d.path+"\n"+d.text)
		if !seen[d.sources] && d.assembly != "" {
			texts = append(texts, d.path+"\n"+d.assembly)
		}
		seen[d.sources] = true
	}
	for _, m := range r.modules {
		for _, required := range requirement.FindAllStringSubmatch(m.text, -1) {
			if slices.ContainsFunc(r.imported, func(p string) bool { return strings.HasPrefix(p+"/", required[1]+"/") }) {
				texts = append(texts, required[1]+" "+required[2])
			}
		}
	}
	slices.Sort(texts)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(slices.Compact(texts), "\n"))))[:16]
}

var requirement = regexp.MustCompile(`(?m)^\s*(?:require )?(\S+) (v\S+)`)

var errEdited = errors.New("a source is newer than the program")

// read parses the files of a package, whatever system they are for: those of a package
// name, or those without tests.
func read(folder, name string) (*sources, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	assembly, files := "", map[string][]byte{}
	for _, entry := range entries {
		extension := filepath.Ext(entry.Name())
		if extension != ".go" && extension != ".s" || name == "" && strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		if info, err := entry.Info(); err != nil || info.ModTime().After(built()) {
			return nil, errors.Join(err, errEdited)
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		if extension == ".s" {
			assembly += string(text)
		} else {
			files[entry.Name()] = text
		}
	}
	s, err := parse(files, name)
	if err == nil {
		s.assembly = assembly
	}
	return s, err
}

// parse finds the declarations in files. Imports are not followed here, so that the checker
// knows what names of this package mean and leaves the rest.
func parse(texts map[string][]byte, name string) (*sources, error) {
	positions := token.NewFileSet()
	s := &sources{named: map[string][]*declaration{}, methods: map[string][]string{}, seen: map[string]bool{}, selected: map[string]bool{}, info: types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}}
	var files []*ast.File
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		file, err := parser.ParseFile(positions, path, texts[path], parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if name != "" && file.Name.Name != name {
			continue
		}
		files = append(files, file)
		s.declare(file, func(n ast.Node) string {
			return withoutComments(texts[path][positions.Position(n.Pos()).Offset:positions.Position(n.End()).Offset])
		})
	}
	checker := types.Config{Error: func(error) {}, DisableUnusedImportCheck: true, FakeImportC: true}
	checked, _ := checker.Check(name, positions, files, &s.info)
	s.scope = checked.Scope()
	return s, nil
}

func (s *sources) declare(file *ast.File, text func(ast.Node) string) {
	add := func(n ast.Node, names ...string) {
		d := &declaration{s, n, text(n)}
		for _, name := range names {
			s.named[name] = append(s.named[name], d)
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				t := receiver(d.Recv.List[0].Type)
				s.methods[t] = append(s.methods[t], d.Name.Name)
				add(d, t+"."+d.Name.Name)
			} else {
				add(d, d.Name.Name)
			}
		case *ast.GenDecl:
			addAll(add, d)
		}
	}
}

// addAll adds types and variables one by one, constants together, as one may repeat the
// expression of another.
func addAll(add func(ast.Node, ...string), d *ast.GenDecl) {
	var constants []string
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			add(spec, spec.Name.Name)
		case *ast.ValueSpec:
			var names []string
			for _, name := range spec.Names {
				names = append(names, name.Name)
			}
			if constants = append(constants, names...); d.Tok == token.VAR {
				add(spec, names...)
			}
		}
	}
	if d.Tok == token.CONST {
		add(d, constants...)
	}
}

// receiver names the type of a method's receiver.
func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// withoutComments returns the tokens of Go code, one a line.
func withoutComments(code []byte) string {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", -1, len(code)), code, nil, 0)
	var text strings.Builder
	for {
		_, kind, literal := s.Scan()
		switch {
		case kind == token.EOF:
			return text.String()
		case kind == token.SEMICOLON: // a new line is one too
			text.WriteString(";\n")
		case kind.IsLiteral():
			text.WriteString(literal + "\n")
		default:
			text.WriteString(kind.String() + "\n")
		}
	}
}

// built returns when the program was.
func built() time.Time {
	program, err := os.Executable()
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(program)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func programVersion() string {
	program, err := os.Executable()
	if err != nil {
		panic("qhnet: store: neither the sources nor the program can be found: " + err.Error())
	}
	text, err := os.ReadFile(program)
	if err != nil {
		panic("qhnet: store: " + err.Error())
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))[:16]
}

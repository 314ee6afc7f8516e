package store

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
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

// codeAround hashes the packages that a flow or a descent may run, each as a whole: those around
// its model, and around a loss and an optimizer that do not come with what runs them.
func codeAround(model qhnet.Model, others ...any) string {
	var codes []string
	for _, part := range append([]any{model}, others...) {
		t := reflect.TypeOf(part)
		if t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t == nil || t.PkgPath() == reflect.TypeFor[qhnet.Flow]().PkgPath() {
			continue
		}
		codes = append(codes, remembered(t.PkgPath(), func() (string, error) {
			return codeIn(true, folderOf(nil, t.PkgPath()), t.PkgPath(), t.Name())
		}))
	}
	return strings.Join(codes, " ")
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

type reader struct {
	modules  []module
	packages map[string]*sources // by import path; those of others are empty
	reached  []*declaration
	whole    bool  // a package is reached as a whole
	err      error // the first
}

type module struct{ path, folder, text string }

// sources are the declarations of a package by name, "T.m" for a method.
type sources struct {
	path     string
	named    map[string][]*declaration
	seen     map[string]bool // names reached, and ".m" for one behind a dot
	info     types.Info
	scope    *types.Scope
	assembly string
}

type declaration struct {
	*sources
	node ast.Node
}

// codeIn hashes what the named declarations of a package reach.
func codeIn(whole bool, folder, importPath, names string) (string, error) {
	_, here, _, _ := runtime.Caller(0)
	r := reader{packages: map[string]*sources{}, whole: whole}
	for _, around := range []string{filepath.Dir(here), folder} {
		if m, ok := moduleAround(around); ok && !slices.Contains(r.modules, m) {
			r.modules = append(r.modules, m)
		}
	}
	if whole && len(r.open("qhlab/qhnet").named) == 0 { // what runs the model
		return "", errors.Join(r.err, errors.New("no sources"))
	}
	own := r.open(importPath)
	if len(own.named) == 0 { // a program, or a test beside its package
		own = r.read(importPath, folder, path.Base(importPath))
	}
	entries := own.entries(names)
	if entries == nil {
		return "", errors.Join(r.err, fmt.Errorf("%s has no declaration of %s", importPath, names))
	}
	r.reach(own, entries...)
	r.grow()
	return r.hash(), r.err
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

func moduleAround(folder string) (module, bool) {
	for above := ""; filepath.IsAbs(folder) && folder != above; folder, above = filepath.Dir(folder), folder {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if m := moduleLine.FindSubmatch(text); err == nil && m != nil {
			return module{string(m[1]), folder, string(text)}, true
		}
	}
	return module{}, false
}

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)\s*$`)

// literal is the part of a function's name that is a function without name, or what the
// compiler makes of a method value or a generic function.
var literal = regexp.MustCompile(`(\.(func|gowrap)?\d+|-(fm|range\d+)|\[\.\.\.\])+`)

// entries are the names of the declarations that a function stands in, by its own name:
// "f", "T.m", "(*T).m". Before it stands what the compiler has put it into.
func (s *sources) entries(name string) []string {
	parts := strings.Split("."+literal.ReplaceAllString(name, ""), ".")
	last := len(parts) - 1
	for _, name := range []string{strings.Trim(parts[last-1], "(*)") + "." + parts[last], parts[last]} {
		if s.named[name] != nil {
			return []string{name}
		}
	}
	return nil
}

// reach follows names to declarations of a package, and what these name.
func (r *reader) reach(s *sources, names ...string) {
	for _, name := range names {
		if s.seen[name] {
			continue
		}
		s.seen[name] = true
		for _, d := range s.named[name] {
			r.reached = append(r.reached, d)
			r.follow(d)
		}
	}
}

// grow reaches what comes with what is reached, until there is no more.
func (r *reader) grow() {
	for reached := -1; reached < len(r.reached); {
		reached = len(r.reached)
		for _, s := range r.packages {
			for name := range s.named {
				if r.whole || s.comes(name) {
					r.reach(s, name)
				}
			}
		}
	}
}

// comes tells whether a declaration comes with others: an exported method with its type,
// as any interface may call it, another one if its name stands behind a dot; and functions
// init, but for those of a program, which is a notebook's with something from whoever runs it.
func (s *sources) comes(name string) bool {
	t, method, isMethod := strings.Cut(name, ".")
	if isMethod {
		return s.seen[t] && (ast.IsExported(method) || s.seen["."+method])
	}
	return name == "_" || name == "init" && s.path != "main"
}

// follow reaches all that a declaration names.
func (r *reader) follow(d *declaration) {
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, _ := n.X.(*ast.Ident)
			if p, ok := d.info.Uses[x].(*types.PkgName); ok {
				r.reach(r.open(p.Imported().Path()), n.Sel.Name)
				return false
			}
			d.seen["."+n.Sel.Name] = true
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident: // what the checker could not resolve may be one of the package
			if o := d.info.Uses[n]; o != nil && o.Parent() == d.scope || o == nil && d.info.Defs[n] == nil {
				r.reach(d.sources, n.Name)
			}
		}
		return true
	}
	ast.Inspect(d.node, visit)
}

// open reads a package, if it is one of the modules.
func (r *reader) open(importPath string) *sources {
	if s, ok := r.packages[importPath]; ok {
		return s
	}
	for _, m := range r.modules {
		if within, ok := strings.CutPrefix(importPath+"/", m.path+"/"); ok {
			return r.read(importPath, filepath.Join(m.folder, filepath.FromSlash(within)), "")
		}
	}
	r.packages[importPath] = &sources{seen: map[string]bool{}}
	return r.packages[importPath]
}

func (r *reader) hash() string {
	var texts []string
	for _, d := range r.reached {
		var text strings.Builder // without comments, which were not parsed, and without lines of the file
		r.err = cmp.Or(r.err, format.Node(&text, token.NewFileSet(), d.node))
		texts = append(texts, d.path+"\n"+text.String())
	}
	for importPath, s := range r.packages {
		if slices.ContainsFunc(r.reached, func(d *declaration) bool { return d.sources == s }) {
			texts = append(texts, s.path+"\n"+s.assembly)
		}
		for _, m := range r.modules {
			for _, required := range requirement.FindAllStringSubmatch(m.text, -1) {
				if len(s.named) == 0 && strings.HasPrefix(importPath+"/", required[1]+"/") {
					texts = append(texts, required[1]+" "+required[2])
				}
			}
		}
	}
	slices.Sort(texts)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(slices.Compact(texts), "\n"))))[:16]
}

var requirement = regexp.MustCompile(`(?m)^\s*(?:require )?(\S+) (v\S+)`)

var errEdited = errors.New("a source is newer than the program")

// read parses the files of a package, whatever system they are for: those of a package
// name, or those without tests. Imports are not followed here, so that the checker knows
// what names of this package mean and leaves the rest.
func (r *reader) read(importPath, folder, name string) *sources {
	s := &sources{path: importPath, named: map[string][]*declaration{}, seen: map[string]bool{},
		info: types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}}
	r.packages[importPath] = s
	positions := token.NewFileSet()
	var files []*ast.File
	entries, err := os.ReadDir(folder)
	r.err = cmp.Or(r.err, err)
	for _, entry := range entries {
		extension := filepath.Ext(entry.Name())
		if extension != ".go" && extension != ".s" || name == "" && strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		info, err := entry.Info()
		if err == nil && info.ModTime().After(built()) {
			err = errEdited
		}
		text, unread := os.ReadFile(filepath.Join(folder, entry.Name()))
		if r.err = cmp.Or(r.err, err, unread); extension == ".s" {
			s.assembly += string(text)
			continue
		}
		file, err := parser.ParseFile(positions, entry.Name(), text, parser.SkipObjectResolution)
		if r.err = cmp.Or(r.err, err); err == nil && (name == "" || name == file.Name.Name) {
			files = append(files, file)
			s.declare(file)
		}
	}
	checker := types.Config{Error: func(error) {}, DisableUnusedImportCheck: true, FakeImportC: true}
	checked, _ := checker.Check(name, positions, files, &s.info)
	s.scope = checked.Scope()
	return s
}

var typeName = regexp.MustCompile(`[\pL_][\pL\pN_]*`)

// declare notes what a file declares: types and variables one by one, constants
// together, as one may repeat the expression of another.
func (s *sources) declare(file *ast.File) {
	add := func(n ast.Node, name string) { s.named[name] = append(s.named[name], &declaration{s, n}) }
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = typeName.FindString(types.ExprString(d.Recv.List[0].Type)) + "." + name
			}
			add(d, name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				var n ast.Node = spec
				if d.Tok == token.CONST {
					n = d
				}
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(n, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(n, name.Name)
					}
				}
			}
		}
	}
}

func built() time.Time {
	program, _ := os.Executable()
	info, err := os.Stat(program)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func programVersion() string {
	program, _ := os.Executable()
	text, err := os.ReadFile(program)
	if err != nil {
		panic("qhnet: store: neither the sources nor the program can be found: " + err.Error())
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))[:16]
}

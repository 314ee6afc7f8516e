package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// execution is a cell that runs, as the proxy sees it.
type execution struct {
	request message
	code    struct {
		Code        string `json:"code"`
		StopOnError bool   `json:"stop_on_error"`
	}
	id          string // of the cell
	count       int    // the number of the cell, as Jupyter shows it
	interrupted bool
	heeded      bool   // the program ends by itself because of that
	replaces    string // declarations of the cell before it was edited, if some are forgotten
	bars        bars
	stderr      errorOutput
	ended       string // how the program ended, as gonb prints it

	// What ends the execution is held back until all of it is there.
	reply, failure, idle *message
}

func newExecution(m message) *execution {
	e := &execution{request: m}
	e.code.StopOnError = true // where the request does not say
	json.Unmarshal(m.Content, &e.code)
	var about struct {
		Cell string `json:"cellId"`
	}
	json.Unmarshal(m.metadata, &about)
	e.id = about.Cell
	return e
}

// ending is what gonb prints after a program that failed.
var ending = regexp.MustCompile(`^(\^C\n)?(exit status \d+|signal: .+)\n$`)

// take takes care of a message that the cell causes.
func (e *execution) take(p *proxy, m message) {
	var content struct {
		Name  string `json:"name"`
		Text  string `json:"text"`
		Count int    `json:"execution_count"`
	}
	json.Unmarshal(m.Content, &content)
	switch {
	case m.Header.Type == "execute_reply":
		e.reply = &m
	case m.Header.Type == "error":
		e.failure = &m
	case isIdle(m):
		e.idle = &m
	case m.Header.Type == "stream" && content.Name == "stderr":
		text := e.ended + content.Text
		e.ended = ""
		if ending.MatchString(text) {
			e.ended, text = text, ""
		}
		p.print(e.stderr.add(text))
	case m.Header.Type == "input_request":
		p.handBack(m)
	default:
		if m.Header.Type == "execute_input" {
			e.count = content.Count
		}
		p.publish(m)
	}
}

// printed is the message that shows a text among the errors of the cell.
func (e *execution) printed(text string) message {
	return e.request.answer("stream", map[string]string{"name": "stderr", "text": text})
}

// errorOutput puts the pieces together in which a program's errors come, and keeps the
// trace of a panic back. It is complete when the cell has ended.
type errorOutput struct {
	line  string // has no end yet
	since time.Time
	trace strings.Builder
}

// traces are what the runtime of Go begins its last words with.
var traces = []string{"panic: ", "fatal error: ", "runtime: ", "unexpected ", "SIG"}

func (r *errorOutput) add(piece string) string {
	r.line, r.since = r.line+piece, time.Now()
	end := strings.LastIndex(r.line, "\n") + 1
	whole := r.line[:end]
	r.line = r.line[end:]
	if r.trace.Len() > 0 {
		r.trace.WriteString(whole)
		return ""
	}
	begin := len(whole)
	for _, words := range traces {
		if at := strings.Index(whole, words); at >= 0 {
			begin = min(begin, at)
		}
	}
	r.trace.WriteString(whole[begin:])
	return whole[:begin]
}

// unfinished returns what has waited long enough for the end of its line, but no begun trace.
func (r *errorOutput) unfinished() string {
	if r.trace.Len() > 0 || time.Since(r.since) < 100*time.Millisecond {
		return ""
	}
	begin := 0
	for ; begin < len(r.line); begin++ {
		part := r.line[begin:]
		if slices.ContainsFunc(traces, func(words string) bool { return strings.HasPrefix(part, words) || strings.HasPrefix(words, part) }) {
			break
		}
	}
	shown := r.line[:begin]
	r.line = r.line[begin:]
	return shown
}

// rest returns what has been kept back after all.
func (r *errorOutput) rest() string {
	text := r.trace.String() + r.line
	r.trace.Reset()
	r.line = ""
	return text
}

// explanation is what Jupyter shows of an error.
type explanation struct {
	Name      string   `json:"ename"`
	Value     string   `json:"evalue"`
	Traceback []string `json:"traceback"`
}

// compiled tells whether there was a program, so that gonb knows the declarations of the cell.
func (e *execution) compiled() bool {
	var said explanation
	return e.failure == nil || json.Unmarshal(e.failure.Content, &said) == nil && ending.MatchString(said.Value+"\n")
}

// explain says why the cell failed, and where in which of the cells that ran, it being the last.
func (e *execution) explain(ran []executed) explanation {
	if e.failure == nil {
		e.stderr.line += e.ended
		return explanation{}
	}
	var said explanation
	json.Unmarshal(e.failure.Content, &said)
	switch {
	case e.interrupted && e.compiled():
		sentence := "interrupted"
		if trace := mark.ReplaceAllString(e.stderr.rest(), ""); strings.Contains(trace, "\ngoroutine ") {
			sentence = panicSentence(trace)
		}
		return explanation{"Interrupted", sentence, []string{red(sentence)}}
	case e.compiled() && strings.Contains(e.stderr.trace.String(), "\ngoroutine "):
		before, trace := cutPanic(mark.ReplaceAllString(e.stderr.rest(), ""))
		e.stderr.line = before
		return explainPanic(trace, ran)
	case e.compiled():
		said.Traceback = []string{red("the program ended with " + said.Value)}
		return said
	}
	return explainCompiler(said, ran)
}

// mark is what gonb puts before a file and a line that stand in one piece.
var mark = regexp.MustCompile(` \x1b\[7m\[\[ Cell [^]]*\]? ?(Line \d+ )?\]\]\x1b\[0m `)

func red(text string) string { return "\x1b[31m" + text + "\x1b[0m" }

// executed is a cell that ran, and whose declarations later cells see. Its identity
// stays when it is edited; front ends other than JupyterLab may not tell it.
type executed struct {
	count    int
	id, code string
}

// forgotten lists the names that the cell declared when it ran before, and does not
// declare any more. gonb keeps them: a parameter whose name is mistyped would leave
// the old value to the rest of the notebook.
func forgotten(ran []executed, id, code string) (names []string) {
	now := parseCell(code)
	if id == "" || now.err != nil {
		return nil
	}
	seen := now.names()
	for _, c := range slices.Backward(ran) {
		declared := parseCell(c.code).names()
		for _, name := range declared {
			if c.id == id && !slices.Contains(seen, name) {
				names = append(names, name)
			}
		}
		seen = append(seen, declared...) // what another cell declared later is its own
	}
	return names
}

func lastDeclarations(ran []executed, id string) string {
	for _, c := range slices.Backward(ran) {
		if s := parseCell(c.code); c.id == id {
			return strings.Join(s.lines[1:s.main], "\n")
		}
	}
	return ""
}

// place is a line of a cell, counted from 1.
type place struct {
	executed
	line int
}

func (p place) String() string {
	lines := strings.Split(p.code, "\n")
	if p.line < 1 || p.line > len(lines) {
		return fmt.Sprintf("cell [%d]", p.count)
	}
	return fmt.Sprintf("cell [%d], line %d\n> %3d  %s", p.count, p.line, p.line, lines[p.line-1])
}

// compilerLine is what gonb puts before a few lines of the program and the compiler's error.
var compilerLine = regexp.MustCompile(`^Cell(?:\[(\d+)\]:)? Line (\d+)\n`)

func explainCompiler(said explanation, ran []executed) explanation {
	x := explanation{Name: "Error"}
	for _, entry := range said.Traceback {
		entry = strings.TrimSpace(escapes.ReplaceAllString(entry, ""))
		text := entry[strings.LastIndex(entry, "\n")+1:]
		if strings.HasPrefix(text, "# ") || text == "" || text == "exit status 1" {
			continue // the name of the package and the end of the compiler
		}
		if continued := len(x.Traceback); continued > 0 && !compilerLine.MatchString(entry) {
			x.Traceback[continued-1] += "\n" + text // such as have (…), want (…)
			continue
		}
		shown := red(text)
		if m := compilerLine.FindStringSubmatch(entry); m != nil {
			at := place{executed: ran[len(ran)-1]}
			at.line, _ = strconv.Atoi(m[2])
			if count, err := strconv.Atoi(m[1]); err == nil {
				if i := slices.IndexFunc(ran, func(c executed) bool { return c.count == count }); i >= 0 {
					at.executed = ran[i]
				}
			}
			shown += "\n" + at.String()
		}
		if x.Value == "" {
			x.Value = text
		}
		x.Traceback = append(x.Traceback, shown)
	}
	if len(x.Traceback) == 0 {
		return said
	}
	return x
}

// explainPanic makes a sentence and a few places of a stack trace. Where the
// environment asks for traces, as Go's own GOTRACEBACK does, it is kept as well.
func explainPanic(trace string, ran []executed) explanation {
	sentence := panicSentence(trace)
	x := explanation{Name: "panic", Value: sentence, Traceback: []string{red(sentence)}}
	library, at := findPlaces(trace, ran)
	if library != "" && !ownWords.MatchString(sentence) {
		x.Traceback = append(x.Traceback, "in "+library)
	}
	for i, p := range at {
		switch {
		case i == 0:
			x.Traceback = append(x.Traceback, "in "+p.String())
		case i < 3 || i == len(at)-1:
			x.Traceback = append(x.Traceback, "called from "+p.String())
		}
	}
	if len(at) == 0 || os.Getenv("GOTRACEBACK") != "" {
		x.Traceback = append(x.Traceback, trace)
	}
	return x
}

// call is a function in a stack trace, without its arguments, its file and its line.
var call = regexp.MustCompile(`\n(?:created by (.+) in goroutine \d+|(.+)\(.*\))\n\t(.+\.go):(\d+)`)

var cellProgram = regexp.MustCompile(`gonb_[^/]+/main(_test)?\.go$`)

// findPlaces returns the lines of cells among the calls of the goroutine that failed, the
// innermost first, and the function of the project in which they ended, if any.
func findPlaces(trace string, ran []executed) (library string, at []place) {
	_, trace, _ = strings.Cut(trace, "\ngoroutine ")
	trace, _, _ = strings.Cut(trace, "\n\n")
	var program *cellSource
	for _, m := range call.FindAllStringSubmatch(trace, -1) {
		function, ours := strings.CutPrefix(m[1]+m[2], modulePath+"/")
		switch line, _ := strconv.Atoi(m[4]); {
		case cellProgram.MatchString(m[3]):
			if program == nil {
				text, _ := os.ReadFile(m[3])
				program = parseGo(string(text))
			}
			if p, ok := program.locate(line, ran); ok && !slices.Contains(at, p) {
				at = append(at, p)
			}
		case len(at) == 0 && library == "" && ours:
			library = fmt.Sprintf("%s, %s:%d", function, filepath.Base(m[3]), line)
		}
	}
	return library, at
}

// ownWords is how a package begins what it says of a programmer's mistake.
var ownWords = regexp.MustCompile(`^[a-z]\w*: `)

// cutPanic cuts a panic off what the program itself wrote before, in words that begin a trace, too.
func cutPanic(text string) (before, trace string) {
	head := "\n" + stack.Split(text, 2)[0]
	at := max(0, strings.LastIndex(head, "\npanic: "), strings.LastIndex(head, "\nfatal error: "))
	return text[:at], text[at:]
}

// panicSentence is what a panic says, without the words of the runtime around it
// and with the name of the package that says it once.
func panicSentence(trace string) string {
	head := stack.Split(trace, 2)[0]
	for _, begin := range []string{"panic: ", "fatal error: "} {
		if at := strings.LastIndex(head, begin); at >= 0 && (at == 0 || strings.ContainsRune("\n\t", rune(head[at-1]))) {
			head = head[at+len(begin):]
			break
		}
	}
	head = recovered.ReplaceAllString(strings.TrimSpace(head), "")
	head = strings.TrimPrefix(head, "runtime error: ")
	if name := ownWords.FindString(head); name != "" {
		head = name + strings.ReplaceAll(head[len(name):], name, "")
	}
	return strings.ReplaceAll(head, "\n\t", "\n")
}

// stack is what follows a panic's sentence, or stands in one that holds a stack.
var stack = regexp.MustCompile(`\n\t?goroutine \d|\n\[signal `)

var recovered = regexp.MustCompile(` \[recovered[^\]]*\]`)

// cellSource is Go whose declarations can be found: a cell, or the program that gonb made of cells.
type cellSource struct {
	text  string
	files *token.FileSet
	file  *ast.File
	err   error // if it cannot be parsed

	// Of a cell:
	lines []string // without those that are not Go
	main  int      // at which main begins, or their number
	place []int    // the number of each in the cell
}

func parseGo(text string) *cellSource {
	s := &cellSource{text: text, files: token.NewFileSet()}
	s.file, s.err = parser.ParseFile(s.files, "", text, parser.SkipObjectResolution)
	return s
}

// parseCell makes Go of a cell, as gonb does: what follows %% is the body of main,
// other lines that begin with % or ! are commands to gonb.
func parseCell(code string) *cellSource {
	text, place, main := []string{"package main"}, []int{0}, 0
	for i, line := range strings.Split(code, "\n") {
		switch {
		case beginsBody(line):
			main = len(text)
			text, place = append(text, "func main() {", "flag.Parse()"), append(place, i+1, i+1)
		case strings.HasPrefix(line, "%"), strings.HasPrefix(line, "!"):
		default:
			text, place = append(text, line), append(place, i+1)
		}
	}
	if main > 0 {
		text, place = append(text, "}"), append(place, len(place))
	}
	s := parseGo(strings.Join(text, "\n"))
	s.lines, s.main, s.place = text, cmp.Or(main, len(text)), place
	return s
}

// onlyDeclares tells whether a cell has no body of main.
func (s *cellSource) onlyDeclares() bool { return s.main == len(s.lines) }

// beginsBody tells whether the lines that follow are the body of main.
func beginsBody(line string) bool {
	word, _, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
	return word == "%%" || word == "%main"
}

// declaration is a part of a program that gonb takes from a cell as it is.
type declaration struct {
	name        string
	first, last int // lines
	helper      bool
	kind        string // the type of a variable, empty where only the rest of the notebook knows it
}

func (s *cellSource) declarations() (all []declaration) {
	if s.err != nil {
		return nil
	}
	add := func(name string, n ast.Node, helper bool, kind string) {
		all = append(all, declaration{name, s.files.Position(n.Pos()).Line, s.files.Position(n.End()).Line, helper, kind})
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil && len(d.Recv.List) == 1 {
				name = word.FindString(types.ExprString(d.Recv.List[0].Type)) + "." + name
			}
			add("func "+name, d, reportsErrors(d.Type), "")
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch v := spec.(type) {
				case *ast.ValueSpec:
					for i, name := range v.Names {
						add(d.Tok.String()+" "+name.Name, v, false, kind(v, i))
					}
				case *ast.TypeSpec:
					add("type "+v.Name.Name, v, false, "")
				}
			}
		}
	}
	return all
}

// names lists what the cell declares for the others.
func (s *cellSource) names() (all []string) {
	for _, d := range s.declarations() {
		if _, name, _ := strings.Cut(d.name, " "); name != "main" && name != "_" {
			all = append(all, name)
		}
	}
	return all
}

// kind is the type of a declared variable as far as its declaration says it.
func kind(v *ast.ValueSpec, i int) string {
	switch {
	case v.Type != nil:
		return types.ExprString(v.Type)
	case i >= len(v.Values):
		return ""
	}
	value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, types.ExprString(v.Values[i]))
	if err != nil {
		return ""
	}
	return types.Default(value.Type).String()
}

var word = regexp.MustCompile(`[\pL_][\pL\pN_]*`)

// reportsErrors tells whether a function is handed an error, as must is: its caller is to be shown.
func reportsErrors(f *ast.FuncType) bool {
	return slices.ContainsFunc(f.Params.List, func(p *ast.Field) bool { return types.ExprString(p.Type) == "error" })
}

// locate finds the line of a cell from which a line of the program was taken, in the newest cell
// that declares what the line belongs to. There is none for a function that only reports errors.
func (s *cellSource) locate(line int, ran []executed) (place, bool) {
	for _, d := range s.declarations() {
		if line < d.first || line > d.last || d.helper {
			continue
		}
		for _, c := range slices.Backward(ran) {
			cell := parseCell(c.code)
			for _, same := range cell.declarations() {
				if at := same.first + line - d.first; same.name == d.name && at <= same.last {
					return place{c, cell.place[at-1]}, true
				}
			}
			if d.name == "func main" {
				break // of an older cell is not running
			}
		}
	}
	return place{}, false
}

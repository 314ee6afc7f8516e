package store

import (
	"cmp"
	"crypto/sha256"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// path is where a result for a key, of a type and some code, is kept: a readable name and a hash.
func (s Store) path(name string, key any, result reflect.Type, code string) (string, error) {
	text, err := json.Marshal(key)
	if err != nil {
		return "", fmt.Errorf("qhnet: the key of %q has no JSON form: %w", name, err)
	}
	var types, fields layout
	if types.dynamic(reflect.ValueOf(key)); types.err != nil {
		return "", fmt.Errorf("qhnet: the key of %q: %w", name, types.err)
	}
	if fields.static(result, map[reflect.Type]bool{}); fields.err != nil {
		return "", fmt.Errorf("qhnet: the result of %q: %w", name, fields.err)
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%T %s\n%s\n%s\n", code, name, key, text, &types, &fields))
	safe := strings.NewReplacer("/", "-", "\\", "-", " ", "-", ":", "-").Replace(name)
	return filepath.Join(s.Dir, fmt.Sprintf("%s-%x.run", safe, h[:8])), nil
}

// layout is a text of types, and what is wrong with the first that is.
type layout struct {
	strings.Builder
	err error
}

func (l *layout) fail(format string, args ...any) { l.err = cmp.Or(l.err, fmt.Errorf(format, args...)) }

// dynamic writes what the JSON form of a value leaves out: the types of what its
// interfaces hold. A field that JSON drops because it is not exported is wrong, as keys
// that differ there would be taken for one.
func (l *layout) dynamic(v reflect.Value) {
	if !v.IsValid() || marshals(v) {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			fmt.Fprintf(l, "%v ", v.Elem().Type())
		}
		l.dynamic(v.Elem())
	case reflect.Pointer:
		l.dynamic(v.Elem())
	case reflect.Struct:
		l.distinct(v.Type(), map[string]bool{})
		for i := range v.NumField() {
			field := v.Type().Field(i)
			embedded := field.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			switch {
			case field.Tag.Get("json") == "-":
			case !field.IsExported() && !(field.Anonymous && embedded.Kind() == reflect.Struct): // JSON promotes the fields of those
				l.fail("the field %v.%s is not exported, so that JSON drops it; export it, or build the key from what it holds", v.Type(), field.Name)
			default:
				l.dynamic(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && !basic(v.Type().Elem()); i++ {
			l.dynamic(v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			l.dynamic(v.MapIndex(k))
		}
	}
}

// distinct fails if two fields of a struct, or of those embedded in it, have one name in JSON.
func (l *layout) distinct(t reflect.Type, seen map[string]bool) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch inner := field.Type; {
		case field.Tag.Get("json") == "-":
		case field.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			l.distinct(inner, seen)
		default:
			if name = cmp.Or(name, field.Name); seen[name] {
				l.fail("two fields of %v are called %s in JSON, which drops one of them; give them different names", t, name)
			}
			seen[name] = true
		}
	}
}

// marshals reports whether a value writes its own JSON.
func marshals(v reflect.Value) bool {
	own := func(t reflect.Type) bool {
		return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	}
	return v.Kind() != reflect.Interface && (own(v.Type()) || v.CanAddr() && own(reflect.PointerTo(v.Type())))
}

func basic(t reflect.Type) bool { return t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String }

// static names a type with the names and types of all its fields. A field that gob drops
// is wrong, unless a type around it writes its own gob.
func (l *layout) static(t reflect.Type, seen map[reflect.Type]bool) {
	fmt.Fprintf(l, "%v=%v", t, t.Kind())
	if seen[t] {
		return
	}
	seen[t] = true
	before := l.err
	l.WriteByte('{')
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if !field.IsExported() {
				l.fail("gob drops the field %v.%s, so that it would come back empty; export it, or return what it holds", t, field.Name)
			}
			fmt.Fprintf(l, "%s ", field.Name)
			l.static(field.Type, seen)
		}
	case reflect.Func, reflect.Chan:
		l.fail("gob has no form of a %v; return what it gives", t)
	case reflect.Map:
		l.static(t.Key(), seen)
		l.static(t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		l.static(t.Elem(), seen)
	}
	l.WriteByte('}')
	if encodes(t) {
		l.err = before
	}
}

// encodes reports whether a type writes its own gob.
func encodes(t reflect.Type) bool {
	for _, t := range []reflect.Type{t, reflect.PointerTo(t)} {
		if t.Implements(reflect.TypeFor[gob.GobEncoder]()) || t.Implements(reflect.TypeFor[encoding.BinaryMarshaler]()) {
			return true
		}
	}
	return false
}

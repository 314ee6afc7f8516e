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

// path is where the result of a type for a key is kept that some code makes: a readable
// name and a hash.
func (s Store) path(name string, key any, result reflect.Type, code string) (string, error) {
	text, err := json.Marshal(key)
	if err != nil {
		return "", fmt.Errorf("qhnet: the key of %q has no JSON form: %w", name, err)
	}
	var types strings.Builder
	if err := dynamicTypes(&types, reflect.ValueOf(key)); err != nil {
		return "", fmt.Errorf("qhnet: the key of %q: %w", name, err)
	}
	fields, err := layout(result)
	if err != nil {
		return "", fmt.Errorf("qhnet: the result of %q: %w", name, err)
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%T %s\n%s\n%s\n", code, name, key, text, &types, fields))
	safe := strings.NewReplacer("/", "-", "\\", "-", " ", "-", ":", "-").Replace(name)
	return filepath.Join(s.Dir, fmt.Sprintf("%s-%x.run", safe, h[:8])), nil
}

// dynamicTypes writes what the JSON form of a value leaves out: the types of what
// its interfaces hold. It returns an error for a field that JSON drops because it
// is not exported, as keys that differ there would be taken for one.
func dynamicTypes(types *strings.Builder, v reflect.Value) error {
	if !v.IsValid() || marshals(v) {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return dynamicTypes(types, v.Elem())
	case reflect.Interface:
		if !v.IsNil() {
			fmt.Fprintf(types, "%v ", v.Elem().Type())
		}
		return dynamicTypes(types, v.Elem())
	case reflect.Struct:
		return dynamicTypesOfFields(types, v)
	case reflect.Slice, reflect.Array:
		if basic(v.Type().Elem()) {
			return nil
		}
		for i := range v.Len() {
			if err := dynamicTypes(types, v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			if err := dynamicTypes(types, v.MapIndex(k)); err != nil {
				return err
			}
		}
	}
	return nil
}

func dynamicTypesOfFields(types *strings.Builder, v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		embedded := field.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case field.Tag.Get("json") == "-":
			continue
		case !field.IsExported() && !(field.Anonymous && embedded.Kind() == reflect.Struct): // JSON promotes the fields of those
			return fmt.Errorf("the field %v.%s is not exported, so that JSON drops it; export it, or build the key from what it holds", v.Type(), field.Name)
		}
		if err := dynamicTypes(types, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

// marshals reports whether a value writes its own JSON.
func marshals(v reflect.Value) bool {
	own := func(t reflect.Type) bool {
		return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	}
	return v.Kind() != reflect.Interface && (own(v.Type()) || v.CanAddr() && own(reflect.PointerTo(v.Type())))
}

func basic(t reflect.Type) bool { return t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String }

// layout names a type with the names and types of all its fields. It returns an error
// for a field that gob drops.
func layout(t reflect.Type) (string, error) {
	var text strings.Builder
	err := writeLayout(&text, t, map[reflect.Type]bool{})
	return text.String(), err
}

func writeLayout(text *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) (err error) {
	fmt.Fprintf(text, "%v=%v", t, t.Kind())
	if seen[t] {
		return nil
	}
	seen[t] = true
	text.WriteByte('{')
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if !field.IsExported() {
				err = fmt.Errorf("gob drops the field %v.%s, so that it would come back empty; export it, or return what it holds", t, field.Name)
			}
			fmt.Fprintf(text, "%s ", field.Name)
			err = cmp.Or(err, writeLayout(text, field.Type, seen))
		}
	case reflect.Func, reflect.Chan:
		err = fmt.Errorf("gob has no form of a %v; return what it gives", t)
	case reflect.Map:
		err = cmp.Or(writeLayout(text, t.Key(), seen), writeLayout(text, t.Elem(), seen))
	case reflect.Pointer, reflect.Slice, reflect.Array:
		err = writeLayout(text, t.Elem(), seen)
	}
	text.WriteByte('}')
	if encodes(t) {
		return nil
	}
	return err
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

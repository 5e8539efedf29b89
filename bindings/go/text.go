package actionhist

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// decode reads what the library wrote, with numbers of any kind as they were written.
func decode(text []byte, answer any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(answer)
}

// replacedText returns where in a request encoding/json has replaced bytes that are not UTF-8, and nothing if it has
// replaced none: two ids that differ in such bytes would be one.
func replacedText(text []byte, request any) string {
	if !bytes.Contains(text, []byte(`\ufffd`)) {
		return ""
	}
	return invalidText(reflect.ValueOf(request), "")
}

// invalidText looks for it in what encoding/json has written, which therefore is no circle.
func invalidText(value reflect.Value, path string) string {
	if writesItself(value) {
		return ""
	}
	within := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	switch value.Kind() {
	case reflect.String:
		if !utf8.ValidString(value.String()) {
			return path
		}
	case reflect.Interface, reflect.Pointer:
		if !value.IsNil() {
			return invalidText(value.Elem(), path)
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			name := fmt.Sprint(key.Interface())
			if !utf8.ValidString(name) {
				return within(fmt.Sprintf("%q", name))
			}
			if found := invalidText(value.MapIndex(key), within(name)); found != "" {
				return found
			}
		}
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return ""
		}
		for i := 0; i < value.Len(); i++ {
			if found := invalidText(value.Index(i), fmt.Sprintf("%s[%d]", path, i)); found != "" {
				return found
			}
		}
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			field := value.Type().Field(i)
			tag := field.Tag.Get("json")
			if tag == "-" || !(field.IsExported() || field.Anonymous) {
				continue
			}
			name, _, _ := strings.Cut(tag, ",")
			place := within(name)
			if field.Anonymous && name == "" {
				place = path
			}
			if found := invalidText(value.Field(i), place); found != "" {
				return found
			}
		}
	}
	return ""
}

// writesItself tells whether a value says what its JSON is.
func writesItself(value reflect.Value) bool {
	if !value.IsValid() || !value.CanInterface() {
		return true
	}
	switch value.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return true
	}
	return false
}

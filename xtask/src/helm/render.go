// Renders a Helm chart without Helm, by the libraries that Helm uses: Go's text/template, sprig and
// sigs.k8s.io/yaml. Owns Helm's own functions and objects, as far as a chart without a cluster and without subcharts
// can use them; an unknown value is an error, as with `helm lint --strict`.
//
//	render chart FOLDER KUBERNETES-VERSION VALUES...   {"values", "schema", "objects", "notes", "error"}
//	render yaml FILE                                   the documents of the file
//
// Both print JSON.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

// The files of the chart that are not templates, as `.Files` offers them.
type files map[string][]byte

func (f files) Get(name string) string { return string(f[name]) }

type versions []string

func (v versions) Has(name string) bool {
	for _, version := range v {
		if version == name {
			return true
		}
	}
	return false
}

func main() {
	answer, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(answer)
}

func run(arguments []string) (interface{}, error) {
	switch {
	case len(arguments) == 2 && arguments[0] == "yaml":
		text, err := os.ReadFile(arguments[1])
		if err != nil {
			return nil, err
		}
		return documents(string(text))
	case len(arguments) >= 3 && arguments[0] == "chart":
		return chart(arguments[1], arguments[2], arguments[3:])
	}
	return nil, errors.New("render chart FOLDER KUBERNETES-VERSION VALUES..., or render yaml FILE")
}

func chart(folder, kubernetes string, overrides []string) (interface{}, error) {
	all, err := read(folder)
	if err != nil {
		return nil, err
	}
	about, values, schema := object{}, object{}, object{}
	for name, into := range map[string]*object{
		"Chart.yaml": &about, "values.yaml": &values, "values.schema.json": &schema,
	} {
		if err := yaml.UnmarshalStrict(all[name], into); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range overrides {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		changed := object{}
		if err := yaml.Unmarshal(text, &changed); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		merge(values, changed)
	}
	answer := object{"values": values, "schema": schema, "chart": about}
	objects, notes, err := render(all, about, values, kubernetes)
	if err != nil {
		answer["error"] = err.Error()
	} else {
		answer["objects"], answer["notes"] = objects, notes
	}
	return answer, nil
}

// All files of the chart. Links are followed, as Helm does.
func read(folder string) (files, error) {
	all := files{}
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err == nil {
			all[name], err = os.ReadFile(path)
		}
		return err
	})
	return all, err
}

// Maps are merged, all else is replaced; null removes.
func merge(into, from object) {
	for key, value := range from {
		old, isMap := into[key].(object)
		changed, areMaps := value.(object)
		switch {
		case value == nil:
			delete(into, key)
		case isMap && areMaps:
			merge(old, changed)
		default:
			into[key] = value
		}
	}
}

func render(all files, about, values object, kubernetes string) ([]interface{}, string, error) {
	root := template.New("chart").Option("missingkey=error")
	root.Funcs(functions(root))
	others, templates := files{}, []string{}
	for name, text := range all {
		if !strings.HasPrefix(name, "templates/") {
			others[name] = text
			continue
		}
		templates = append(templates, name)
		if _, err := root.New(name).Parse(string(text)); err != nil {
			return nil, "", err
		}
	}
	sort.Strings(templates)
	data := scope(about, values, others, kubernetes)
	objects, notes := []interface{}{}, ""
	for _, name := range templates {
		if strings.HasPrefix(filepath.Base(name), "_") {
			continue
		}
		data["Template"] = object{"Name": "wherefore/" + name, "BasePath": "wherefore/templates"}
		var text bytes.Buffer
		if err := root.ExecuteTemplate(&text, name, data); err != nil {
			return nil, "", err
		}
		if strings.HasSuffix(name, ".txt") {
			notes = text.String()
			continue
		}
		made, err := documents(text.String())
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w in\n%s", name, err, text.String())
		}
		objects = append(objects, made...)
	}
	return objects, notes, nil
}

// What a template sees as `.`, in a first installation named "wherefore".
func scope(about, values object, others files, kubernetes string) object {
	capitalized := object{}
	for key, value := range about {
		capitalized[strings.ToUpper(key[:1])+key[1:]] = value
	}
	return object{
		"Values": values,
		"Chart":  capitalized,
		"Files":  others,
		"Release": object{
			"Name": "wherefore", "Namespace": "wherefore", "Service": "Helm", "Revision": 1,
			"IsInstall": true, "IsUpgrade": false,
		},
		"Capabilities": object{
			"KubeVersion": object{"Version": "v" + kubernetes, "GitVersion": "v" + kubernetes},
			"APIVersions": versions{"v1", "apps/v1"},
		},
	}
}

// The functions that Helm adds to sprig's, and without those that it removes.
func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	all["fromYaml"] = func(text string) (object, error) {
		value := object{}
		return value, yaml.Unmarshal([]byte(text), &value)
	}
	all["toJson"] = func(value interface{}) (string, error) {
		text, err := json.Marshal(value)
		return string(text), err
	}
	all["include"] = func(name string, data interface{}) (string, error) {
		var text strings.Builder
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	all["tpl"] = func(text string, data interface{}) (string, error) {
		clone, err := root.Clone()
		if err != nil {
			return "", err
		}
		parsed, err := clone.New("tpl").Parse(text)
		if err != nil {
			return "", err
		}
		var made strings.Builder
		err = parsed.Execute(&made, data)
		return made.String(), err
	}
	all["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	all["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	all["lookup"] = func(...string) object { return object{} }
	return all
}

var border = regexp.MustCompile(`(?m)^---\s*$`)

// The documents of a text, without empty ones; a key that occurs twice is an error.
func documents(text string) ([]interface{}, error) {
	found := []interface{}{}
	for _, document := range border.Split(text, -1) {
		var value interface{}
		if err := yaml.UnmarshalStrict([]byte(document), &value); err != nil {
			return nil, err
		}
		if value != nil {
			found = append(found, value)
		}
	}
	return found, nil
}

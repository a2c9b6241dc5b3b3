package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	dotted = regexp.MustCompile(`\b[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+\b`)
	mixed  = regexp.MustCompile(`\b[A-Za-z]+[a-z0-9][A-Z][A-Za-z0-9]*\b`)
	sizes  = regexp.MustCompile(`^[A-Z]+(?:x[A-Z]+)+$`) // NxM
	file   = regexp.MustCompile(`[A-Za-z0-9_*./{},-]*[A-Za-z0-9_*}]\.(?:go|s|py|md|sh|txtar)\b`)
	rooted = regexp.MustCompile(`(?:^|[^A-Za-z0-9_./-])((?:internal|cmd|tools|docs|bench|samples|configs)/[A-Za-z0-9_.*{},/-]*[A-Za-z0-9_*}])`)
	family = regexp.MustCompile("`([a-z][a-z0-9_/]*_\\*)`") // kernel/pool_*
	goArgs = regexp.MustCompile(`\bgo (?:-C (\S+) )?(?:run|test|build|vet|generate|doc)\b[^\n|&;)]*`)
	local  = regexp.MustCompile(`(?:^|[ =])(\./(?:[A-Za-z0-9_/.-]*[A-Za-z0-9_/])?|[A-Za-z0-9_]+\.go)`)
	quoted = regexp.MustCompile("`[^`\n]+`")
	fenced = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	site   = regexp.MustCompile(`https?://\S+`)
	target = regexp.MustCompile(`\]\(([^)#: ]+)(?:#[^)]*)?\)`)
)

// stale returns a line for every name that does not exist, FILE:LINE: NAME:
// why.
func (x *index) stale() []string {
	var list []string
	for _, s := range x.sources {
		if s.file == nil {
			list = append(list, x.page(s)...)
		} else {
			list = append(list, x.comments(s)...)
		}
	}
	for _, name := range x.known {
		if !x.met[name] {
			list = append(list, "tools/stale/known.go: "+name+": nothing tells of it any more")
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// comments checks the comments of a Go file.
func (x *index) comments(s source) []string {
	var list []string
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:") && !strings.HasPrefix(c.Text, "//go:generate") {
				continue
			}
			line := s.fset.Position(c.Pos()).Line
			for i, text := range strings.Split(c.Text, "\n") {
				text = site.ReplaceAllString(text, "")
				list = append(list, report(s.path, line+i, x.wordsIn(text, false), x.pathsIn(s.path, text), x.commandsIn(s.path, text))...)
			}
		}
	}
	return list
}

// page checks the names in backticks on a page, its links, and the commands of
// its blocks.
func (x *index) page(s source) []string {
	if strings.HasPrefix(s.path, "docs/ops/") || s.path == "docs/json.md" {
		return nil // generated from the declarations of operations and reports
	}
	foreign := s.path == "docs/coming-from.md" // its tables name other projects' calls; a test runs them
	var list []string
	text := fenced.ReplaceAllStringFunc(s.text, func(block string) string { return strings.Repeat("\n", strings.Count(block, "\n")) })
	for i, line := range strings.Split(text, "\n") {
		for _, m := range target.FindAllStringSubmatch(line, -1) {
			if !x.files[path.Join(path.Dir(s.path), m[1])] {
				list = append(list, report(s.path, i+1, []string{m[1] + ": no such file"})...)
			}
		}
		for _, name := range quoted.FindAllString(line, -1) {
			if foreign {
				continue
			}
			list = append(list, report(s.path, i+1, x.wordsIn(name, true), x.pathsIn(s.path, name))...)
		}
	}
	for i, line := range strings.Split(s.text, "\n") {
		list = append(list, report(s.path, i+1, x.commandsIn(s.path, line))...)
	}
	return list
}

// report puts the place before problems.
func report(file string, line int, problems ...[]string) []string {
	var list []string
	for _, p := range slices.Concat(problems...) {
		list = append(list, fmt.Sprintf("%s:%d: %s", file, line, p))
	}
	return list
}

// isKnown reports whether a name is another project's.
func (x *index) isKnown(name string) bool {
	if !slices.Contains(x.known, name) {
		return false
	}
	x.met[name] = true
	return true
}

// wordsIn checks the names in a text. In a comment a lower-case name may be a
// variable; in backticks on a page it is a type or a package.
func (x *index) wordsIn(text string, onPage bool) []string {
	var list []string
	for _, name := range dotted.FindAllString(text, -1) {
		parts := strings.Split(name, ".")
		for i := range parts[1:] {
			if p := x.selector(parts[i], parts[i+1], onPage); p != "" {
				list = append(list, name+": "+p)
			}
		}
	}
	for _, name := range mixed.FindAllString(text, -1) {
		if !x.words[name] && !sizes.MatchString(name) && !x.isKnown(name) {
			list = append(list, name+": no such name")
		}
	}
	return list
}

// isEnd lists file extensions, which look like members: table.go.
var isEnd = regexp.MustCompile(`^(go|s|py|md|sh|txt|txtar|npy|npz|safetensors|onnx|pt|png|jpg|gif|bmp|tif|webp|svg|yaml|json|csv)$`)

// selector returns what is wrong with the member of a package or of a type, or
// "".
func (x *index) selector(outer, member string, onPage bool) string {
	exported := isUpper(member)
	declared, isPackage := x.packages[outer]
	_, isType := x.types[outer]
	switch {
	case isPackage && exported && !x.foreign[outer] && !declared[member] && !(isType && x.has(outer, member)):
		return "package " + outer + " has no " + member
	case isType && !isPackage && exported == isUpper(outer) && (exported || onPage) && !isEnd.MatchString(member) && !x.has(outer, member):
		return "type " + outer + " has no " + member
	}
	return ""
}

func isUpper(name string) bool { return name[0] >= 'A' && name[0] <= 'Z' }

// pathsIn checks names of source files, and paths that begin with a folder of the
// project.
func (x *index) pathsIn(from, text string) []string {
	names := file.FindAllString(text, -1)
	for _, m := range slices.Concat(rooted.FindAllStringSubmatch(text, -1), family.FindAllStringSubmatch(text, -1)) {
		names = append(names, m[1])
	}
	var list []string
	for _, name := range names {
		if !x.exists(path.Dir(from), name) && !x.isKnown(name) {
			list = append(list, name+": no such file")
		}
	}
	return list
}

// exists reports whether a file is there: by its path from a folder or from one
// above it, or by its end, where * stands for a part of a name. A name that
// begins with _ or with NAME is the end of one.
func (x *index) exists(folder, name string) bool {
	for at := folder; ; at = path.Dir(at) {
		if x.files[path.Join(at, name)] {
			return true
		}
		if at == "." {
			break
		}
	}
	name = strings.TrimLeft(path.Clean(name), "./")
	if end, ok := strings.CutPrefix(name, "NAME"); ok || strings.HasPrefix(name, "_") && !strings.Contains(name, "/") {
		name = "*" + end
	}
	for _, pattern := range alternatives(name) {
		elements := strings.Count(pattern, "/") + 1
		for candidate := range x.files {
			parts := strings.Split(candidate, "/")
			if len(parts) < elements {
				continue
			}
			if ok, _ := path.Match(pattern, path.Join(parts[len(parts)-elements:]...)); ok {
				return true
			}
		}
	}
	return false
}

// alternatives expands a{b,c}d to abd and acd.
func alternatives(pattern string) []string {
	before, rest, open := strings.Cut(pattern, "{")
	inside, after, closed := strings.Cut(rest, "}")
	if !open || !closed {
		return []string{pattern}
	}
	var list []string
	for choice := range strings.SplitSeq(inside, ",") {
		list = append(list, alternatives(before+choice+after)...)
	}
	return list
}

// commandsIn checks the packages and files that go commands name: from the root,
// or from the folder of the file.
func (x *index) commandsIn(from, text string) []string {
	var list []string
	for _, command := range goArgs.FindAllStringSubmatch(text, -1) {
		for _, m := range local.FindAllStringSubmatch(command[0], -1) {
			name := path.Join(command[1], m[1])
			if !x.files[name] && !x.files[path.Join(path.Dir(from), name)] {
				list = append(list, m[1]+": not there to run the command on")
			}
		}
	}
	return list
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// index holds the names that the project's files declare and mention.
type index struct {
	files    map[string]bool            // files and folders, by path
	words    map[string]bool            // identifiers of Go files, and words of all other sources
	packages map[string]map[string]bool // of packages, by name: what they declare
	foreign  map[string]bool            // names of packages that are imported from elsewhere
	types    map[string]*members
	sources  []source
	known    []string        // names of other projects
	met      map[string]bool // those that something mentions
}

// source is a Go file or a page.
type source struct {
	path string
	text string
	fset *token.FileSet // of Go files
	file *ast.File
}

// members are the fields and methods of the types of one name.
type members struct {
	names    map[string]bool
	embedded []string
	open     bool // one of the types is declared elsewhere, or its members cannot be listed
}

var word = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// isText lists the extensions of files, other than Go's, whose words count as
// known.
var isText = []string{".py", ".sh", ".yaml", ".yml", ".txt", ".mod", "Makefile", ".s", "run", "fuzz"}

// read indexes a project.
func read(project fs.FS) (*index, error) {
	x := &index{
		files: map[string]bool{}, words: map[string]bool{},
		packages: map[string]map[string]bool{}, foreign: map[string]bool{}, types: map[string]*members{}, met: map[string]bool{},
	}
	err := fs.WalkDir(project, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == ".git" && entry.IsDir():
			return fs.SkipDir
		case entry.Name() == ".git": // of a worktree
			return nil
		}
		x.files[name] = true
		if entry.IsDir() || strings.Contains(name, "testdata/") || name == "tools/stale/stale_test.go" || name == "tools/stale/known.go" {
			return nil
		}
		data, err := fs.ReadFile(project, name)
		if err != nil {
			return err
		}
		text := string(data)
		switch {
		case strings.HasSuffix(name, ".go"):
			return x.addGo(name, text)
		case strings.HasSuffix(name, ".md"):
			x.sources = append(x.sources, source{path: name, text: text})
		case slices.ContainsFunc(isText, func(end string) bool { return strings.HasSuffix(name, end) }):
			for _, w := range word.FindAllString(text, -1) {
				x.words[w] = true
			}
		}
		return nil
	})
	return x, err
}

// addGo indexes a Go file.
func (x *index) addGo(name, text string) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	x.sources = append(x.sources, source{name, text, fset, file})
	pkg := strings.TrimSuffix(file.Name.Name, "_test")
	if x.packages[pkg] == nil {
		x.packages[pkg] = map[string]bool{}
	}
	for _, imported := range file.Imports {
		if at, err := strconv.Unquote(imported.Path.Value); err == nil && !strings.Contains(at, "/poolctl/internal/") {
			x.foreign[path.Base(at)] = true
		}
	}
	for _, d := range file.Decls {
		x.declare(pkg, d)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			x.words[n.Name] = true
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				for _, w := range word.FindAllString(n.Value, -1) {
					x.words[w] = true
				}
			}
		}
		return true
	})
	return nil
}

// declare indexes the names that a declaration adds to its package and to its
// types.
func (x *index) declare(pkg string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			x.packages[pkg][d.Name.Name] = true
			return
		}
		if name := typeName(d.Recv.List[0].Type); name != "" {
			x.membersOf(name).names[d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, name := range s.Names {
					x.packages[pkg][name.Name] = true
				}
			case *ast.TypeSpec:
				x.packages[pkg][s.Name.Name] = true
				x.addType(x.membersOf(s.Name.Name), s.Type)
			}
		}
	}
}

// addType adds the fields and methods that a type lists.
func (x *index) addType(m *members, t ast.Expr) {
	var list *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	case *ast.Ident:
		m.embedded = append(m.embedded, t.Name)
		return
	case *ast.SelectorExpr:
		m.open = true
		return
	default:
		return
	}
	for _, f := range list.List {
		for _, name := range f.Names {
			m.names[name.Name] = true
			if inner, ok := f.Type.(*ast.StructType); ok {
				x.addType(m, inner)
			}
		}
		if len(f.Names) == 0 {
			name := typeName(f.Type)
			m.names[name] = true
			m.embedded = append(m.embedded, name)
		}
	}
}

// membersOf returns the members of the types of that name.
func (x *index) membersOf(name string) *members {
	if x.types[name] == nil {
		x.types[name] = &members{names: map[string]bool{}}
	}
	return x.types[name]
}

// typeName returns the name of a type without its package, its parameters and
// the star.
func typeName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.IndexExpr:
		return typeName(t.X)
	case *ast.IndexListExpr:
		return typeName(t.X)
	case *ast.SelectorExpr:
		return t.Sel.Name
	}
	return ""
}

// has reports whether a type of that name has a member, or may have it.
func (x *index) has(name, member string) bool {
	m := x.types[name]
	if m == nil || m.open || m.names[member] {
		return true
	}
	return slices.ContainsFunc(m.embedded, func(e string) bool { return e != name && x.has(e, member) })
}

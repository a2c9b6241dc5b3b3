package npy

import (
	"errors"
	"fmt"
	"strings"
)

// The value of a Python literal in an .npy header is a string, a bool, nil (None)
// or one of these.
type (
	pyInt   string // digits with an optional sign
	pyTuple []any
	pyList  []any
	pyDict  []pyItem
	pyItem  struct{ key, value any }
)

// literalDepth is how deep brackets may nest.
const literalDepth = 32

// literal is a parser of Python literals. Nothing is ever evaluated.
type literal struct {
	text string
	at   int
}

// parseLiteral parses a text that is one literal, with white space around it.
func parseLiteral(text string) (any, error) {
	p := &literal{text: text}
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if c := p.peek(); c != 0 || p.at < len(p.text) {
		return nil, fmt.Errorf("got %q after the dictionary, want white space", c)
	}
	return value, nil
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *literal) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *literal) unexpected() error {
	c := p.peek()
	if p.at == len(p.text) {
		return errors.New("ends in the middle")
	}
	return fmt.Errorf("got %q at byte %d, want a Python literal", c, p.at)
}

func (p *literal) value(depth int) (any, error) {
	if depth > literalDepth {
		return nil, fmt.Errorf("got brackets nested deeper than %d", literalDepth)
	}
	switch c := p.peek(); {
	case c == '{':
		return p.dict(depth)
	case c == '(':
		items, comma, err := p.sequence(')', depth)
		if err == nil && len(items) == 1 && !comma {
			return items[0], nil // parentheses around a value
		}
		return pyTuple(items), err
	case c == '[':
		items, _, err := p.sequence(']', depth)
		return pyList(items), err
	case c == '\'' || c == '"':
		return p.quoted(c)
	case c == '-' || c == '+' || '0' <= c && c <= '9':
		return p.number()
	default:
		return p.word()
	}
}

// sequence parses values up to the closing bracket and reports whether there was a
// comma.
func (p *literal) sequence(closing byte, depth int) (items []any, comma bool, err error) {
	p.at++
	for p.peek() != closing {
		if len(items) > 0 {
			if p.peek() != ',' {
				return nil, false, p.unexpected()
			}
			p.at++
			comma = true
			if p.peek() == closing {
				break
			}
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, false, err
		}
		items = append(items, item)
	}
	p.at++
	return items, comma, nil
}

func (p *literal) dict(depth int) (any, error) {
	p.at++
	var dict pyDict
	for p.peek() != '}' {
		if len(dict) > 0 {
			if p.peek() != ',' {
				return nil, p.unexpected()
			}
			p.at++
			if p.peek() == '}' {
				break
			}
		}
		key, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek() != ':' {
			return nil, p.unexpected()
		}
		p.at++
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		dict = append(dict, pyItem{key, value})
	}
	p.at++
	return dict, nil
}

// quoted parses a string. Backslashes are refused, since no element type has one.
func (p *literal) quoted(quote byte) (any, error) {
	start := p.at + 1
	end := strings.IndexByte(p.text[start:], quote)
	if end < 0 {
		return nil, errors.New("ends within a string")
	}
	text := p.text[start : start+end]
	if strings.ContainsAny(text, "\\\n") {
		return nil, fmt.Errorf("got string %q, want one without escapes", text)
	}
	p.at = start + end + 1
	return text, nil
}

// number parses a whole number. Python 2 ended some with an L.
func (p *literal) number() (any, error) {
	start := p.at
	p.at++
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	digits := p.text[start:p.at]
	if digits == "-" || digits == "+" {
		return nil, p.unexpected()
	}
	if p.at < len(p.text) && p.text[p.at] == 'L' {
		p.at++
	}
	if p.at < len(p.text) && (p.text[p.at] == '.' || p.text[p.at] == '_' || isLetter(p.text[p.at])) {
		return nil, fmt.Errorf("got a number that begins with %s, want a whole number", show(pyInt(p.text[start:p.at+1])))
	}
	return pyInt(digits), nil
}

func (p *literal) word() (any, error) {
	start := p.at
	for p.at < len(p.text) && isLetter(p.text[p.at]) {
		p.at++
	}
	switch p.text[start:p.at] {
	case "True":
		return true, nil
	case "False":
		return false, nil
	case "None":
		return nil, nil
	}
	p.at = start
	return nil, p.unexpected()
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func kindOfLiteral(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case bool:
		return "truth value"
	case pyInt:
		return "number"
	case pyTuple:
		return "tuple"
	case pyList:
		return "list"
	case pyDict:
		return "dictionary"
	default:
		return "None"
	}
}

// show formats a value as Python does, cut to fit a message.
func show(value any) string {
	var b strings.Builder
	write(&b, value)
	text := b.String()
	if len(text) > 60 {
		text = text[:57] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

func write(b *strings.Builder, value any) {
	if b.Len() > 60 {
		return
	}
	list := func(open, closing string, items []any) {
		b.WriteString(open)
		for i, item := range items {
			if i > 0 {
				b.WriteString(", ")
			}
			write(b, item)
		}
		b.WriteString(closing)
	}
	switch v := value.(type) {
	case string:
		fmt.Fprintf(b, "'%s'", strings.Trim(fmt.Sprintf("%q", v), `"`))
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case pyInt:
		b.WriteString(string(v))
	case pyTuple:
		if len(v) == 1 {
			list("(", ",)", v)
		} else {
			list("(", ")", v)
		}
	case pyList:
		list("[", "]", v)
	case pyDict:
		b.WriteString("{...}")
	default:
		b.WriteString("None")
	}
}

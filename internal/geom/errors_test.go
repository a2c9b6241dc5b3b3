package geom_test

import (
	"errors"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
)

// TestErrorsNameFieldValueAndRule holds the whole text of every refusal.
func TestErrorsNameFieldValueAndRule(t *testing.T) {
	list := func(n ...int) []int { return n }
	pads := func(p ...[2]int) [][2]int { return p }
	check := func(w geom.Window) error { return w.Check() }
	resolve := func(in []int, w geom.Window) error {
		_, err := geom.Resolve(1, in, 1, w)
		return err
	}
	transpose := func(in []int, w geom.Window, size []int) error {
		_, err := geom.ResolveTranspose(1, in, 1, w, size)
		return err
	}
	fits := func(in []int, w geom.Window) error {
		g, err := geom.Resolve(1, in, 1, w)
		if err != nil {
			return err
		}
		return g.Fits()
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{check(geom.Window{Size: list(3, 0)}), "window: got 0, want >= 1"},
		{check(geom.Window{Size: list(1 << 31)}), "window: got 2147483648, want <= 2147483647"},
		{check(geom.Window{Size: list(2), Stride: list(-1)}), "strides: got -1, want >= 1"},
		{check(geom.Window{Stride: list(1 << 62)}), "strides: got 4611686018427387904, want <= 2147483647"},
		{check(geom.Window{Dilation: list(0)}), "dilations: got 0, want >= 1"},
		{check(geom.Window{Dilation: list(1 << 31)}), "dilations: got 2147483648, want <= 2147483647"},
		{check(geom.Window{Padding: geom.Explicit, Amounts: pads([2]int{0, -1})}), "padding: got -1, want >= 0"},
		{check(geom.Window{Padding: geom.Explicit, Amounts: pads([2]int{1 << 31, 0})}), "padding: got 2147483648, want <= 2147483647"},
		{check(geom.Window{Size: list(1, 2, 3, 4)}), "window: got 4 numbers, want one for each spatial dimension (1 to 3)"},
		{check(geom.Window{Padding: geom.Explicit, Amounts: make([][2]int, 7)}), "padding: got 7 numbers, want one for each spatial dimension (1 to 3)"},
		{check(geom.Window{Size: list(2, 2), Stride: list(1, 1, 1)}), "strides: got 3 numbers where window has 2, want as many, or a single one for every dimension"},
		{check(geom.Window{Size: list(2), Dilation: list(1, 1), Padding: geom.Explicit, Amounts: make([][2]int, 3)}), "padding: got 3 numbers where dilations has 2, want as many, or a single one for every dimension"},

		{resolve(list(5), geom.Window{Size: list(0)}), "window: got 0, want >= 1"},
		{resolve(list(5), geom.Window{Size: list(2, 2)}), "window: got 2 numbers, want 1 or 1 (one for each spatial dimension of the input)"},
		{resolve(list(5, 5), geom.Window{Size: list(2), Stride: list(1, 1, 1)}), "strides: got 3 numbers, want 1 or 2 (one for each spatial dimension of the input)"},
		{resolve(list(5, 5), geom.Window{Size: list(2), Dilation: list(1, 1, 1)}), "dilations: got 3 numbers, want 1 or 2 (one for each spatial dimension of the input)"},
		{resolve(list(5, 5), geom.Window{Size: list(2), Padding: geom.Explicit, Amounts: make([][2]int, 3)}), "padding: got 3 numbers, want 1 or 2 (one for each spatial dimension of the input)"},
		{resolve(list(-1), geom.Window{Size: list(2)}), "input: got extent -1, want 0 to 281474976710656"},
		{resolve(list(1<<48+1), geom.Window{Size: list(2)}), "input: got extent 281474976710657, want 0 to 281474976710656"},
		{resolve(list(5, 5), geom.Window{Size: list(3), Padding: geom.Explicit, Amounts: pads([2]int{0, 0}, [2]int{0, 3}), Pooling: true}),
			"padding: got 0:3 in width, want each smaller than the window's 3 cells"},
		{resolve(list(5, 1), geom.Window{Size: list(2), Dilation: list(2), Padding: geom.Explicit, Amounts: pads([2]int{1, 1}), Pooling: true}),
			"padding: window 0 in width (size 2, stride 1, dilation 2, padding 1:1) holds no cell of the input's 1, want at least one"},

		{fits(list(9, 2, 9), geom.Window{Size: list(3)}), "window: got 3 cells (size 3, dilation 1) in height, want <= 2 (input 2, padding 0:0)"},
		{fits(list(4), geom.Window{Size: list(3), Dilation: list(3), Padding: geom.Explicit, Amounts: pads([2]int{1, 0})}),
			"window: got 7 cells (size 3, dilation 3) in width, want <= 5 (input 4, padding 1:0)"},

		{transpose(list(5), geom.Window{Stride: list(0)}, nil), "strides: got 0, want >= 1"},
		{transpose(list(5), geom.Window{Stride: list(1, 1)}, nil), "strides: got 2 numbers, want 1 or 1 (one for each spatial dimension of the input)"},
		{transpose(list(-1), geom.Window{Size: list(2)}, nil), "input: got extent -1, want 0 to 281474976710656"},
		{transpose(list(1<<20), geom.Window{Size: list(2), Stride: list(1 << 30)}, nil), "input: got extent 1048576, want 0 to 262144"},
		{transpose(list(2), geom.Window{Size: list(1 << 30), Dilation: list(1 << 30)}, nil), "window: got 1152921503533105153 cells, which makes an output of 1152921503533105154 in width, want <= 281474976710656"},
		{transpose(list(5), geom.Window{Size: list(3), Stride: list(2), Padding: geom.Same}, list(11)), "output-shape: got 11 in width, want 9 to 10 (ceil(size / stride 2) is the input's 5)"},
		{transpose(list(5), geom.Window{Size: list(3), Stride: list(2), Padding: geom.Same}, list(-1)), "output-shape: got -1 in width, want 9 to 10 (ceil(size / stride 2) is the input's 5)"},
		{transpose(list(5), geom.Window{Size: list(3), Stride: list(2)}, list(13)), "output-shape: got 13 in width, want 11 to 12 ((in-1)*stride + effective window - padding, and less than one stride or dilation more)"},
		{transpose(list(5, 5), geom.Window{Size: list(3), Dilation: list(3)}, list(10, 12)), "output-shape: got 10 in height, want 11 to 13 ((in-1)*stride + effective window - padding, and less than one stride or dilation more)"},
		{transpose(list(1), geom.Window{Size: list(3), Padding: geom.Explicit, Amounts: pads([2]int{2, 2})}, nil), "padding: got 2:2 in width, which leaves an output of -1 cells, want >= 0"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", c.err, c.want)
			continue
		}
		var field *geom.Error
		if !errors.As(c.err, &field) || field.Field+": "+field.Problem != c.want {
			t.Errorf("%v is no *geom.Error", c.err)
		}
	}
}

// TestFitsAcceptsEveryWindowUnderSame: padding makes room for any window.
func TestFitsAcceptsEveryWindowUnderSame(t *testing.T) {
	for _, padding := range []geom.Padding{geom.Same, geom.SameLower} {
		for _, in := range []int{0, 1, 5} {
			g, err := geom.Resolve(1, []int{in}, 1, geom.Window{Size: []int{9}, Padding: padding, Pooling: true})
			if err == nil {
				err = g.Fits()
			}
			if err != nil {
				t.Errorf("%d cells: %v", in, err)
			}
		}
	}
}

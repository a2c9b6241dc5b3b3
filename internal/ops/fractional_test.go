package ops_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestFractionalSequences: from 0 to the extent, in floor(in/ratio) steps of
// floor(in/out) or one more, for both rules; the random one has exactly
// in mod out of the longer steps. A seed gives the same sequence again.
func TestFractionalSequences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.IntRange(1, 200).Draw(t, "in")
		ratio := rapid.Float64Range(1, float64(in)).Draw(t, "ratio")
		seed := rapid.OneOf(rapid.IntRange(1, 1000), rapid.Int()).Draw(t, "seed")
		if seed == 0 {
			seed = 1
		}
		for _, pseudo := range []string{"false", "true"} {
			first, second := sequence(t, in, ratio, seed, pseudo), sequence(t, in, ratio, seed, pseudo)
			if !slices.Equal(first, second) {
				t.Fatalf("seed %d gives %v and %v", seed, first, second)
			}
			out := len(first) - 1
			// floor(in/ratio), where the division may round to float32
			if f := float64(in) / ratio; float64(out) > f+1e-4 || float64(out) < f-1-1e-4 {
				t.Fatalf("%d / %v: %d windows", in, ratio, out)
			}
			if first[0] != 0 || first[out] != in {
				t.Fatalf("%d / %v: sequence %v", in, ratio, first)
			}
			longer := 0
			for i, s := range first[1:] {
				switch s - first[i] {
				case in / out:
				case in/out + 1:
					longer++
				default:
					t.Fatalf("%d / %v, pseudo-random %s, seed %d: a step of %d in %v", in, ratio, pseudo, seed, s-first[i], first)
				}
			}
			if longer != in%out {
				t.Fatalf("%d / %v: %d longer steps in %v, want %d", in, ratio, longer, first, in%out)
			}
		}
	})
}

func sequence(t *rapid.T, in int, ratio float64, seed int, pseudo string) []int {
	spec, err := ops.Lookup("pool")
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New()
	for _, p := range [][2]string{{"type", "max"}, {"fractional", fmt.Sprint(ratio)}, {"seed", fmt.Sprint(seed)}, {"pseudo-random", pseudo}} {
		if err := ops.Set(op, p[0], p[1]); err != nil {
			t.Fatal(err)
		}
	}
	p, err := op.Plan([]tensor.Spec{{DType: tensor.Float32, Shape: tensor.Shape{1, in, 1}}}, ops.Want{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Sequences[0]
}

// TestFractionalSeedsDiffer: other seeds give other sequences, and without one
// every plan draws its own.
func TestFractionalSeedsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, seed := range []string{"seed=1", "seed=2", "seed=3", "seed=-1", "", ""} {
		p := plan(t, operation(t, "pool", "type=avg fractional=1.5 "+seed), []*tensor.Tensor{tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 300, 300, 1}})})
		text := fmt.Sprint(p.Sequences)
		if seen[text] {
			t.Errorf("%q gives a sequence for the second time", seed)
		}
		seen[text] = true
		if len(p.Details) != 2 || p.Details[0].Name != "sequence0" || p.Details[1].Value != tensor.Join(p.Sequences[1], ",") {
			t.Errorf("%q reports %v", seed, p.Details)
		}
	}
}

// TestFractionalPoolsItsWindows: each output is the maximum or the mean of the
// cells between its borders, the later one included when windows overlap.
func TestFractionalPoolsItsWindows(t *testing.T) {
	const h, w = 13, 17
	data := make([]float64, h*w)
	for i := range data {
		data[i] = float64(i*i%101) - 50
	}
	x := tensor.From(data, 1, h, w, 1)
	for _, overlapping := range []string{"false", "true"} {
		for _, kind := range []string{"max", "avg"} {
			op := operation(t, "pool", "type="+kind+" fractional=1.6,2.3 seed=11 overlapping="+overlapping)
			p := plan(t, op, []*tensor.Tensor{x})
			rows, columns := p.Sequences[0], p.Sequences[1]
			end := func(s []int, i int) int {
				if overlapping == "true" {
					return min(s[i+1]+1, s[len(s)-1])
				}
				return s[i+1]
			}
			got := tensor.Of[float64](run(t, op, x)[0])
			for i := range len(rows) - 1 {
				for j := range len(columns) - 1 {
					var cells []float64
					sum := 0.0
					for r := rows[i]; r < end(rows, i); r++ {
						for c := columns[j]; c < end(columns, j); c++ {
							cells = append(cells, data[r*w+c])
							sum += data[r*w+c]
						}
					}
					want := sum / float64(len(cells))
					if kind == "max" {
						want = slices.Max(cells)
					}
					if v := got[i*(len(columns)-1)+j]; v != want {
						t.Fatalf("%s overlapping %s: output %d,%d is %v, want %v", kind, overlapping, i, j, v, want)
					}
				}
			}
		}
	}
}

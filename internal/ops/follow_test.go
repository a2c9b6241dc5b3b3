package ops

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// followed are poolings whose windows reach back and ahead in every way that the
// kernel for pictures has: taps, blocks, running sums, padding, tiles of wide rows.
var followed = []struct {
	flags string
	spec  tensor.Spec
}{
	{"type=max window=2", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 301, 97, 3}}},
	{"type=avg window=2", tensor.Spec{DType: tensor.Uint16, Shape: tensor.Shape{1, 300, 97, 4}}},
	{"type=min window=3 strides=2 padding=SAME", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 200, 61, 1}}},
	{"type=max window=5 strides=1 padding=SAME dilations=3", tensor.Spec{DType: tensor.Uint16, Shape: tensor.Shape{1, 90, 50, 2}}},
	{"type=max window=31 strides=2 padding=SAME", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 240, 70, 3}}},
	{"type=max window=31 strides=1 padding=30:3,2:2", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{2, 140, 70, 3}}},
	{"type=avg window=27 strides=1 padding=SAME", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 140, 70, 3}}},
	{"type=max window=2 strides=3", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 64, 30011, 3}}},
	{"type=max window=global", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 64, 31, 3}}},
	{"type=max window=3,3,3 strides=1", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{2, 7, 40, 31, 3}}},
	{"type=max window=2 data-format=NCHW", tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 3, 64, 31}}},
}

func planOf(t *testing.T, flags string, spec tensor.Spec) *Plan {
	t.Helper()
	op := poolSpec.New()
	for _, f := range strings.Fields(flags) {
		name, value, _ := strings.Cut(f, "=")
		if err := Set(op, name, value); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := op.Plan([]tensor.Spec{spec}, Want{Picture: true})
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Follows() {
		t.Fatalf("%s of %s with %s cannot be followed", flags, spec, plan.Impl)
	}
	return plan
}

// TestFollowReadsWhatIsThere: of an input that arrives piece by piece, each piece
// wrong until it is told, the results are those of Run, and an output is right as
// soon as it is told.
func TestFollowReadsWhatIsThere(t *testing.T) {
	for _, c := range followed {
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s %s threads=%d", c.flags, c.spec, threads), func(t *testing.T) {
				plan := planOf(t, c.flags, c.spec)
				rng := rand.New(rand.NewPCG(1, uint64(threads)))
				whole := tensor.New(c.spec)
				fill(whole, func() uint16 { return uint16(rng.Uint32()) })
				want, _, err := Run(plan, 1, whole)
				if err != nil {
					t.Fatal(err)
				}
				in, out := tensor.New(c.spec), tensor.New(plan.Outputs[0].Spec)
				fill(in, func() uint16 { return uint16(rng.Uint32()) })
				read, written := tensor.NewProgress(), tensor.NewProgress()
				go func() {
					for at := 0; at < in.Len(); {
						next := min(in.Len(), at+1+rng.IntN(in.Len()/9))
						tensor.ConvertRange(in, whole, at, next)
						read.Reach(next)
						at = next
					}
					read.End(nil)
				}()
				ended := make(chan error)
				go func() { ended <- Follow(plan, threads, in, out, read, written) }()
				for at := 0; at < out.Len(); {
					there, err := written.Wait(at + 1)
					if err != nil {
						t.Fatal(err)
					}
					for ; at < there; at++ {
						if out.At(at) != want[0].At(at) {
							t.Fatalf("number %d of %d that are told is %v, want %v", at, there, out.At(at), want[0].At(at))
						}
					}
				}
				if err := errors.Join(<-ended, written.Ended()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func fill(t *tensor.Tensor, next func() uint16) {
	for i := range t.Len() {
		switch data := t.Data.(type) {
		case []uint8:
			data[i] = uint8(next())
		case []uint16:
			data[i] = next()
		}
	}
}

// TestFollowEndsWithItsInput when that ends too early, and when its fault shows
// only after all windows were computed.
func TestFollowEndsWithItsInput(t *testing.T) {
	spec := tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 64, 31, 3}}
	plan := planOf(t, "type=max window=2", spec)
	cut := errors.New("cut")
	for _, reached := range []int{0, 1000, 64 * 31 * 3} {
		in, out := tensor.New(spec), tensor.New(plan.Outputs[0].Spec)
		read, written := tensor.NewProgress(), tensor.NewProgress()
		read.Reach(reached)
		go read.End(cut)
		if err := Follow(plan, 2, in, out, read, written); !errors.Is(err, cut) {
			t.Errorf("after %d numbers: got %v, want %v", reached, err, cut)
		}
		if err := written.Ended(); !errors.Is(err, cut) {
			t.Errorf("after %d numbers: those who wait for the output get %v, want %v", reached, err, cut)
		}
	}
}

package ops

import (
	"unsafe"

	"github.com/poolctl/poolctl/internal/tensor"
)

// RunPlaced runs a plan on the calling thread with every buffer, temporaries
// among them, and the scratch memory where place puts them; place gets the
// buffer's number, -1 for the scratch memory.
func RunPlaced(plan *Plan, in []*tensor.Tensor, place func(i int, spec tensor.Spec) *tensor.Tensor) error {
	r := NewRunner(plan, 1)
	defer r.Close()
	var given, out []*tensor.Tensor
	for i, spec := range plan.Buffers {
		t := place(i, spec)
		switch {
		case i < plan.Inputs:
			tensor.Convert(t, in[i])
			given = append(given, t)
		case i < plan.Inputs+len(plan.Outputs):
			out = append(out, t)
		default:
			r.buffers[i] = t
		}
	}
	if words := (plan.Scratch() + 7) / 8; words > 0 {
		t := place(-1, tensor.Spec{DType: tensor.Uint64, Shape: tensor.Shape{words}})
		// Its first field is the memory that it hands out.
		*(*[]uint64)(unsafe.Pointer(&r.team.workers[0].Scratch)) = tensor.Of[uint64](t)
	}
	return r.Run(given, out)
}

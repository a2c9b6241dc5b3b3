// Package ops declares the operations of poolctl: their parameters, the tensors
// that they take, the shapes that they give, and how kernels compute them. Flags,
// pipeline keys, the JSON Schema and the reference pages all come from these
// declarations. table.go lists the operations.
//
// It imports tensor, geom and the kernel packages. Param.Set, Op.Check, Op.Inputs,
// Op.Plan and Plan.Validate return every error that a user can cause; running a
// plan cannot fail.
package ops

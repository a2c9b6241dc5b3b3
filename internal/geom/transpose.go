package geom

// ResolveTranspose resolves a transposed convolution: the gradient of a
// convolution with respect to its input. The returned geometry is that of the
// convolution, whose input (In) is the output of the transposed one and whose
// output (Out) is its input.
//
// size is the spatial part of the wanted output, or nil for the smallest one.
// Under VALID and explicit padding it is (in-1)*stride + eff - lo - hi, plus a
// surplus at the end that must be smaller than the larger of stride and
// dilation (output_padding in PyTorch). Under SAME it is any size with
// ceil(size/stride) = in, by default in*stride.
func ResolveTranspose(n int, in []int, c int, w Window, size []int) (Geometry, error) {
	if err := w.Check(); err != nil {
		return Geometry{}, err
	}
	if err := w.checkRank(len(in)); err != nil {
		return Geometry{}, err
	}
	axes := make([]Axis, len(in))
	g := New(n, c, axes)
	for i, out := range in {
		a := Axis{Size: pick(w.Size, i, 1), Stride: pick(w.Stride, i, 1), Dilation: pick(w.Dilation, i, 1)}
		if most := MaxExtent / a.Stride; out < 0 || out > most {
			return Geometry{}, fieldError("input", "got extent %d, want 0 to %d", out, most)
		}
		if w.Padding == Same || w.Padding == SameLower {
			a.In = out * a.Stride
			if size != nil {
				a.In = size[i]
			}
			if a.In < 0 || a.In > MaxExtent || CeilDiv(a.In, a.Stride) != out {
				return Geometry{}, fieldError("output-shape", "got %d in %s, want %d to %d (ceil(size / stride %d) is the input's %d)",
					a.In, g.AxisName(i), max(0, (out-1)*a.Stride+1), out*a.Stride, a.Stride, out)
			}
			a.same(out, w.Padding)
			axes[i] = a
			continue
		}
		if w.Padding == Explicit {
			a.Lo, a.Hi = w.Amounts[0][0], w.Amounts[0][1]
			if len(w.Amounts) > 1 {
				a.Lo, a.Hi = w.Amounts[i][0], w.Amounts[i][1]
			}
		}
		least := (out-1)*a.Stride + a.Effective() - a.Lo - a.Hi
		if out == 0 {
			least = 0
		}
		a.In = least
		if size != nil {
			a.In = size[i]
		}
		if most := least + max(a.Stride, a.Dilation) - 1; a.In < least || a.In > most {
			return Geometry{}, fieldError("output-shape", "got %d in %s, want %d to %d ((in-1)*stride + effective window - padding, and less than one stride or dilation more)",
				a.In, g.AxisName(i), max(0, least), most)
		}
		if a.In > MaxExtent {
			return Geometry{}, fieldError("window", "got %d cells, which makes an output of %d in %s, want <= %d", a.Effective(), a.In, g.AxisName(i), MaxExtent)
		}
		if a.In < 0 {
			return Geometry{}, fieldError("padding", "got %d:%d in %s, which leaves an output of %d cells, want >= 0", a.Lo, a.Hi, g.AxisName(i), a.In)
		}
		a.Out = out
		axes[i] = a
	}
	g = New(n, c, axes)
	g.Rule = w.Padding
	return g, nil
}

package pipeline

import (
	"errors"
	"fmt"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Input describes an input by its header.
type Input struct {
	Spec    tensor.Spec
	Picture bool // Spec is NHWC, to be brought to the pipeline's layout
}

// preparation applies the input section of a pipeline file to an input.
type preparation struct {
	layout tensor.Layout // of the result; "" for a shape that has none
	spec   tensor.Spec   // of the result
	plan   *ops.Plan     // nil when at most the shape changes
}

// prepare plans the input section. layout is that of the result.
func prepare(section *config.Prepare, in Input, layout tensor.Layout) (*preparation, error) {
	given := layout // of the input
	if in.Picture {
		given = tensor.NHWC
	}
	e, err := given.Split(in.Spec.Shape)
	if err != nil {
		return nil, unfit(section, "layout", "%v", err)
	}
	if in.Picture && (layout.Spatial() != 2 || layout == tensor.HW && e.C != 1) {
		return nil, unfit(section, "layout", "got %s for a picture of %d channels, want a 2-D layout that holds it, such as NHWC or NCHW", layout, e.C)
	}
	for _, of := range []struct {
		key  string
		list []float64
	}{{"scale", section.Scale}, {"offset", section.Offset}} {
		if n := len(of.list); n > 1 && n != e.C {
			return nil, unfit(section, of.key, "got %d numbers, want 1 or %d (one for each channel of the input)", n, e.C)
		}
	}
	p := &ops.Preparation{From: given, To: layout, Scale: section.Scale, Offset: section.Offset, DType: section.DType}
	if err := resizeAndCrop(p, section, e.Spatial); err != nil {
		return nil, err
	}
	plan, spec, err := p.Plan(in.Spec)
	if err != nil {
		return nil, blamed(section, err)
	}
	return &preparation{layout: layout, spec: spec, plan: plan}, nil
}

// resizeAndCrop plans resizing and cropping for an input of that spatial size.
func resizeAndCrop(p *ops.Preparation, section *config.Prepare, size []int) error {
	if section.Resize == nil && section.Crop == nil {
		return nil
	}
	if len(size) != 2 {
		return unfit(section, sizeKey(section), "got an input of %d spatial dimensions, want 2", len(size))
	}
	if section.Resize != nil {
		size = section.Resize.Size
		p.Resize = ops.NewResize(size, section.Resize.Filter)
	}
	if section.Crop == nil {
		return nil
	}
	kept, at := section.Crop.Size, section.Crop.At
	if at == nil {
		at = make([]int, len(kept))
		for i, n := range kept {
			if n > size[i] {
				return unfit(section, "crop", "got %s, want at most the picture's %s", tensor.Join(kept, "x"), tensor.Join(size, "x"))
			}
			at[i] = (size[i] - n) / 2 // the odd cell is cut off at the end
		}
	}
	for i, n := range kept {
		if n > size[i] || at[i] > size[i]-n {
			return unfit(section, "crop", "got %s at %s, want a part of the picture's %s", tensor.Join(kept, "x"), tensor.Join(at, ","), tensor.Join(size, "x"))
		}
	}
	p.Crop = &ops.Region{At: at, Size: kept}
	return nil
}

// sizeKey returns the key that decides the spatial size.
func sizeKey(section *config.Prepare) string {
	if section.Resize != nil {
		return "resize"
	}
	return "crop"
}

// inputError is an input section that does not fit an input.
type inputError struct {
	place        config.Place
	key, problem string
}

func (e *inputError) Error() string {
	if e.place.Line == 0 {
		return "input: " + e.key + ": " + e.problem
	}
	return e.place.String() + ": input: " + e.key + ": " + e.problem
}

// unfit makes an inputError about a key.
func unfit(section *config.Prepare, key, format string, args ...any) error {
	return &inputError{section.At(key), key, fmt.Sprintf(format, args...)}
}

// blamed names the key that an error of the plan is about: the operation resize
// refuses sizes only.
func blamed(section *config.Prepare, err error) error {
	var field *geom.Error
	if errors.As(err, &field) {
		return unfit(section, sizeKey(section), "%s", field.Problem)
	}
	var data *ops.DataError
	if errors.As(err, &data) {
		err = data.Err
	}
	return fmt.Errorf("input: %w", err)
}

package cli

import (
	"math"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

func (a *app) newCompareCommand() *cobra.Command {
	var rtol, atol float64
	var picture string
	var raw tensor.DType
	cmd := &cobra.Command{
		Use:   "compare A B [flags]",
		Short: "largest absolute, relative and ULP difference of two arrays, and where",
		Long: `Compares A with the reference B, element by element. Elements differ when |a - b| > atol + rtol*|b|; NaN equals NaN, an infinity equals itself. Shapes must be equal, types need not be. Ends with exit code 3 if they differ.

Without tolerances every difference counts.`,
		Example: examples([]ops.Example{
			{Does: "an array with itself", Command: "poolctl compare samples/ramp_6x6.npy samples/ramp_6x6.npy"},
			{Does: "two pictures, each sample within 2 levels", Command: "poolctl compare samples/chelsea.png samples/chelsea.png --atol 2"},
		}),
		GroupID: "look",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("compare: got %d files, want 2", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return a.runCompare(args[0], args[1], raw, rtol, atol, picture)
		},
	}
	cmd.Flags().Float64Var(&rtol, "rtol", 0, "relative tolerance `X`")
	cmd.Flags().Float64Var(&atol, "atol", 0, "absolute tolerance `X`")
	cmd.Flags().StringVarP(&picture, "output", "o", "", "picture `FILE` of the difference")
	rawFlag(cmd.Flags(), &raw)
	return cmd
}

func (a *app) runCompare(nameA, nameB string, raw tensor.DType, rtol, atol float64, picture string) error {
	for flag, v := range map[string]float64{"rtol": rtol, "atol": atol} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return usagef("compare: %s: got %g, want a number >= 0", flag, v)
		}
	}
	if nameA == "-" && nameB == "-" {
		return usagef("compare: got - twice, standard input can be read once")
	}
	if picture != "" {
		if !imgio.IsPicture(picture) {
			return usagef("compare: output: got %q, want a picture file such as difference.png", picture)
		}
		if err := a.reads(nameA, nameB, imgio.ExternalData(nameA), imgio.ExternalData(nameB)).CheckOutputs(picture); err != nil {
			return err
		}
	}
	var pair [2]*tensor.Tensor
	held := 0
	for i, name := range []string{nameA, nameB} {
		source, err := imgio.Open(name, a.files(false, raw))
		if err != nil {
			return err
		}
		if pair[i], err = a.readWithin(source, held); err != nil {
			return err
		}
		held, _ = pair[i].Bytes() // checked by readWithin
	}
	d, err := report.Compare(pair[0], pair[1], rtol, atol)
	if err != nil {
		return err
	}
	d.A.Name, d.B.Name = nameA, nameB
	if a.JSON {
		err = d.WriteJSON(a.out)
	} else {
		err = d.WriteText(a.out)
	}
	if err != nil {
		return err
	}
	if picture != "" && d.SameSize {
		layout, err := tensor.DefaultLayout(len(pair[0].Shape))
		if err != nil {
			return &hinted{err, "a picture of the difference needs a tensor of rank 2 to 5"}
		}
		difference, err := report.Subtract(pair[0], pair[1])
		if err != nil {
			return err
		}
		drawing, err := figure.Heatmap(difference, layout, "a - b")
		if err != nil {
			return err
		}
		if err := a.writeAll([]imgio.Output{{Name: picture, Tensor: drawing, Layout: tensor.HWC}}, false); err != nil {
			return err
		}
	}
	if !d.Equal {
		return errDiffers
	}
	return nil
}

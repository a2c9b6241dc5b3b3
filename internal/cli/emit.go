package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
)

// addEmitFlag declares the flag that prints a command as a pipeline file.
func addEmitFlag(flags *pflag.FlagSet, emit *bool) {
	flags.BoolVar(emit, "emit-yaml", false, "print this command as a pipeline file, and stop; the input may be left out")
}

// unlessEmitted checks the operands of a command. With --emit-yaml there may be
// none.
func unlessEmitted(emit *bool, operands cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if *emit && len(args) == 0 {
			return nil
		}
		return operands(cmd, args)
	}
}

// emitYAML prints an operation as a pipeline of one step. kinds lists what is
// saved of it.
func (a *app) emitYAML(spec ops.Spec, op ops.Op, names, kinds []string) error {
	if err := op.Check(); err != nil {
		return err
	}
	for _, name := range names {
		if name != names[0] {
			return usagef("%s: emit-yaml: got the inputs %s and %s, want one: a pipeline has one input", spec.Name, names[0], name)
		}
	}
	text, err := config.OneStep(spec, op, max(2, len(names)), kinds)
	if err != nil {
		return &usageError{err.Error(), ""}
	}
	_, err = fmt.Fprint(a.out, text)
	return err
}

// emitOperation prints an operation's command as a pipeline file.
func (a *app) emitOperation(o *operation, names []string) error {
	if o.Overlay != "" || o.files.Normalize != imgio.NormalizeNone.String() || o.files.Enlarge > 0 {
		a.note("argmax-overlay, normalize and enlarge are not part of a pipeline file")
	}
	kinds := []string{"npy"}
	if imgio.IsPicture(o.Output) {
		kinds = []string{"png"}
	}
	if o.Argmax != "" {
		kind := "argmax"
		if imgio.IsPicture(o.Argmax) {
			kind = "argmax-png"
		}
		kinds = append(kinds, kind)
	}
	return a.emitYAML(o.spec, o.op, names, kinds)
}

// emitGradient prints the gradient's command as a pipeline file for grad run.
func (a *app) emitGradient(g *gradient, names []string) error {
	for _, p := range g.op.GradParams() {
		if p.Kind.File() && p.String() != "" {
			return usagef("%s: %s: cannot be used with --emit-yaml: in a pipeline gradients come from the steps", g.spec.Name, p.Name)
		}
	}
	return a.emitYAML(g.spec, g.op, names, []string{"grad"})
}

package weights

import "github.com/poolctl/poolctl/internal/imgio/input"

// use adds the spatial axes to the layout of a filter.
func use(u input.Use, rank int) input.Use {
	switch {
	case u.Layout == "" || rank < 2 || rank > 5:
		u.Layout = ""
	default:
		u.Layout += "DHW"[5-rank:]
	}
	return u
}

// onnxRoles names the inputs of operators that take weights. layout is the order of
// a filter's axes without the spatial ones, whose number follows from the rank.
var onnxRoles = map[string][]struct{ name, layout, transposed string }{
	"Conv":               {{}, {"W", "OI", "OI"}, {"B", "", ""}},
	"ConvTranspose":      {{}, {"W", "IO", "IO"}, {"B", "", ""}},
	"Gemm":               {{}, {"B", "IO", "OI"}, {"C", "", ""}},
	"MatMul":             {{}, {"B", "IO", "IO"}},
	"BatchNormalization": {{}, {"scale", "", ""}, {"B", "", ""}, {"mean", "", ""}, {"var", "", ""}},
	"PRelu":              {{}, {"slope", "", ""}},
}

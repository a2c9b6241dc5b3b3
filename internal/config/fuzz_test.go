package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/config"
)

// FuzzPipeline parses any text as a pipeline file: a pipeline whose steps take
// what comes before them, or faults of one line each with their places.
func FuzzPipeline(f *testing.F) {
	const head = "version: 1\nsteps:\n"
	for _, text := range []string{
		head + "  - {name: a, op: relu}\n",
		head + "  - {name: a, op: conv2d, filter: f.npy, strides: [2, 1], padding: [[0, 1], [1, 0]]}\n  - {name: b, op: add, from: [a, input]}\nsave:\n  a: [npy, png]\n",
		"version: 1\ninput:\n  layout: NCHW\n  resize: [4, 4]\n  scale: [1, 2]\nsteps:\n  - {name: p, op: pool, type: max, window: global}\n",
		head + "  - &x {name: a, op: relu}\n  - *x\n  - {<<: *x}\n",
		strings.Repeat("[", 100),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		began := time.Now()
		p, err := config.ParsePipeline("net.yaml", text)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%d bytes took %v", len(text), took)
		}
		if err != nil {
			var faults config.PipelineFaults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("got %T: %v, want faults", err, err)
			}
			for _, fault := range faults {
				if strings.Contains(fault.Error(), "\n") || !strings.HasPrefix(fault.Error(), "net.yaml") {
					t.Errorf("got %q, want one line that begins with the file", fault.Error())
				}
			}
			return
		}
		if len(p.Steps) == 0 || len(p.Steps) > config.MaxPipelineSteps {
			t.Errorf("got %d steps", len(p.Steps))
		}
	})
}

package ops

import (
	"math"
	"math/rand/v2"

	"github.com/poolctl/poolctl/internal/geom"
)

// sequences draws the pooling sequence of each spatial axis: 0 = s_0 < s_1 < …
// < s_out = in, where out = floor(in / ratio) and each step is floor(in/out) or
// one more. For a given seed the sequences are those of TensorFlow: drawn from
// Philox in the same order, rows before columns. Without a seed, one is drawn
// and kept, so that later plans of the operation and its clones (such as its
// gradient) have the same windows, and a report names the seed.
func (o *Pool) sequences(spatial []int) ([][]int, error) {
	if n := len(o.Fractional); n != 1 && n != len(spatial) {
		return nil, unfit("pool", "fractional", "got %d ratios, want 1 or %d (one for each spatial dimension of the input)", n, len(spatial))
	}
	if o.Seed == 0 {
		o.Seed = int(rand.Int32N(math.MaxInt32-1)) + 1
	}
	random := newPhilox(defaultGraphSeed, truncatedSeed(o.Seed))
	list := make([][]int, len(spatial))
	for i, in := range spatial {
		ratio := o.Fractional[i%len(o.Fractional)]
		// TensorFlow stores the ratio as float32 and divides in that type.
		out := int(math.Floor(float64(float32(in) / float32(ratio))))
		if out < 1 {
			return nil, unfit("pool", "fractional", "got ratio %s for an extent of %d, want at most the extent", formatNumber(ratio), in)
		}
		if out > geom.MaxBounds || in > math.MaxInt32 {
			return nil, unfit("pool", "fractional", "got %d windows over an extent of %d, want <= %d over <= %d", out, in, geom.MaxBounds, math.MaxInt32)
		}
		var steps []int
		if o.PseudoRandom {
			steps = evenSteps(in, out, random)
		} else {
			steps = shuffledSteps(in, out, random)
		}
		list[i] = cumulative(steps)
	}
	return list, nil
}

// defaultGraphSeed is the global seed that TensorFlow uses when none is set.
const defaultGraphSeed = 87654321

// truncatedSeed reduces a seed to 31 bits as TensorFlow does
// (python/framework/random_seed.py): the non-negative remainder by 2^31 - 1.
func truncatedSeed(seed int) uint64 {
	const most = math.MaxInt32
	return uint64((seed%most + most) % most)
}

func cumulative(steps []int) []int {
	s := make([]int, len(steps)+1)
	for i, step := range steps {
		s[i+1] = s[i] + step
	}
	return s
}

// evenSteps is the pseudo-random rule: a_i = ceil(alpha*(i+u)) for one random u
// (Graham, Fractional Max-Pooling, arXiv:1412.6071). u is small enough for
// every step to be k or k+1.
func evenSteps(in, out int, random *philox) []int {
	alpha := float64(in) / float64(out)
	k := in / out
	most := min(float64(k+2)/alpha-1, float64(in+1-k)/alpha-float64(out-1))
	draw := random.reserve(2)
	u := draw.float64() * most
	at := make([]int, out+1)
	at[0], at[out] = 1, in+1
	for i := 1; i < out; i++ {
		at[i] = int(math.Ceil(alpha * (float64(i) + u)))
	}
	steps := make([]int, out)
	for i := range steps {
		steps[i] = at[i+1] - at[i]
	}
	return steps
}

// shuffledSteps is the random rule: in mod out steps of k+1 and the rest of k,
// shuffled.
func shuffledSteps(in, out int, random *philox) []int {
	steps := make([]int, out)
	for i := range steps {
		steps[i] = in / out
		if i < in%out {
			steps[i]++
		}
	}
	draw := random.reserve(out)
	for i := 0; i < out-1; i++ {
		j := i + int(draw.uint32()%uint32(out-i))
		steps[i], steps[j] = steps[j], steps[i]
	}
	return steps
}

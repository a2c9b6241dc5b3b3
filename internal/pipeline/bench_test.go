package pipeline_test

import "testing"

// BenchmarkLeNet runs LeNet-5 on one picture of 28x28 again and again: nearly
// every weight is used for one number only.
func BenchmarkLeNet(b *testing.B) {
	x := noise(1, 1, 28, 28, 1)
	r := ready(b, compiled(b, `
version: 1
steps:
  - {name: conv1, op: conv2d, filter: "he-normal:5x5x1x6:1", padding: SAME}
  - {name: act1, op: relu}
  - {name: pool1, op: pool, type: max, window: 2}
  - {name: conv2, op: conv2d, filter: "he-normal:5x5x6x16:2"}
  - {name: act2, op: relu}
  - {name: pool2, op: pool, type: max, window: 2}
  - {name: flat, op: flatten}
  - {name: fc1, op: dense, filter: "he-normal:400x120:3"}
  - {name: act3, op: relu}
  - {name: fc2, op: dense, filter: "he-normal:120x84:4"}
  - {name: act4, op: relu}
  - {name: fc3, op: dense, filter: "he-normal:84x10:5"}
`, x.Spec), 2)
	for b.Loop() {
		if err := r.Run(x); err != nil {
			b.Fatal(err)
		}
	}
}

package plotting_test

import "qhlab/plotting"

// What remains of a bar does not depend on how long the work took.
func ExampleProgress() {
	bar := plotting.NewProgress("flow", 200)
	for range 200 {
		bar.Add(1)
	}
	bar.Done("log(1/L) = 10^6 after 200 steps")
	bar.Done("ignored")
	// Output: flow: log(1/L) = 10^6 after 200 steps
}

package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"

	"qhlab/qhnet/oracle"
	"qhlab/qhnet/store"
)

// A key holds all that determines a result, which is computed once.
func ExampleRemember() {
	folder, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	runs := store.Store{Dir: folder}
	type key struct{ Seed uint64 }
	for _, seed := range []uint64{1, 2, 1} {
		value, err := store.Remember(runs, "draw", key{seed}, func() (int, error) {
			fmt.Println("computing")
			return rand.New(rand.NewPCG(seed, 0)).IntN(1000), nil
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(seed, value)
	}
	// Output:
	// computing
	// 1 598
	// computing
	// 2 681
	// 1 598
}

// A sweep keeps every result in its store: the second run computes nothing.
func ExampleSweep() {
	folder, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	computed := 0
	sweep := store.Sweep[float64, float64]{
		Name:   "robustness",
		Points: []float64{0.3, 0.6, 0.9},
		Run: func(_ context.Context, radius float64) (float64, error) {
			computed++
			return oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: radius}.Robustness(), nil
		},
		Store:   store.Store{Dir: folder},
		Workers: 1,
	}
	for range 2 {
		results, err := sweep.All(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.3f, %d computed\n", results, computed)
	}
	// Output:
	// [0.300 0.000 0.245], 3 computed
	// [0.300 0.000 0.245], 3 computed
}

package qhnet_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
)

func ExampleAccuracy() {
	// The boundary x_1 = 0 is right about three points of four.
	model := qhnet.Diagonal(1, 1)
	theta := []float64{1, 0}
	set := dataset.Set{Name: "four", X: mat.NewDense(4, 2, []float64{1, 0, 2, 1, -1, 3, 1, -1}), Labels: []int{1, 1, 0, 0}, Classes: 2}
	classes, _ := qhnet.Predict(model, theta, set.X)
	accuracy, _ := qhnet.Accuracy(model, theta, set)
	fmt.Println(classes, accuracy)
	// Output: [1 1 0 1] 0.75
}

// A prediction is right exactly where the point's margins are positive.
func TestPredictAgreesWithMargins(t *testing.T) {
	rng := rand.New(rand.NewPCG(50, 5))
	for outputs := 1; outputs <= 4; outputs++ {
		n := network(t, qhnet.Input(3), qhnet.Dense(5), qhnet.ReLU(), qhnet.Dense(outputs))
		theta := n.Start(rng, qhnet.He)
		set := dataset.Set{Name: "random", X: gaussian(rng, 40, 3), Labels: make([]int, 40), Classes: max(outputs, 2)}
		for k := range set.Labels {
			set.Labels[k] = k % set.Classes
		}
		classes, err := qhnet.Predict(n, theta, set.X)
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for k, q := range smallestMargins(t, n, theta, set.X, set.Labels) {
			if (classes[k] == set.Labels[k]) != (q > 0) {
				t.Errorf("%d outputs: point %d of class %d has margin %v and is predicted as %d", outputs, k, set.Labels[k], q, classes[k])
			}
			if q > 0 {
				right++
			}
		}
		if accuracy, err := qhnet.Accuracy(n, theta, set); err != nil || accuracy != float64(right)/40 {
			t.Errorf("%d outputs: accuracy %v, %v, want %d/40", outputs, accuracy, err, right)
		}
	}
}

func TestPredictTies(t *testing.T) {
	x := mat.NewDense(1, 1, []float64{1})
	for outputs, want := range map[int]int{1: 0, 3: 0} {
		n := network(t, qhnet.Input(1), qhnet.Dense(outputs))
		if got, err := qhnet.Predict(n, make([]float64, 2*outputs), x); err != nil || !slices.Equal(got, []int{want}) {
			t.Errorf("%d outputs that are all 0: class %v, %v", outputs, got, err)
		}
	}
}

func TestAccuracyOnSomeClasses(t *testing.T) {
	n := network(t, qhnet.Input(1), qhnet.Dense(3, qhnet.NoBias()))
	theta := []float64{1, 2, 3} // the largest output is the last where x > 0, else the first
	set := dataset.Set{Name: "class 2", X: mat.NewDense(2, 1, []float64{1, -1}), Labels: []int{2, 2}, Classes: 3}
	if accuracy, err := qhnet.Accuracy(n, theta, set); err != nil || accuracy != 0.5 {
		t.Errorf("accuracy %v, %v, want 1/2", accuracy, err)
	}
	for _, test := range []struct {
		want  string
		spoil func(*dataset.Set)
	}{
		{"class 2: 2 rows but 1 labels", func(s *dataset.Set) { s.Labels = s.Labels[:1] }},
		{"label 3, but a model with 3 output(s)", func(s *dataset.Set) { s.Labels[1], s.Classes = 3, 4 }},
		{"entry 0 of point 1 is NaN", func(s *dataset.Set) { s.X.Set(1, 0, math.NaN()) }},
		{"points of 1", func(s *dataset.Set) { s.X = mat.NewDense(2, 2, nil) }},
	} {
		set := set
		set.X, set.Labels = mat.DenseCopyOf(set.X), slices.Clone(set.Labels)
		test.spoil(&set)
		if _, err := qhnet.Accuracy(n, theta, set); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
}

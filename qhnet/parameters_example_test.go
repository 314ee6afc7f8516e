package qhnet_test

import (
	"fmt"
	"os"
	"path/filepath"

	"qhlab/qhnet"
)

func ExampleSaveParameters() {
	model := qhnet.Diagonal(1, 2)
	path := filepath.Join(os.TempDir(), "qhlab-example.parameters")
	defer os.Remove(path)
	if err := qhnet.SaveParameters(path, model, []float64{5, 2, 3}); err != nil {
		fmt.Println(err)
		return
	}
	theta, err := qhnet.LoadParameters(path, model)
	fmt.Println(model.Coefficients(nil, theta), err)
	// Output: [5 6] <nil>
}

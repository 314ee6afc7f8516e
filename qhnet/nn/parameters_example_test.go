package nn_test

import (
	"fmt"
	"os"
	"path/filepath"

	"qhlab/qhnet/nn"
)

func ExampleSaveParameters() {
	folder, err := os.MkdirTemp("", "parameters")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	model, path := nn.Diagonal(1, 2), filepath.Join(folder, "trained")
	if err := nn.SaveParameters(path, model, []float64{5, 2, 3}); err != nil {
		fmt.Println(err)
		return
	}
	theta, err := nn.LoadParameters(path, model)
	fmt.Println(model.Coefficients(nil, theta), err)
	// Output: [5 6] <nil>
}

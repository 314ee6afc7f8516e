package qhnet

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParameterFiles(t *testing.T) {
	a := architecture{points: 2, layers: []Layer{Input(1, 6, 6), Conv(2, 3), ReLU(), Flatten(), Dense(3)}}
	n, _, theta, _ := a.build(t)
	path := filepath.Join(t.TempDir(), "runs", "start.parameters")
	if err := n.SaveParameters(path, theta); err != nil {
		t.Fatal(err)
	}
	got, err := n.LoadParameters(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, theta) {
		t.Error("parameters changed in the file")
	}
	for want, layers := range map[string][]Layer{
		"the file has conv1 (convolution 3×3, gives 2×4×4, 20 parameters) where the network has conv1 (convolution 3×3, padding 1, gives 2×6×6, 20 parameters)": {Input(1, 6, 6), Conv(2, 3, Padding(1)), ReLU(), Flatten(), Dense(3)},
		"the file has relu1 (relu, gives 2×4×4, 0 parameters) where the network has abspower1 (abspower of degree 2":                                            {Input(1, 6, 6), Conv(2, 3), AbsPower(2), Flatten(), Dense(3)},
		"the file has dense1 (dense, gives 3, 99 parameters) where the network has dense1 (dense, gives 5, 165 parameters)":                                     {Input(1, 6, 6), Conv(2, 3), ReLU(), Flatten(), Dense(5)},
		"the file has no further layer where the network has relu2":                                                                                             {Input(1, 6, 6), Conv(2, 3), ReLU(), Flatten(), Dense(3), ReLU()},
	} {
		other, err := NewNetwork(layers...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.LoadParameters(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestDamagedParameterFiles(t *testing.T) {
	a := architecture{points: 2, layers: []Layer{Input(2), Dense(3)}}
	n, _, theta, _ := a.build(t)
	path := filepath.Join(t.TempDir(), "parameters")
	if _, err := n.LoadParameters(path); !os.IsNotExist(err) {
		t.Errorf("error %v for a missing file", err)
	}
	theta[7] = math.Inf(1)
	if err := n.SaveParameters(path, theta); err != nil {
		t.Fatal(err)
	}
	if _, err := n.LoadParameters(path); err == nil || !strings.Contains(err.Error(), "entry 1 of dense1.bias is +Inf") {
		t.Errorf("error %v for an infinite parameter", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(data); i += 5 {
		damaged := slices.Clone(data)
		damaged[i] ^= 0x10
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := n.LoadParameters(path); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Fatalf("byte %d changed: error %v", i, err)
		}
	}
}

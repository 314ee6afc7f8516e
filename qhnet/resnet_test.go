package qhnet_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

// TestResNet18 checks the layout against its published size, 11 173 962
// parameters with 10 classes in 62 tensors (20 convolutions, 20 pairs of scale
// and shift, a weight and a bias), and its rates against what the rules say:
// every convolution has rate 0 in the canonical choice, since normalization
// follows; only the stream that reaches the last layer shares its rate.
func TestResNet18(t *testing.T) {
	n, err := qhnet.NewNetwork(qhnet.ResNet18(10)...)
	if err != nil {
		t.Fatal(err)
	}
	if m, blocks := qhnet.NumParameters(n), len(n.Blocks()); m != 11_173_962 || blocks != 62 {
		t.Errorf("%d parameters in %d blocks, want 11173962 in 62", m, blocks)
	}
	audit := qhnet.Audit(n)
	if audit.Err != nil {
		t.Fatal(audit.Err)
	}
	want := map[float64]string{
		1:   "dense1.bias",
		0.5: "block7.norm2.scale block7.norm2.shift block7.projection.norm1.scale block7.projection.norm1.shift block8.norm2.scale block8.norm2.shift dense1.weight",
	}
	got := map[float64][]string{}
	for b, rate := range audit.Rates.Canonical() {
		got[rate] = append(got[rate], audit.Blocks[b].Name)
	}
	for rate, names := range want {
		if have := strings.Join(got[rate], " "); have != names {
			t.Errorf("blocks of canonical rate %v: %s, want %s", rate, have, names)
		}
	}
	if len(got) != 3 || len(got[0]) != len(audit.Blocks)-8 {
		t.Errorf("the other blocks have canonical rates %v, want 0", got)
	}
	rates, ok := audit.Rates.LastLayerOnly()
	for b, rate := range rates {
		if (rate > 0) != strings.HasPrefix(audit.Blocks[b].Name, "dense1.") {
			t.Errorf("last layer only: %s has rate %v", audit.Blocks[b].Name, rate)
		}
	}
	if !ok {
		t.Error("last layer only is not admissible")
	}
}

// TestResNetScaling moves a small network of the same layout.
func TestResNetScaling(t *testing.T) {
	n, err := qhnet.NewNetwork(qhnet.ResNet(qhnet.Input(3, 8, 8), []int{4, 8}, 2, 3)...)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	x := mat.NewDense(4, n.Inputs(), nil)
	fillNormal(x.RawMatrix().Data, rng)
	e, err := n.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	checkScaling(t, mustRates(t, n), e, rng)
}

func BenchmarkAuditResNet18(b *testing.B) {
	n, err := qhnet.NewNetwork(qhnet.ResNet18(10)...)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = qhnet.Audit(n).String()
	}
}

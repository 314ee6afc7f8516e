package qhnet_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
)

// wild draws a network, labels and a scale of the data, and names the group that it belongs to.
func wild(t *testing.T, seed uint64) (name, group string, f qhnet.Flow) {
	rng := rand.New(rand.NewPCG(seed, 15))
	classes, width, scale := 2+rng.IntN(3), 4+rng.IntN(8), math.Pow(10, 12*rng.Float64()-6)
	var bias []nn.Option
	activation, kind := nn.ReLU(), "relu"
	switch rng.IntN(3) {
	case 1:
		activation, kind = nn.ReLUPower(2), "relu²"
	case 2:
		activation, kind = nn.LeakyReLU(0.1), "leaky"
	}
	biased := rng.IntN(2) == 0
	if !biased {
		bias = append(bias, nn.NoBias())
	}
	norm, normalized := []nn.Layer(nil), "none"
	switch rng.IntN(4) {
	case 1:
		norm, normalized = []nn.Layer{nn.LayerNorm()}, "layer"
	case 2:
		norm, normalized = []nn.Layer{nn.BatchNorm()}, "batch"
	case 3:
		norm, normalized = []nn.Layer{nn.RMSNorm(nn.WithScale())}, "rms"
	}
	layers := []nn.Layer{nn.Input(2)}
	for range 1 + rng.IntN(2) {
		layers = append(append(append(layers, nn.Dense(width, bias...)), norm...), activation)
	}
	outputs := classes
	if classes == 2 {
		outputs = 1
	}
	net := network(t, append(layers, nn.Dense(outputs, bias...))...)
	centers := mat.NewDense(classes, 2, nil)
	for k := range classes {
		angle := 2 * math.Pi * float64(k) / float64(classes)
		centers.SetRow(k, []float64{2 * math.Cos(angle), 2 * math.Sin(angle)})
	}
	set := dataset.GaussianClusters(centers, 4, 0.5, rng)
	set.X.Scale(scale, set.X)
	start := net.Start(rng, nn.He)
	name = fmt.Sprintf("%s %s bias %v, %d classes, depth %d, data × %.0e", kind, normalized, biased, classes, (len(layers)-1)/2, scale)
	size := "moderate"
	if e := math.Log10(scale); math.Abs(e) > 2 {
		size = map[bool]string{true: "large", false: "small"}[e > 0]
	}
	group = fmt.Sprintf("%-5s bias %-5v %s", normalized, biased, size)
	return name, group, qhnet.Flow{Margins: bind(t, net, set), Start: start, Until: 1e5, PerDecade: 2}
}

func seconds() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()) / 1e9
}

var flows = flag.Int("flows", 20, "how many random flows to follow; none with -short")

// TestFlowsArriveOrSayWhy follows flows of networks drawn at random on data of sizes
// from 1e-6 to 1e6. A flow that does not arrive must say so by a type that names what has
// stopped it, within the work that a flow is given. Times are reported, not judged.
func TestFlowsArriveOrSayWhy(t *testing.T) {
	if testing.Short() {
		t.Skip("follows flows for half a minute, which -short leaves out")
	}
	ends, groups, slow := map[string]int{}, map[string]map[string]int{}, []float64{}
	for seed := range uint64(*flows) {
		name, group, flow := wild(t, seed)
		before := seconds()
		tr, err := flow.Run(context.Background())
		took := seconds() - before
		slow = append(slow, took)
		var rest *qhnet.NotSeparatedError
		var singular *qhnet.SingularError
		var failure *ode.Failure
		end := "arrived"
		switch {
		case err == nil && math.Abs(tr.Last().LogInverse()-1e5) > 10:
			t.Errorf("%d, %s: ended at log(1/L) = %v without an error", seed, name, tr.Last().LogInverse())
		case err == nil:
		case errors.As(err, &singular):
			end = "singular"
		case errors.As(err, &failure):
			end = failure.Status.String()
			if !strings.Contains(err.Error(), "limited by") {
				t.Errorf("%d, %s: %v does not say by what it was limited", seed, name, err)
			}
		case errors.As(err, &rest):
			end = "at rest"
		case tr == nil && strings.Contains(err.Error(), "cannot start"):
			end = "refused at the start"
		default:
			t.Errorf("%d, %s: an error of no type: %v", seed, name, err)
		}
		ends[end]++
		if groups[group] == nil {
			groups[group] = map[string]int{}
		}
		groups[group][end]++
		if end != "arrived" || took > 2 {
			t.Logf("%3d %s: %s after %.1f s: %v", seed, name, end, took, err)
		}
	}
	// Roundings of other processors decide some, so that a third is asked for.
	if arrived := ends["arrived"]; arrived < *flows/3 {
		t.Errorf("%d of %d flows arrive; 114 of 201 did when this was written", arrived, *flows)
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		t.Logf("%s: %v", g, groups[g])
	}
	slices.Sort(slow)
	t.Logf("%d flows: %v; CPU seconds: median %.2f, most %.2f", *flows, ends, slow[len(slow)/2], slow[len(slow)-1])
}

// TestFlowEndsAtASingularity: with the deviation of one group of one point goes the
// direction that the group is normalized to.
func TestFlowEndsAtASingularity(t *testing.T) {
	singular := 0
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		set := randomSet(rng, 8, 3)
		net := network(t, nn.Input(3), nn.Dense(6), nn.GroupNorm(2), nn.ReLUPower(2), nn.Dense(1))
		tr, err := qhnet.Flow{Margins: bind(t, net, set), Start: net.Start(rng, nn.He), Until: 1e4}.Run(context.Background())
		var end *qhnet.SingularError
		if !errors.As(err, &end) {
			continue
		}
		singular++
		if !strings.Contains(end.Whose, "norm1: point ") || !(end.Share < 1e-3) || end.LogInverse != tr.Last().LogInverse() {
			t.Errorf("seed %d: %+v, %v", seed, end, err)
		}
		// A little ε, and there is none.
		net = network(t, nn.Input(3), nn.Dense(6), nn.GroupNorm(2, nn.Epsilon(0.1)), nn.ReLUPower(2), nn.Dense(1))
		_, err = qhnet.Flow{Margins: bind(t, net, set), Start: tr.Points[0].Theta, Until: 10}.Run(context.Background())
		if errors.As(err, &end) {
			t.Errorf("seed %d, with ε: %v", seed, err)
		}
	}
	if singular == 0 {
		t.Error("no flow comes to a singularity")
	}
	// Where a layer after it moves faster still, and behind squared rectifiers.
	for seed, whose := range map[uint64]string{18: "norm1: point ", 59: "norm2: point "} {
		name, _, flow := wild(t, seed)
		_, err := flow.Run(context.Background())
		var end *qhnet.SingularError
		if !errors.As(err, &end) || !strings.HasPrefix(end.Whose, whose) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package qhnet_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"

	"qhlab/qhnet"
	"qhlab/qhnet/ode"
)

// kktCase is a flow whose residuals must fall like (log 1/L)^law:
//
//	-2Δλ     the gap between the highest rate and the next
//	-1       competition between support vectors
//	-λ_max   weights that stand still, such as those of a ReLU unit that is
//	         inactive on all points, whose share falls as the others grow
//
// whichever is slowest.
type kktCase struct {
	name      string
	margins   *qhnet.Margins
	start     []float64
	discarded []string
	law       float64
	balls     bool // one exact constraint: no competition
}

func networkCase(t *testing.T, name string, law float64, discarded []string, layers ...qhnet.Layer) kktCase {
	n := network(t, append([]qhnet.Layer{qhnet.Input(2)}, layers...)...)
	set := separable(rand.New(rand.NewPCG(50, 5)), 8, 2)
	start := n.Start(rand.New(rand.NewPCG(51, 5)), qhnet.He)
	return kktCase{name, bind(t, n, set), start, discarded, law, false}
}

func kktCases(t *testing.T) []kktCase {
	plain := qhnet.NoBias()
	needed := qhnet.TwoBalls{Center: []float64{1, -0.2, 0.6}, High: []int{0, 1}, Radius: 0.8}
	shared := qhnet.Groups(needed.Groups(1, 2)...)
	deeper := qhnet.Groups(needed.Groups(1, 3)...)
	sampled := qhnet.Groups(exampleBall.Groups(1, 2)...)
	points := exampleBall.Sample(12, rand.New(rand.NewPCG(52, 5)))
	bias := qhnet.Diagonal(2).WithBias()
	return []kktCase{
		{"shared scale, exact balls", bindBalls(t, shared, needed), needed.Start(shared, 1), nil, -1, true},
		{"two shared scales, exact balls", bindBalls(t, deeper, needed), needed.Start(deeper, 1), nil, -4. / 3, true},
		{"shared scale, sampled balls", bind(t, sampled, points), exampleBall.Start(sampled, 1), nil, -1, false},
		{"line with a needed bias", bind(t, bias, line(1, 2)), []float64{0.5, 0.4, 0.1}, nil, -1, false},
		networkCase(t, "ReLU net", -1./3, nil,
			qhnet.Dense(6, plain), qhnet.ReLU(), qhnet.Dense(6, plain), qhnet.ReLU(), qhnet.Dense(1, plain)),
		networkCase(t, "biased ReLU net", -1./3, []string{"dense2.bias", "dense3.bias"},
			qhnet.Dense(6), qhnet.ReLU(), qhnet.Dense(6), qhnet.ReLU(), qhnet.Dense(1)),
		networkCase(t, "residual net", -1./3, []string{"block1.projection.dense1.weight"},
			qhnet.Residual(qhnet.Dense(6, plain), qhnet.ReLU(), qhnet.Dense(6, plain), qhnet.ReLU(), qhnet.Dense(1, plain), qhnet.Projection())),
		networkCase(t, "layer normalization", -1, nil,
			qhnet.Dense(6), qhnet.LayerNorm(), qhnet.Dense(1, plain)),
	}
}

func TestKKTResidualsFallAsPredicted(t *testing.T) {
	for _, c := range kktCases(t) {
		flow := qhnet.Flow{Margins: c.margins, Start: c.start, Until: 1e6, PerDecade: 4, Tolerance: 1e-9}
		if c.balls {
			flow.Method, flow.Tolerance = ode.RadauIIA{}, 1e-11
		}
		tr, err := flow.Run(t.Context())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		rates, err := qhnet.RatesOf(c.margins.Model())
		if err != nil {
			t.Fatal(err)
		}
		lambda := rates.Without(c.discarded...).Expand()
		var u, stationarity, complementarity []float64
		var last *qhnet.Certificate
		for _, p := range tr.Since(1e4).Points {
			if last, err = qhnet.Certify(tr.Margins(), lambda, p.Theta, &qhnet.CertificateSettings{Discarded: c.discarded}); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			u = append(u, math.Log(p.LogInverse()))
			stationarity = append(stationarity, math.Log(last.Softmax.Stationarity))
			complementarity = append(complementarity, math.Log(last.Softmax.Complementarity))
		}
		_, slope := stat.LinearRegression(u, stationarity, nil, false)
		// What competes with the law at log(1/L) = 1e4 has not quite died out.
		if math.Abs(slope-c.law) > 0.05 {
			t.Errorf("%s: stationarity falls with slope %.3f, the law says %.3f", c.name, slope, c.law)
		}
		if c.law <= -1 && last.Softmax.Stationarity > 1e-5 {
			t.Errorf("%s: stationarity %.1e at log(1/L) = 1e6", c.name, last.Softmax.Stationarity)
		}
		if last.Softmax.Complementarity > 1e-5 {
			t.Errorf("%s: complementarity %.1e at log(1/L) = 1e6", c.name, last.Softmax.Complementarity)
		}
		if last.Softmax.Complementarity < 1e-12 {
			continue // one value of q on all points
		}
		if _, slope := stat.LinearRegression(u, complementarity, nil, false); math.Abs(slope+1) > 0.05 {
			t.Errorf("%s: complementarity falls with slope %.3f, the law says -1", c.name, slope)
		}
	}
}

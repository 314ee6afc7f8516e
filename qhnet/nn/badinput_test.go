package nn_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/nn"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
	build := func(layers ...nn.Layer) (any, error) {
		n, err := nn.New(layers...)
		if err != nil {
			return nil, err
		}
		x := mat.NewDense(2, n.Inputs(), nil)
		for i := range x.RawMatrix().Data {
			x.RawMatrix().Data[i] = float64(i%5) - 2.3
		}
		e, err := n.Bind(x)
		if err != nil {
			return nil, err
		}
		return e.Forward(n.Start(rng(), nn.He))
	}
	connect := func(layers ...nn.Layer) *nn.Network {
		n, err := nn.New(layers...)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	vector, image := nn.Input(6), nn.Input(2, 4, 4)

	b.Int("Input", func(n int) (any, error) { return build(nn.Input(n), nn.Dense(1)) }, 1)
	b.Int("Input of three sides", func(n int) (any, error) { return build(nn.Input(n, n, n), nn.Flatten(), nn.Dense(1)) }, 1)
	for name, of := range map[string]func(n int) []nn.Layer{
		"Dense":              func(n int) []nn.Layer { return []nn.Layer{vector, nn.Dense(n)} },
		"GroupNorm":          func(n int) []nn.Layer { return []nn.Layer{vector, nn.GroupNorm(n)} },
		"Conv channels":      func(n int) []nn.Layer { return []nn.Layer{image, nn.Conv(n, 2), nn.Flatten()} },
		"Conv side":          func(n int) []nn.Layer { return []nn.Layer{image, nn.Conv(1, n), nn.Flatten()} },
		"MaxPool side":       func(n int) []nn.Layer { return []nn.Layer{image, nn.MaxPool(n), nn.Flatten()} },
		"AveragePool side":   func(n int) []nn.Layer { return []nn.Layer{image, nn.AveragePool(n), nn.Flatten()} },
		"Conv Stride":        func(n int) []nn.Layer { return []nn.Layer{image, nn.Conv(1, 2, nn.Stride(n)), nn.Flatten()} },
		"MaxPool Stride":     func(n int) []nn.Layer { return []nn.Layer{image, nn.MaxPool(2, nn.Stride(n)), nn.Flatten()} },
		"AveragePool Stride": func(n int) []nn.Layer { return []nn.Layer{image, nn.AveragePool(2, nn.Stride(n)), nn.Flatten()} },
		"ResNet classes":     func(n int) []nn.Layer { return nn.ResNet(image, []int{2}, 1, n) },
		"ResNet channels":    func(n int) []nn.Layer { return nn.ResNet(image, []int{n}, 1, 2) },
	} {
		fine := []int{1}
		if strings.HasSuffix(name, "Stride") {
			fine = append(fine, badinput.Far, math.MaxInt) // one window
		}
		b.Int(name, func(n int) (any, error) { return build(of(n)...) }, fine...)
	}
	b.Int("Conv Padding", func(n int) (any, error) { return build(image, nn.Conv(1, 2, nn.Padding(n)), nn.Flatten()) }, 0, 1)
	b.Int("MaxPool Padding", func(n int) (any, error) { return build(image, nn.MaxPool(2, nn.Padding(n)), nn.Flatten()) }, 0, 1)
	b.Int("ResNet blocks", func(n int) (any, error) { return build(nn.ResNet(image, []int{2}, n, 2)...) }, 1)
	b.Refuse("ResNet without stages", func() (any, error) { return build(nn.ResNet(image, nil, 1, 2)...) })
	for name, of := range map[string]func(v float64) nn.Layer{
		"LeakyReLU": nn.LeakyReLU,
		"ReLUPower": nn.ReLUPower,
		"AbsPower":  nn.AbsPower,
		"Activation degree": func(v float64) nn.Layer {
			return nn.Activation("cube", v, func(h float64) float64 { return h * h * h }, func(h float64) float64 { return 3 * h * h }, func(h float64) float64 { return 6 * h })
		},
		"Activation value": func(v float64) nn.Layer {
			bad := func(h float64) float64 { return v * h }
			return nn.Activation("line", 2, bad, bad, bad)
		},
		"Epsilon": func(v float64) nn.Layer { return nn.LayerNorm(nn.Epsilon(v)) },
	} {
		fine := map[string][]float64{"LeakyReLU": {-1, 0, 1e-320, 1e300}, "Epsilon": {0, 1e-320, 1e300}, "Activation degree": {0}, "Activation value": {0}}[name]
		b.Float(name, func(v float64) (any, error) { return build(vector, of(v)) }, fine...)
	}
	for name, layer := range map[string]func() nn.Layer{
		"a zero Layer":            func() nn.Layer { return nn.Layer{} },
		"a second Input":          func() nn.Layer { return vector },
		"a Sum of nothing":        func() nn.Layer { return nn.Sum() },
		"a Concat of nothing":     func() nn.Layer { return nn.Concat() },
		"a Sum of zero Layers":    func() nn.Layer { return nn.Sum(nn.Layer{}, nn.Layer{}) },
		"a Gate of zero Layers":   func() nn.Layer { return nn.Gate(nn.Layer{}, nn.Layer{}) },
		"a zero body":             func() nn.Layer { return nn.Residual(nn.Layer{}) },
		"Attention on a vector":   func() nn.Layer { return nn.Attention(nn.Linear(), nn.Linear(), nn.Linear()) },
		"Attention of zeros":      func() nn.Layer { return nn.Attention(nn.Layer{}, nn.Layer{}, nn.Layer{}) },
		"a lone Projection":       func() nn.Layer { return nn.Projection() },
		"Conv on a vector":        func() nn.Layer { return nn.Conv(1, 1) },
		"branches of two widths":  func() nn.Layer { return nn.Sum(nn.Dense(2), nn.Dense(3)) },
		"a body of another width": func() nn.Layer { return nn.Residual(nn.Dense(5)) },
		"a zero Option":           func() nn.Layer { return nn.Dense(1, nn.Option{}) },
		"an option of others":     func() nn.Layer { return nn.Dense(1, nn.Stride(2)) },
		"an unnamed Named":        func() nn.Layer { return nn.Named("", nn.Dense(1)) },
		"a taken name":            func() nn.Layer { return nn.Named("input", nn.Dense(1)) },
		"an Activation of nils":   func() nn.Layer { return nn.Activation("none", 1, nil, nil, nil) },
		"a panicking Activation": func() nn.Layer {
			return nn.Activation("", 1, math.Abs, math.Cos, math.Sin)
		},
	} {
		b.Refuse("New with "+name, func() (any, error) { return build(vector, layer()) })
	}
	b.Refuse("New of nothing", func() (any, error) { return nn.New() })
	b.Refuse("New of a zero Layer", func() (any, error) { return nn.New(nn.Layer{}) })
	b.Refuse("New without Input", func() (any, error) { return nn.New(nn.Dense(1)) })
	b.Refuse("New that ends in an image", func() (any, error) { return nn.New(image) })

	models := map[string]interface {
		qhnet.Model
		Inputs() int
	}{"Network": connect(nn.Input(2), nn.Dense(2), nn.ReLU(), nn.Dense(2)), "Product": nn.Diagonal(1, 2).WithBias()}
	for name, m := range models {
		points := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
		theta := make([]float64, qhnet.NumParameters(m))
		for i := range theta {
			theta[i] = 1 / float64(i+1)
		}
		width := 3 * m.Outputs()
		bind := func() qhnet.Evaluation {
			e, err := m.Bind(points)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		moved := func() qhnet.Evaluation {
			e := bind()
			if _, err := e.Forward(theta); err != nil {
				t.Fatal(err)
			}
			return e
		}
		b.Matrix(name+".Bind", points, func(x *mat.Dense) (any, error) {
			if x != nil && x.RawMatrix().Rows == 4 {
				x = mat.NewDense(1, 5, nil) // any number of points will do
			}
			return m.Bind(x)
		})
		b.Vector(name+".Forward", theta, func(v []float64) (any, error) { return bind().Forward(v) })
		b.Float(name+".Forward of", func(v float64) (any, error) {
			all := make([]float64, len(theta))
			for i := range all {
				all[i] = v
			}
			return bind().Forward(all)
		}, -1, 0, 1e-320)
		weights := make([]float64, width)
		b.Length(name+".Gradient dst", theta, func(v []float64) (any, error) { moved().Gradient(v, weights); return v, nil })
		b.Length(name+".Gradient weights", weights, func(v []float64) (any, error) {
			moved().Gradient(make([]float64, len(theta)), v)
			return v, nil
		})
		b.Length(name+".Directional dst", weights, func(v []float64) (any, error) { moved().Directional(v, theta); return v, nil })
		b.Length(name+".Directional v", theta, func(v []float64) (any, error) { moved().Directional(make([]float64, width), v); return v, nil })
		b.Length(name+".HessianVector dst", theta, func(v []float64) (any, error) { moved().HessianVector(v, weights, theta); return v, nil })
		b.Length(name+".HessianVector weights", weights, func(v []float64) (any, error) {
			moved().HessianVector(make([]float64, len(theta)), v, theta)
			return v, nil
		})
		b.Length(name+".HessianVector v", theta, func(v []float64) (any, error) {
			moved().HessianVector(make([]float64, len(theta)), weights, v)
			return v, nil
		})
		b.Shape(name+" Jacobian", mat.NewDense(width, len(theta), nil), func(m *mat.Dense) (any, error) { qhnet.Jacobian(m, moved()); return m, nil })
		b.Refuse(name+".Gradient before Forward", func() (any, error) { bind().Gradient(make([]float64, len(theta)), weights); return nil, nil })
		b.Refuse(name+".Directional before Forward", func() (any, error) { bind().Directional(weights, theta); return nil, nil })
		b.Refuse(name+".HessianVector before Forward", func() (any, error) {
			bind().HessianVector(make([]float64, len(theta)), weights, theta)
			return nil, nil
		})
		path := filepath.Join(t.TempDir(), "parameters")
		b.Vector("SaveParameters of a "+name, theta, func(v []float64) (any, error) { return nil, nn.SaveParameters(path, m, v) })
		for what, text := range map[string]string{"empty": "", "foreign": "PK\x03\x04 zip of something else", "text": "0.5 0.25\n"} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			b.Refuse("LoadParameters of a file that is "+what, func() (any, error) { return nn.LoadParameters(path, m) })
		}
		if err := nn.SaveParameters(path, nn.Diagonal(3), []float64{1, 1, 1}); err != nil {
			t.Fatal(err)
		}
		b.Refuse("LoadParameters of another model", func() (any, error) { return nn.LoadParameters(path, m) })
		b.Refuse("SaveParameters into no folder", func() (any, error) { return nil, nn.SaveParameters(filepath.Join(path, "below"), m, theta) })
	}

	n := connect(nn.Input(2), nn.Dense(2), nn.BatchNorm(), nn.Dense(2))
	theta, x := n.Start(rng(), nn.He), mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 7})
	moved := func() *nn.Evaluation {
		e, err := n.Bind(x)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Forward(theta); err != nil {
			t.Fatal(err)
		}
		return e.(*nn.Evaluation)
	}
	b.Vector("Freeze theta", theta, func(v []float64) (any, error) { return n.Freeze(v, x) })
	b.Matrix("Freeze x", x, func(x *mat.Dense) (any, error) {
		if x != nil && x.RawMatrix().Rows == 4 {
			x = mat.NewDense(3, 2, nil) // points without variance
		}
		return n.Freeze(theta, x)
	})
	b.Matrix("SetInputs", x, func(x *mat.Dense) (any, error) { moved().SetInputs(x); return nil, nil })
	b.Shape("InputGradient dst", x, func(x *mat.Dense) (any, error) { moved().InputGradient(x, make([]float64, 6)); return nil, nil })
	b.Length("InputGradient weights", make([]float64, 6), func(w []float64) (any, error) { moved().InputGradient(mat.DenseCopyOf(x), w); return nil, nil })
	b.Length("GradientTangent tangent weights", make([]float64, 6), func(w []float64) (any, error) {
		moved().GradientTangent(make([]float64, len(theta)), make([]float64, 6), w, theta)
		return nil, nil
	})
	b.Refuse("Layer of no name", func() (any, error) { return moved().Layer("dense9"), nil })
	b.Float("RoundKinks", func(v float64) (any, error) {
		e, err := connect(nn.Input(2), nn.Dense(2), nn.ReLU(), nn.Dense(1)).Bind(x)
		if err != nil {
			return nil, err
		}
		same, _ := e.(*nn.Evaluation).RoundKinks(v)
		return same.Forward(make([]float64, 9))
	}, 0, 1e-320)
	b.Refuse("Start without rng", func() (any, error) { return n.Start(nil, nn.He), nil })
	b.Refuse("Start without an initializer", func() (any, error) { return n.Start(rng(), nil), nil })
	b.Refuse("Rescaled nil", func() (any, error) { return n.Start(rng(), nn.Rescaled(1, nil)), nil })
	b.Float("Rescaled", func(v float64) (any, error) { return n.Start(rng(), nn.Rescaled(v, nn.He)), nil }, 0, 1e-320, 1e300)
	b.Int("He", func(n int) (any, error) { return nn.He(n, 1), nil }, 1, badinput.Far, math.MaxInt)
	b.Int("Glorot", func(n int) (any, error) { return nn.Glorot(n, 0), nil }, 1, badinput.Far, math.MaxInt)
	for name, call := range map[string]func(n *nn.Network) (any, error){
		"Blocks":       func(n *nn.Network) (any, error) { return n.Blocks(), nil },
		"Outputs":      func(n *nn.Network) (any, error) { return n.Outputs(), nil },
		"Inputs":       func(n *nn.Network) (any, error) { return n.Inputs(), nil },
		"ScalingRules": func(n *nn.Network) (any, error) { return n.ScalingRules(), nil },
		"Bind":         func(n *nn.Network) (any, error) { return n.Bind(x) },
		"Start":        func(n *nn.Network) (any, error) { return n.Start(rng(), nn.He), nil },
		"String":       func(n *nn.Network) (any, error) { return n.String(), nil },
		"Freeze":       func(n *nn.Network) (any, error) { return n.Freeze(nil, x) },
		"Units":        func(n *nn.Network) (any, error) { return n.Units(), nil },
		"Parts":        func(n *nn.Network) (any, error) { return n.Parts(), nil },
		"MixesPoints":  func(n *nn.Network) (any, error) { return n.MixesPoints(), nil },
	} {
		b.Refuse(name+" of a nil Network", func() (any, error) { return call(nil) })
		b.Refuse(name+" of a zero Network", func() (any, error) { return call(&nn.Network{}) })
	}

	b.Int("Diagonal", func(n int) (any, error) { return nn.Diagonal(n), nil }, 1)
	b.Int("Groups depth", func(n int) (any, error) { return nn.Groups(nn.Group{Coordinates: []int{0, 1}, Depth: n}), nil }, 1)
	b.Int("Groups coordinate", func(n int) (any, error) { return nn.Groups(nn.Group{Coordinates: []int{n}, Depth: 1}), nil }, 0)
	b.Int("CountCoordinates", func(n int) (any, error) { return nn.CountCoordinates([]nn.Group{{Coordinates: []int{0, n}}}), nil }, 1)
	b.Refuse("Diagonal of nothing", func() (any, error) { return nn.Diagonal(), nil })
	b.Refuse("Groups of nothing", func() (any, error) { return nn.Groups(), nil })
	b.Refuse("Groups of a zero Group", func() (any, error) { return nn.Groups(nn.Group{}), nil })
	b.Refuse("Groups of one name", func() (any, error) {
		return nn.Groups(nn.Group{"g", []int{0}, 1, false}, nn.Group{"g", []int{1}, 1, false}), nil
	})
	b.Refuse("two biases", func() (any, error) { return nn.Diagonal(1).WithBias().WithBias(), nil })
	p := nn.Diagonal(1, 2)
	b.Vector("Product.Start", []float64{1, 2}, func(v []float64) (any, error) { return p.Start(v, 1), nil })
	b.Float("Product.Start size", func(v float64) (any, error) { return p.Start([]float64{1, 2}, v), nil }, -1, 0, 1e-320, 1e300)
	b.Length("Product.Coefficients dst", []float64{1, 2}, func(v []float64) (any, error) { return p.Coefficients(v, []float64{1, 1, 1}), nil })
	b.Vector("Product.Coefficients", []float64{1, 2, 3}, func(v []float64) (any, error) { return p.Coefficients(nil, v), nil })
}

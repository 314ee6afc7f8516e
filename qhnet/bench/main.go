// Command bench compares flows of small networks, by the method that they choose
// themselves, with what else one would take for them: diffrax (Tsit5, and Kvaerno5
// with full Newton iterations) and SciPy (LSODA, BDF, Radau).
//
//	go run ./qhnet/bench
//
// It needs python3 with venv, and installs the pinned packages of
// peers/requirements.txt into a throwaway environment. It prints the table of the
// README beside it. Times are of the processor, on one core, the best of some
// rounds, without compilation.
package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
)

//go:embed peers
var sources embed.FS

// problem is what the peers read.
type problem struct {
	Points     [][]float64
	Signs      []float64
	Cases      []*network
	Ends       []float64
	Tolerances []float64

	set dataset.Set
}

// network is 2-8-8-1 with biases, 105 parameters.
type network struct {
	Activation string
	Start      []float64 // separated
	LogInverse float64   // log(1/L) there

	margins    *qhnet.Margins
	references map[float64][]float64 // θ by the end
}

// result is one measured run; Theta is nil if it failed or took too long.
type result struct {
	Activation       string
	End, Tolerance   float64
	Name             string
	Steps            int
	Seconds, Compile float64
	Theta            []float64
	Versions         map[string]string
	err              float64 // relative, of θ
}

func main() {
	rounds := flag.Int("rounds", 3, "rounds of measurements")
	python := flag.String("python", "", "interpreter with the packages of peers/requirements.txt (default: an environment made for it)")
	file := flag.String("peers", "", "file with the output of the peers from an earlier run")
	flag.Parse()
	if err := run(*rounds, *python, *file); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, python, file string) error {
	dir, err := os.MkdirTemp("", "flow-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := newProblem()
	if err != nil {
		return err
	}
	if file == "" {
		if file, err = p.peers(dir, python, rounds); err != nil {
			return err
		}
	}
	peers, err := read(file)
	if err != nil {
		return err
	}
	var ours []result
	for _, n := range p.Cases {
		for _, end := range p.Ends {
			for _, tolerance := range []float64{1e-6, 1e-8} {
				r, err := n.flow(end, tolerance, 2*rounds)
				if err != nil {
					return err
				}
				ours = append(ours, r)
			}
		}
	}
	return p.table(ours, peers)
}

// newProblem draws 30 points on two rings and takes the networks to where the points
// are separated.
func newProblem() (*problem, error) {
	const points = 30
	rng := rand.New(rand.NewPCG(1, 2))
	x, labels := mat.NewDense(points, 2, nil), make([]int, points)
	p := &problem{Ends: []float64{1e2, 1e3, 1e4, 1e5}, Tolerances: []float64{1e-5, 1e-6, 1e-7, 1e-8}}
	for k := range points {
		labels[k] = k % 2
		radius, angle := 0.5+float64(labels[k]), 2*math.Pi*rng.Float64()
		x.SetRow(k, []float64{radius*math.Cos(angle) + 0.1*rng.NormFloat64(), radius*math.Sin(angle) + 0.1*rng.NormFloat64()})
		p.Points = append(p.Points, x.RawRowView(k))
		p.Signs = append(p.Signs, float64(2*labels[k]-1))
	}
	p.set = dataset.Set{Name: "rings", X: x, Labels: labels, Classes: 2}
	for name, layer := range map[string]nn.Layer{"tanh": nn.Tanh(), "softplus": nn.Softplus(), "relu": nn.ReLU()} {
		n, err := p.network(name, layer)
		if err != nil {
			return nil, err
		}
		p.Cases = append(p.Cases, n)
	}
	slices.SortFunc(p.Cases, func(a, b *network) int { return -strings.Compare(a.Activation, b.Activation) })
	return p, nil
}

func (p *problem) network(name string, layer nn.Layer) (*network, error) {
	const separated = 4 // log(1/L), above log 30
	model, err := nn.New(nn.Input(2), nn.Dense(8), layer, nn.Dense(8), layer, nn.Dense(1))
	if err != nil {
		return nil, err
	}
	margins, err := qhnet.NewMargins(model, p.set)
	if err != nil {
		return nil, err
	}
	start := model.Start(rand.New(rand.NewPCG(3, 4)), nn.He)
	path, err := qhnet.Flow{Margins: margins, Start: start, Until: separated}.Run(context.Background())
	if err != nil {
		return nil, err
	}
	last := path.Last()
	return &network{name, last.Theta, last.LogInverse(), margins, map[float64][]float64{}}, nil
}

// flow runs a flow with the default method, some times.
func (n *network) flow(end, tolerance float64, rounds int) (r result, err error) {
	f := qhnet.Flow{Margins: n.margins, Start: n.Start, Until: end, Tolerance: tolerance}
	r = result{Activation: n.Activation, End: end, Tolerance: tolerance, Name: "ours", Seconds: math.Inf(1)}
	for range rounds {
		began := processorTime()
		path, err := f.Run(context.Background())
		r.Seconds = min(r.Seconds, processorTime()-began)
		if err != nil {
			return r, err
		}
		r.Theta, r.Steps = path.Last().Theta, path.Work.Steps
	}
	return r, nil
}

// reference is θ at the end, by RadauIIA with a tight tolerance.
func (n *network) reference(end float64) ([]float64, error) {
	if n.references[end] == nil {
		path, err := qhnet.Flow{Margins: n.margins, Start: n.Start, Until: end, Tolerance: 1e-11, Method: ode.RadauIIA{Iterations: 20}}.Run(context.Background())
		if err != nil {
			return nil, err
		}
		n.references[end] = path.Last().Theta
	}
	return n.references[end], nil
}

// processorTime returns the seconds that this program has kept processors busy.
func processorTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// peers runs the peers and returns the file with what they print.
func (p *problem) peers(dir, python string, rounds int) (string, error) {
	if err := os.CopyFS(dir, sources); err != nil {
		return "", err
	}
	if python == "" {
		python = filepath.Join(dir, "venv", "bin", "python")
		for _, c := range [][]string{
			{"python3", "-m", "venv", filepath.Join(dir, "venv")},
			{python, "-m", "pip", "install", "--quiet", "-r", filepath.Join(dir, "peers", "requirements.txt")},
		} {
			if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
				return "", fmt.Errorf("%s: %w\n%s", strings.Join(c, " "), err, out)
			}
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	input, output := filepath.Join(dir, "problem.json"), filepath.Join(dir, "peers.jsonl")
	if err := os.WriteFile(input, text, 0o644); err != nil {
		return "", err
	}
	out, err := os.Create(output)
	if err != nil {
		return "", err
	}
	defer out.Close()
	c := exec.Command(python, filepath.Join(dir, "peers", "flows.py"), input, strconv.Itoa(rounds))
	c.Stdout, c.Stderr = out, os.Stderr
	return output, c.Run()
}

func read(file string) (results []result, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, lines.Err()
}

// table compares each of our runs with the fastest peer that is at least as
// accurate.
func (p *problem) table(ours, peers []result) error {
	for _, n := range p.Cases {
		for _, results := range [][]result{ours, peers} {
			for i := range results {
				r := &results[i]
				if r.Activation != n.Activation || r.Theta == nil {
					continue
				}
				exact, err := n.reference(r.End)
				if err != nil {
					return err
				}
				r.err = floats.Distance(r.Theta, exact, 2) / floats.Norm(exact, 2)
			}
		}
	}
	fmt.Printf("Versions: %v\n\n", peers[0].Versions)
	fmt.Println("| network | u | tolerance | steps | error | time | fastest peer as accurate | its error | its time | ratio |\n| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |")
	var ratios []float64
	for _, r := range ours {
		row := fmt.Sprintf("| %s | %.0e | %.0e | %d | %.0e | %s |", r.Activation, r.End, r.Tolerance, r.Steps, r.err, milliseconds(r.Seconds))
		best, found := result{Seconds: math.Inf(1)}, false
		for _, q := range peers {
			if q.Activation == r.Activation && q.End == r.End && q.Theta != nil && q.err <= r.err && q.Seconds < best.Seconds {
				best, found = q, true
			}
		}
		if !found {
			fmt.Println(row, "none | | | |")
			continue
		}
		ratio := r.Seconds / best.Seconds
		ratios = append(ratios, ratio)
		fmt.Printf("%s %s, %.0e | %.0e | %s | %.2f |\n", row, best.Name, best.Tolerance, best.err, milliseconds(best.Seconds), ratio)
	}
	slices.Sort(ratios)
	fmt.Printf("\nOf %d runs, %d have a peer as accurate; the median of the ratios is %.2f, the largest %.2f.\n",
		len(ours), len(ratios), ratios[len(ratios)/2], ratios[len(ratios)-1])
	return nil
}

func milliseconds(s float64) string { return fmt.Sprintf("%.0f ms", 1e3*s) }

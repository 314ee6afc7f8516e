package dataset

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// mnistFile is one half of a part of MNIST, with the SHA-256 of its
// decompressed contents, so that a compressed and a plain file are checked alike.
type mnistFile struct{ name, sum string }

var mnistFiles = map[Part]struct{ images, labels mnistFile }{
	Train: {
		mnistFile{"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
		mnistFile{"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
	},
	Test: {
		mnistFile{"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
		mnistFile{"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
	},
}

// MNIST reads the first limit points of a part of MNIST (all if limit ≤ 0), with
// pixels from 0 to 1 and shape 1×28×28. It is an error if a file is missing,
// damaged, or not the published one; the message says where the files go.
func (f Folder) MNIST(part Part, limit int) (Set, error) {
	files, ok := mnistFiles[part]
	if !ok {
		return Set{}, fmt.Errorf("dataset: MNIST has no part %q; use %q or %q", part, Train, Test)
	}
	images, err := f.readMNIST(files.images)
	if err != nil {
		return Set{}, err
	}
	labels, err := f.readMNIST(files.labels)
	if err != nil {
		return Set{}, err
	}
	set, err := FromIDX(images, labels, 10, limit)
	if err != nil {
		return Set{}, fmt.Errorf("%w (MNIST %s)", err, part)
	}
	set.Name = "MNIST " + string(part)
	return set, nil
}

func (f Folder) readMNIST(file mnistFile) (IDX, error) {
	r, err := f.open(MNIST(), file.name)
	if err != nil {
		return IDX{}, err
	}
	defer r.Close()
	sum := newChecksum(r)
	array, err := ReadIDX(sum)
	if err != nil {
		return IDX{}, fmt.Errorf("%w (%s in %s)", err, file.name, f)
	}
	if err := sum.verify(file.sum); err != nil {
		return IDX{}, fmt.Errorf("dataset: MNIST: %s in %s: %w", file.name, f, err)
	}
	return array, nil
}

// FromIDX pairs images (n×height×width) with labels (n): the first limit points
// (all if limit ≤ 0), pixels divided by 255. It is an error if the numbers of
// images and labels differ, a shape is another one, or a label is not below
// classes.
func FromIDX(images, labels IDX, classes, limit int) (Set, error) {
	if len(images.Shape) != 3 || len(labels.Shape) != 1 {
		return Set{}, fmt.Errorf("dataset: images of shape %v and labels of shape %v; want 3 dimensions and 1", images.Shape, labels.Shape)
	}
	n, height, width := images.Shape[0], images.Shape[1], images.Shape[2]
	if n != labels.Shape[0] {
		return Set{}, fmt.Errorf("dataset: %d images but %d labels", n, labels.Shape[0])
	}
	if limit > 0 {
		n = min(n, limit)
	}
	if n*height*width == 0 {
		return Set{}, fmt.Errorf("dataset: images of shape %v are empty", images.Shape)
	}
	set := Set{X: pixels(images.Data, n, height*width), Labels: make([]int, n), Classes: classes, Shape: []int{1, height, width}}
	for k, label := range labels.Data[:n] {
		set.Labels[k] = int(label)
	}
	if most := slices.Max(set.Labels); most >= classes {
		return Set{}, fmt.Errorf("dataset: label %d, but there are only %d classes", most, classes)
	}
	return set, nil
}

// pixels scales the first n·d bytes to 0..1.
func pixels(data []byte, n, d int) *mat.Dense {
	values := make([]float64, n*d)
	for i := range values {
		values[i] = float64(data[i]) / 255
	}
	return mat.NewDense(n, d, values)
}

package dataset

// Collection is a published data set: what its files are called, where to get
// them and how to recognize them.
type Collection struct {
	Title   string
	Folder  string   // below the data folder, and the name for the command
	Mirrors []string // addresses to which a file's name is appended, in order of preference
	Files   []File
}

// File is one file of a collection as it is published.
type File struct {
	Name   string
	Size   int64
	SHA256 string
}

// Collections lists what can be downloaded.
func Collections() []Collection { return []Collection{MNIST(), CIFAR10()} }

// MNIST describes the handwritten digits of LeCun, Cortes and Burges: 60,000
// training and 10,000 test images of 28×28 pixels in 10 classes. The sums are
// those that TensorFlow Datasets publishes; the original server no longer hands
// the files out.
func MNIST() Collection {
	return Collection{
		Title:  "MNIST",
		Folder: "mnist",
		Mirrors: []string{
			"https://storage.googleapis.com/cvdf-datasets/mnist/",
			"https://ossci-datasets.s3.amazonaws.com/mnist/",
		},
		Files: []File{
			{"train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
			{"train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
			{"t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
			{"t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
		},
	}
}

// CIFAR10 describes the colour images of Krizhevsky, Learning Multiple Layers
// of Features from Tiny Images, 2009: 50,000 training and 10,000 test images of
// 3×32×32 pixels in 10 classes, in the binary version. The sum is that of the
// file whose MD5 the author publishes, c32a1d4ab5d03f1284b67883e8d87530.
func CIFAR10() Collection {
	return Collection{
		Title:   "CIFAR-10",
		Folder:  "cifar10",
		Mirrors: []string{"https://www.cs.toronto.edu/~kriz/"},
		Files: []File{
			{"cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
		},
	}
}

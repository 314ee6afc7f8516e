package qhnet

import "fmt"

// parameterFile is what a file of parameters holds: the layers say which network
// they belong to.
type parameterFile struct {
	Layers     []string
	Parameters []float64
}

// SaveParameters writes θ to a file with a description of the network and a
// checksum, atomically.
func (n *Network) SaveParameters(path string, theta []float64) error {
	if len(theta) != n.plan.parameters() {
		panic(fmt.Sprintf("qhnet: SaveParameters: θ has length %d, not %d", len(theta), n.plan.parameters()))
	}
	return writeFile(path, parameterFile{n.layerTexts(), theta})
}

// LoadParameters reads θ from a file that [Network.SaveParameters] wrote. It is
// an error if the file is damaged, holds a NaN or an infinity, or belongs to
// another network; the first layer that differs is named, with what it gives.
func (n *Network) LoadParameters(path string) (theta []float64, err error) {
	var file parameterFile
	if err := readFile(path, &file); err != nil {
		return nil, err
	}
	if err := compareLayers(file.Layers, n.layerTexts()); err != nil {
		return nil, fmt.Errorf("qhnet: %s: the parameters belong to another network: %w", path, err)
	}
	if len(file.Parameters) != n.plan.parameters() {
		return nil, fmt.Errorf("qhnet: %s holds %d parameters, the network has %d", path, len(file.Parameters), n.plan.parameters())
	}
	if err := n.checkFinite(file.Parameters); err != nil {
		return nil, fmt.Errorf("%w, in %s", err, path)
	}
	return file.Parameters, nil
}

// layerTexts describes each layer by all that its parameters depend on.
func (n *Network) layerTexts() []string {
	texts := make([]string, len(n.plan.records))
	for i, r := range n.plan.records {
		texts[i] = fmt.Sprintf("%s (%s, gives %s, %d parameters)", r.name, r.text, shapeText(r.shape), r.parameters)
	}
	return texts
}

// compareLayers names the first difference.
func compareLayers(file, network []string) error {
	const end = "no further layer"
	for i := range max(len(file), len(network)) {
		has, wants := end, end
		if i < len(file) {
			has = file[i]
		}
		if i < len(network) {
			wants = network[i]
		}
		if has != wants {
			return fmt.Errorf("the file has %s where the network has %s", has, wants)
		}
	}
	return nil
}

package qhnet

import "fmt"

// parameterFile is what a file of parameters holds: the parts say which model
// they belong to.
type parameterFile struct {
	Layers     []string // of a network, or the blocks of another model
	Parameters []float64
}

// SaveParameters writes parameters of a model to a file, atomically, with a
// checksum and a description of the model: the layers of a [Network], the blocks
// of any other. It is an error if a parameter is a NaN or an infinity, which
// [LoadParameters] would refuse.
func SaveParameters(path string, m Model, theta []float64) error {
	checkLength("theta", len(theta), NumParameters(m))
	if err := checkFinite(m, theta); err != nil {
		return fmt.Errorf("qhnet: %s is not written: %w", path, err)
	}
	return writeFile(path, parameterFile{partTexts(m), theta})
}

// LoadParameters reads parameters of a model from a file that [SaveParameters]
// wrote. It is an error if the file is damaged, holds a NaN or an infinity, or
// belongs to another model; the first layer or block that differs is named, with
// what the file has in its place.
func LoadParameters(path string, m Model) (theta []float64, err error) {
	var file parameterFile
	if err := readFile(path, &file); err != nil {
		return nil, err
	}
	if err := compareParts(file.Layers, partTexts(m)); err != nil {
		return nil, fmt.Errorf("qhnet: %s: the parameters belong to another model: %w", path, err)
	}
	if want := NumParameters(m); len(file.Parameters) != want {
		return nil, fmt.Errorf("qhnet: %s holds %d parameters, the model has %d", path, len(file.Parameters), want)
	}
	if err := checkFinite(m, file.Parameters); err != nil {
		return nil, fmt.Errorf("qhnet: %s: %w", path, err)
	}
	return file.Parameters, nil
}

// partTexts describes each part of a model by all that its parameters depend on.
func partTexts(m Model) []string {
	var texts []string
	if n, ok := m.(*Network); ok {
		for _, r := range n.plan.records {
			texts = append(texts, fmt.Sprintf("%s (%s, gives %s, %d parameters)", r.name, r.text, shapeText(r.shape), r.parameters))
		}
		return texts
	}
	for _, b := range m.Blocks() {
		texts = append(texts, fmt.Sprintf("%s (%s, shape %s)", b.Name, b.Kind, shapeText(b.Shape)))
	}
	return texts
}

// compareParts names the first difference.
func compareParts(file, model []string) error {
	const end = "no further part"
	for i := range max(len(file), len(model)) {
		has, wants := end, end
		if i < len(file) {
			has = file[i]
		}
		if i < len(model) {
			wants = model[i]
		}
		if has != wants {
			return fmt.Errorf("the file has %s where the model has %s", has, wants)
		}
	}
	return nil
}

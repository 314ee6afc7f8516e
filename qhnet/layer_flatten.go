package qhnet

// Flatten takes an image as a vector, channel by channel and row by row.
func Flatten() Layer { return flatten{} }

type flatten struct{}

func (flatten) kind() string { return "flatten" }

func (flatten) text() string { return "flatten" }

func (flatten) attach(p *plan, in wire) (wire, error) {
	return p.alias(in, []int{size(in.shape)}), nil
}

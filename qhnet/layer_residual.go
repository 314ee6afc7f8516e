package qhnet

// Residual adds the end of a body of layers to its start,
//
//	z = h + f(h),
//
// or to a projection of the start, if one of the layers is a [Projection].
func Residual(body ...Layer) Layer { return residual(body) }

// Projection is the skip of a [Residual] whose body changes the shape. Without
// layers it is a single matrix without bias: a [Dense] layer for vectors, a 1×1
// [Conv] for images, with a stride if the body makes the image smaller.
func Projection(layers ...Layer) Layer { return projection(layers) }

type residual []Layer

func (residual) kind() string { return "block" }

func (residual) text() string { return "residual block" }

func (l residual) attach(p *plan, in wire) (wire, error) {
	var body []Layer
	var skip *projection
	for _, part := range l {
		s, ok := part.(projection)
		switch {
		case !ok:
			body = append(body, part)
		case skip != nil:
			return wire{}, p.fail("has two projections")
		default:
			skip = &s
		}
	}
	ends := p.fork(in, 2)
	end, err := p.chain(body, p.layer+".", ends[0])
	if err != nil {
		return wire{}, err
	}
	start := ends[1]
	if skip != nil {
		if start, err = p.project(*skip, start, end.shape); err != nil {
			return wire{}, err
		}
	}
	return p.sum(start, end, "the skip", "the body")
}

// project attaches the projection of a residual block.
func (p *plan) project(layers projection, in wire, shape []int) (wire, error) {
	if len(layers) == 0 {
		l, err := p.defaultProjection(in.shape, shape)
		if err != nil {
			return wire{}, err
		}
		layers = projection{l}
	}
	outer := p.scope
	p.scope = p.layer + "."
	defer func() { p.scope = outer }()
	return p.add(Named("projection", Chain(layers...)), in)
}

// defaultProjection is the matrix that takes one shape to another.
func (p *plan) defaultProjection(from, to []int) (Layer, error) {
	if len(from) == 1 && len(to) == 1 {
		return Dense(to[0], NoBias()), nil
	}
	if len(from) == 3 && len(to) == 3 {
		for stride := 1; stride <= max(from[1], from[2]); stride++ {
			if (from[1]-1)/stride+1 == to[1] && (from[2]-1)/stride+1 == to[2] {
				return Conv(to[0], 1, Stride(stride), NoBias()), nil
			}
		}
	}
	return nil, p.fail("has no default projection from %s to %s; give Projection its layers", shapeText(from), shapeText(to))
}

type projection []Layer

func (projection) kind() string { return "projection" }

func (projection) text() string { return "projection" }

func (projection) attach(p *plan, _ wire) (wire, error) {
	return wire{}, p.fail("stands outside a Residual; a projection is the skip of one")
}

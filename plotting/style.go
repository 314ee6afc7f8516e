package plotting

// A Style is how a line is drawn. The zero Style is the role's own.
type Style int

// The line styles.
const (
	RoleStyle Style = iota
	Solid
	Dashed
	DashDotted
	Dotted
)

// dash returns the pattern of a style, in line widths.
func (s Style) dash(r Role) []float64 {
	switch s {
	case RoleStyle:
		return r.dash()
	case Dashed:
		return []float64{4, 2}
	case DashDotted:
		return dashes[3]
	case Dotted:
		return dotted
	}
	return nil
}

// dotted is the theory's pattern, and that of no role else.
var dotted = []float64{1, 1.8}

// dashes are the patterns of rates and classes, in line widths, nil for a whole
// line.
var dashes = [...][]float64{
	nil,
	{6, 1.6},
	{3, 1.5},
	{6, 1.6, 1.4, 1.6},
	{6, 1.6, 1.4, 1.6, 1.4, 1.6},
	{9, 1.6, 3, 1.6},
	{3, 1.4, 1.2, 1.4},
}

func (r Role) dash() []float64 {
	switch {
	case r == Reference:
		return dotted
	case r == Neutral:
		return nil
	}
	return dashes[r.index()%len(dashes)]
}

// index counts rates from the highest, and classes.
func (r Role) index() int {
	if r >= firstClass {
		return int(r - firstClass)
	}
	return int(r - Highest)
}

// A Marker is the shape of a point. The zero Marker is the role's own.
type Marker int

// The markers.
const (
	RoleMarker Marker = iota
	Disc
	Square
	Triangle
	Diamond
	Cross
	Plus
	TriangleDown
)

func (m Marker) of(r Role) Marker {
	switch {
	case m != RoleMarker:
		return m
	case r == Neutral || r == Reference:
		return Disc
	}
	return Disc + Marker(r.index()%int(TriangleDown))
}

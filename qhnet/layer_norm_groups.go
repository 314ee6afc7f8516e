package qhnet

// partition says which entries of an n×width matrix are normalized together. Each
// row consists of perPoint segments of equal length, and each segment belongs to
// a group of its own, or, in a batch, to one group with the same segment of all
// other rows.
type partition struct {
	points, width    int
	perPoint, length int
	batch            bool
}

// count returns the number of groups.
func (g partition) count() int {
	if g.batch {
		return g.perPoint
	}
	return g.points * g.perPoint
}

// entries returns the number of entries of each group.
func (g partition) entries() int {
	if g.batch {
		return g.points * g.length
	}
	return g.length
}

// first returns the group of the first segment of row k.
func (g partition) first(k int) int {
	if g.batch {
		return 0
	}
	return k * g.perPoint
}

// within returns the range of groups that the span's points touch.
func (g partition) within(points span) (lo, hi int) {
	if g.batch {
		return 0, g.perPoint
	}
	return points.lo * g.perPoint, points.hi * g.perPoint
}

// means sets dst to the mean of src in each group.
func (g partition) means(dst, src []float64, points span) {
	lo, hi := g.within(points)
	clear(dst[lo:hi])
	for k := points.lo; k < points.hi; k++ {
		x := row(src, k, g.width)
		for s := range g.perPoint {
			sum := 0.0
			for _, v := range x[s*g.length : (s+1)*g.length] {
				sum += v
			}
			dst[g.first(k)+s] += sum
		}
	}
	multiply(dst[lo:hi], 1/float64(g.entries()))
}

// meanProducts sets dst to the mean of a⊙b in each group.
func (g partition) meanProducts(dst, a, b []float64, points span) {
	lo, hi := g.within(points)
	clear(dst[lo:hi])
	for k := points.lo; k < points.hi; k++ {
		x, y := row(a, k, g.width), row(b, k, g.width)
		for s := range g.perPoint {
			sum := 0.0
			for i := s * g.length; i < (s+1)*g.length; i++ {
				sum += x[i] * y[i]
			}
			dst[g.first(k)+s] += sum
		}
	}
	multiply(dst[lo:hi], 1/float64(g.entries()))
}

// subtract sets dst to src minus one number a group.
func (g partition) subtract(dst, src, numbers []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		d, x := row(dst, k, g.width), row(src, k, g.width)
		for s := range g.perPoint {
			c := numbers[g.first(k)+s]
			for i := s * g.length; i < (s+1)*g.length; i++ {
				d[i] = x[i] - c
			}
		}
	}
}

// multiply scales x by c.
func multiply(x []float64, c float64) {
	for i := range x {
		x[i] *= c
	}
}

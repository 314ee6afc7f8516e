package kernel

// A span walks over 0, …, n-1 in the fewest pieces of at most some length, as
// even as they can be: 13 by 12 is 7 and 6.
type span struct {
	start, length int // of the piece
	n, pieces     int // of all, and to come
}

func cut(n, most int) span { return span{n: n, pieces: (n + most - 1) / most} }

// next moves to the next piece and reports whether there is one.
func (s *span) next() bool {
	if s.pieces == 0 {
		return false
	}
	s.start += s.length
	s.length = (s.n - s.start + s.pieces - 1) / s.pieces
	s.pieces--
	return true
}

// last reports whether the piece ends at n.
func (s *span) last() bool { return s.pieces == 0 }

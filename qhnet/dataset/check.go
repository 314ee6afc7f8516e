package dataset

import (
	"errors"
	"fmt"
	"math"
)

// Check reports the first thing that makes the set unfit for training: what
// [Set.CheckPoints] reports, or a class without points.
func (s Set) Check() error {
	if err := s.CheckPoints(); err != nil {
		return err
	}
	for c, count := range s.Counts() {
		if count == 0 {
			return fmt.Errorf("dataset: %s: class %d has no points; remove it or relabel the classes 0..C-1", s.title(), c)
		}
	}
	return nil
}

// CheckPoints reports the first thing that makes the set unfit for evaluating a
// model at its points: no points, rows and labels of different number, fewer
// than two classes, a shape that does not multiply to the width, a label outside
// 0..Classes-1, or an entry that is not finite. Classes may be without points.
func (s Set) CheckPoints() error {
	if err := s.checkPoints(); err != nil {
		return fmt.Errorf("dataset: %s: %w", s.title(), err)
	}
	return nil
}

func (s Set) checkPoints() error {
	if s.X == nil || s.X.IsEmpty() {
		return errors.New("no points")
	}
	n, d := s.X.Dims()
	switch size := product(s.Shape); {
	case n != len(s.Labels):
		return fmt.Errorf("%d rows but %d labels", n, len(s.Labels))
	case s.Classes < 2:
		return fmt.Errorf("%d class(es); separating needs at least 2", s.Classes)
	case s.Shape != nil && size != d:
		return fmt.Errorf("shape %v has %d entries but rows have %d", s.Shape, size, d)
	}
	if err := s.checkLabels(); err != nil {
		return err
	}
	return s.checkFinite()
}

func (s Set) checkLabels() error {
	for k, c := range s.Labels {
		if c < 0 || c >= s.Classes {
			return fmt.Errorf("label %d of point %d is outside 0..%d", c, k, s.Classes-1)
		}
	}
	return nil
}

func (s Set) checkFinite() error {
	for k := range s.Labels {
		for j, v := range s.X.RawRowView(k) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("entry %d of point %d is %v", j, k, v)
			}
		}
	}
	return nil
}

func (s Set) title() string {
	if s.Name == "" {
		return "unnamed set"
	}
	return s.Name
}

func product(shape []int) int {
	size := 1
	for _, s := range shape {
		size *= s
	}
	return size
}

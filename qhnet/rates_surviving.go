package qhnet

// SurvivingRates returns the rates of what a flow has kept: the canonical rates
// of its model without the blocks it discards, found from the trajectory alone.
//
// It begins with all blocks. As long as the share ‖θ̂_b‖ of a block of the
// highest rate falls over the last decades of log(1/L), it discards the block
// that falls fastest and computes the canonical rates of the rest anew; a block
// can only be judged once those of higher rates are known to stay. The share of a
// discarded block falls like a power of log(1/L), and the power is taken for a fall
// if it is below -1/10. A block that is exactly zero is discarded whatever its rate.
// Scale-invariant blocks have rate 0 and stay. Its errors are those of [RatesOf] and
// [Trajectory.Growth].
func SurvivingRates(tr *Trajectory, decades float64) (*Rates, error) {
	rates, err := RatesOf(tr.Model())
	if err != nil {
		return nil, err
	}
	for {
		growth, err := tr.Growth(rates.Expand(), decades)
		if err != nil {
			return nil, err
		}
		lost := falling(rates, growth)
		if lost == nil {
			return rates, nil
		}
		rates = rates.Without(lost...)
	}
}

// falling names the surviving blocks of positive rate that are exactly zero (such as
// all factors of a product), or else the one of the highest rate that falls fastest.
func falling(rates *Rates, growth []Growth) (names []string) {
	canonical, surviving := rates.Canonical(), rates.Surviving()
	for b, g := range growth {
		if surviving[b] && canonical[b] > 0 && g.Share == 0 {
			names = append(names, g.Block)
		}
	}
	if names != nil {
		return names
	}
	trend := discardedTrend
	rate, highest := rates.Max()
	for _, b := range highest {
		if rate > 0 && growth[b].Trend < trend {
			names, trend = []string{growth[b].Block}, growth[b].Trend
		}
	}
	return names
}

// Discarded returns the names of the blocks left out by [Rates.Without].
func (r *Rates) Discarded() []string {
	var names []string
	for b, dropped := range r.dropped {
		if dropped {
			names = append(names, r.blocks[b].Name)
		}
	}
	return names
}

package ode

import "math"

// Auto measures which method is the cheapest, and goes on measuring. It starts with
// Dormand-Prince. Where stability rather than accuracy limits its steps (Hairer and
// Wanner II, section IV.2), it gives RKC and RadauIIA a trial of a few steps each, and stays
// with the one that gets furthest for its cost. The others get another trial when the rest of
// the run has cost as much as the last one, and after each one that they lose four times as
// much; Dormand-Prince and RKC only if the spectral radius of the Jacobian leaves them a
// chance. Cost is counted, in evaluations of the derivative with linear algebra at the Price
// of the problem, so that the same run always makes the same choice.
type Auto struct {
	// Implicit is the RadauIIA that gets trials. With more than 1000 components
	// and no Linearization there is none, as dense factorizations are too large.
	Implicit RadauIIA
}

// String returns "Auto".
func (Auto) String() string { return "Auto" }

func (a Auto) validate() error { return a.Implicit.validate() }

const (
	// Dormand-Prince is stable to 3.3 on the negative real axis, and with tight tolerances
	// settles a little below it. A step is stiff above 2.5 and a problem, as in DOPRI5, after
	// 15 stiff steps with fewer than 6 others between them.
	stableRadius, stiffRadius, stiffSteps, calmSteps = 3.3, 2.5, 15, 6

	// autoDense bounds the size up to which dense factorizations are bearable.
	autoDense = 1000

	// A trial has at least trialSteps accepted steps, unless it costs more than expected and
	// than as many of the method in charge, or fails trialFailures times. It wins if it is
	// cheaper by the factor worthwhile, as each change costs something.
	trialSteps, trialFailures, worthwhile = 6, 6, 0.8

	// Of cost and progress, each step counts by this factor less than the next one.
	forget = 0.85

	// A loser waits longer for its next trial by the factor patience, up to maxPatience.
	patience, maxPatience = 4, 64

	// few evaluations are the least price of a trial.
	few = 10.0 * trialSteps

	// firstStages is about how many stages the first step of a trial of RKC has.
	firstStages = 15
)

// The methods at hand.
const (
	explicit = iota
	stabilized
	implicit
	methods
)

// candidate is what is remembered of a method. It is plain data, part of a State.
type candidate struct {
	Cost, Progress float64 // of its last steps, earlier ones weighing less
	Step           float64 // size of its last accepted step
	Price          float64 // of a trial
	Wait           float64 // multiples of Price that others must cost before one
	Others         float64 // what others have cost since the last one
}

func (c *candidate) rate() float64 { return c.Cost / c.Progress }

// choice is what Auto remembers of all methods; a resumed run needs it.
type choice struct {
	Candidates [methods]candidate
	Home       int     // the method in charge
	Current    int     // that steps: Home, or the one on trial
	Steps      int     // accepted since it began to
	Failures   int     // attempts in a trial that failed
	Spent      float64 // by the trial
	Stiff      int     // stiff steps of Dormand-Prince
	Calm       int     // others since the last stiff one
}

// auto is the method at work.
type auto struct {
	choice
	s        *system
	settings Auto
	steppers [methods]stepper // nil until they are needed
	power    *powerIteration
	radius   float64 // of the Jacobian where a trial was considered
	next     int     // the method of the next step
}

func (a Auto) stepper(s *system) stepper {
	m := float64(len(s.y))
	d := &auto{s: s, settings: a, power: newPowerIteration(s)}
	d.steppers[explicit] = DormandPrince{}.stepper(s)
	d.steppers[stabilized] = RKC{}.stepper(s)
	d.Candidates = [methods]candidate{
		explicit:   {Price: few, Wait: 1},
		stabilized: {Price: few, Wait: 1},
		implicit:   {Price: 2*few + max(s.price.Refresh, m) + trialSteps*(s.price.Factor+4*s.price.Solve), Wait: 1},
	}
	return d
}

func (d *auto) rule() rule                           { return d.stepping().rule() }
func (d *auto) active() string                       { return d.stepping().active() }
func (d *auto) interpolate(dst []float64, t float64) { d.stepping().interpolate(dst, t) }
func (d *auto) save(s *State)                        { s.Active, s.Choice = d.active(), d.choice }

// stepping returns the method that steps, which begins to exist when it first does.
func (d *auto) stepping() stepper {
	if d.steppers[d.Current] == nil {
		d.steppers[d.Current] = d.settings.Implicit.stepper(d.s)
	}
	return d.steppers[d.Current]
}

func (d *auto) restart() {
	d.change()
	d.stepping().restart()
	d.power.warm = false
}

func (d *auto) resume(s *State) bool {
	c := &s.Choice
	if min(c.Home, c.Current) < 0 || max(c.Home, c.Current) >= methods {
		return false
	}
	d.choice, d.next = *c, c.Current
	return s.Active == d.active()
}

// change makes the next method step.
func (d *auto) change() {
	if d.next == d.Current {
		return
	}
	d.Current, d.Steps = d.next, 0
	d.stepping().restart()
	d.s.statistics.Switches++
}

func (d *auto) attempt(h float64) (trial, error) {
	d.change()
	before := d.s.work()
	tr, err := d.stepping().attempt(h)
	progress := math.Abs(h)
	if err != nil || !(tr.err <= 1) {
		progress = 0
	}
	d.count(d.s.work()-before, progress)
	switch {
	case d.Current != d.Home:
		tr.next = d.judge(err != nil)
	case d.Current == explicit && progress == 0:
	case d.Current == explicit && !d.stiff():
		tr.next = d.challenge(implicit, patience)
	case d.Steps >= trialSteps:
		tr.next = d.challenge(explicit, 1)
	}
	return tr, err
}

// count books an attempt.
func (d *auto) count(cost, progress float64) {
	c := &d.Candidates[d.Current]
	c.Cost, c.Progress = forget*c.Cost+cost, forget*c.Progress+progress
	if progress > 0 {
		c.Step = progress
		d.Steps++
	}
	for i := range d.Candidates {
		if d.Current == d.Home && i != d.Home {
			d.Candidates[i].Others += cost
		}
	}
	d.Spent += cost
}

// challenge looks whether another method, from the given one on, should have a trial after
// a wait longer by a factor, and returns the size of its first step or 0.
func (d *auto) challenge(first int, factor float64) float64 {
	d.radius = -1
	for i := range d.Candidates {
		c := &d.Candidates[i]
		tooLarge := i == implicit && len(d.s.y) > autoDense && d.s.problem.Linearization == nil
		if i < first || i == d.Home || tooLarge || c.Others < factor*c.Wait*c.Price {
			continue
		}
		before := d.s.work()
		step := d.firstStep(i)
		d.Spent, d.Failures = d.s.work()-before, 0
		if step > 0 {
			c.Cost, c.Progress, d.next = 0, 0, i
			return step
		}
		d.lose(c)
	}
	return 0
}

// stiff counts the steps of Dormand-Prince that stability seems to limit.
func (d *auto) stiff() bool {
	if d.steppers[explicit].(*dormandPrince).stability() > stiffRadius {
		d.Stiff++
		d.Calm = 0
	} else if d.Calm++; d.Calm >= calmSteps {
		d.Stiff = 0
	}
	return d.Stiff >= stiffSteps
}

// firstStep returns the size of the first step in a trial, or 0 if the spectral radius
// says that the method must lose it.
func (d *auto) firstStep(i int) float64 {
	home := &d.Candidates[d.Home]
	if i == implicit || d.Home == explicit {
		return home.Step
	}
	if d.radius < 0 {
		d.radius = d.spectralRadius()
	}
	chance, step := 6*d.radius/stableRadius, stableRadius/d.radius
	if i == stabilized {
		chance, step = math.Sqrt(rkcStability*d.radius/home.Step), firstStages*firstStages/(rkcStability*d.radius)
	}
	if !(chance <= home.rate()) { // or NaN, where there is no radius
		return 0
	}
	return math.Min(home.Step, step)
}

func (d *auto) spectralRadius() float64 {
	if d.Home == stabilized {
		return d.steppers[stabilized].(*rkc).radius
	}
	radius, err := d.power.radius()
	if err != nil {
		return math.NaN()
	}
	return radius
}

// judge ends a trial when its result is clear. If it is lost, it returns the size of the
// next step of the method in charge.
func (d *auto) judge(failed bool) (step float64) {
	c, home := &d.Candidates[d.Current], &d.Candidates[d.Home]
	if failed {
		d.Failures++
	}
	better := c.Progress > 0 && c.rate() < worthwhile*home.rate()
	costly := d.Spent > math.Max(2*c.Price, trialSteps*home.rate()*home.Step)
	switch {
	case better && d.Steps >= trialSteps:
		home.Wait, c.Wait = patience, 1
		for i := range d.Candidates {
			d.Candidates[i].Others = 0
		}
		d.Home = d.Current
	case d.Failures >= trialFailures || costly || d.Steps >= 2*trialSteps:
		d.lose(c)
		d.next = d.Home
		return home.Step
	}
	return 0
}

// lose makes a method wait longer for its next trial.
func (d *auto) lose(c *candidate) {
	c.Price = math.Max(d.Spent, few)
	c.Wait = math.Min(patience*c.Wait, maxPatience)
	c.Others = 0
}

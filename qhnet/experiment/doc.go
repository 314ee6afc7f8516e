// Package experiment names the sweeps behind the notebooks: experiments at many
// independent points, such as seeds, widths or gaps between rates. A notebook
// and the command
//
//	go run ./notebooks sweep NAME -shard 2/5
//
// compute the same points, keep them in the same store, and never compute one
// twice. Every point determines its result alone, so points can be computed in
// any order, in any process, and again.
package experiment

//go:build race

package nn

// raceDetector tells that sync.Pool throws some of its memory away, to find
// races, so that what needs it allocates.
const raceDetector = true

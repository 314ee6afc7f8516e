//go:build !race

package qhnet

const raceDetector = false

// Package cmd is the muster command: flags and wiring, nothing else. A studio's own server is a main of five lines that
// calls [Main] with its games.
package cmd

// Package testport gives tests addresses of the loopback for servers that are to listen at a place that is known before they
// start, or that come back to it after they were killed.
package testport

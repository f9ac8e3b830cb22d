// Package readme keeps README.md honest: its game compiles and its commands are those that the continuous integration
// runs. It holds tests only.
package readme

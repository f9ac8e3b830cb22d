// Package pagebundle builds pages that play through the TypeScript SDK: it bundles TypeScript and style sheets with
// esbuild, as a library. It needs no Node.js and no node_modules, and the result depends on the sources alone: not on
// where they lie, where the command runs, or when.
//
// A game's page is built by a program of three lines, which is run in the directory that has the page in page/src:
//
//	func main() { pagebundle.Main() }
//
// page/src/main.ts becomes page/dist/page.js, page/src/style.css becomes page/dist/page.css, and files that are neither
// TypeScript nor style sheets, such as index.html and icons, are copied. `muster new` makes such a game.
package pagebundle

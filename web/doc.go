// Package web holds the pages that a Muster server shows to browsers, built and embedded:
//
//	http.Handle("/", web.Handler())
//
// / says what Muster is and leads on. /arena is a game for people: a canvas shooter that plays games/arena through the
// TypeScript SDK, with nothing that other clients could not do. Its sources are in src, what is served is in dist, and
//
//	go run ./web/bundle
//
// makes one of the other. dist is committed, so that building a server takes Go alone; a test fails when it is stale.
//
// In this directory, npm ci && npm run check && npm test checks the sources, and with a server running,
//
//	npm run e2e -- http://127.0.0.1:8080
//
// plays with two browsers and measures how soon one sees what the other does.
package web

// Package queuefile reads the file that declares queues: one YAML document, from which come the matchmaker's rules. What
// a person wrote wrongly is said with the file's name and the line, all mistakes at once, and a file with one mistake
// gives no rules at all: what ran before runs on.
//
//	rules, err := queuefile.Load(data, queuefile.Options{Name: "queues.yaml", Seats: map[string]int{"arena": 16}})
//
// docs/QUEUES.md says what may be in the file.
package queuefile

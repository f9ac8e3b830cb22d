// Package journal is what a room leaves behind: the [Record] of each of its ticks and a [Checkpoint] of its state now and
// then. From a checkpoint and the records after it the same state comes again, since a room is a deterministic function
// of them. So a journal serves three ends with one format: a room goes on elsewhere when its host dies, a match can be
// looked at afterwards, and a bug report is a test.
//
// A [Store] keeps the journals of many rooms; [OpenFiles] is the one on disk, match/cluster has the one in Redis, and
// package journaltest holds both to the same behaviour. A [Recorder] brings a room's ticks to a store without ever
// making the room wait. A [Writer] and a [Reader] make and read one replay file, whose bytes docs/REPLAY.md describes.
package journal

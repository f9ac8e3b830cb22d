package journal_test

import (
	"testing"

	"muster/match/journal"
	"muster/match/journal/journaltest"
)

func TestFilesAreAStore(t *testing.T) {
	for name, cfg := range map[string]journal.FilesConfig{"lazy": {}, "synced": {SyncAppends: true}} {
		t.Run(name, func(t *testing.T) {
			journaltest.Run(t, func(t *testing.T) journal.Store {
				cfg.Dir = t.TempDir()
				s, err := journal.OpenFiles(cfg)
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

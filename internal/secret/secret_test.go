package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFileThatOthersCanReadIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := CheckFile(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("one that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o640: "mode 0640", 0o604: "mode 0604", 0o622: "mode 0622",
	} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		err := CheckFile(file)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), file+" has "+want)) {
			t.Errorf("%04o: %v, want %q", mode, err, want)
		}
	}
}

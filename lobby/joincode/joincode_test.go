package joincode

import (
	"strings"
	"testing"
)

func TestCodesAreOfLettersThatLookDifferentAndMakeNoWords(t *testing.T) {
	seen := map[rune]int{}
	const n = 5000
	for range n {
		code := New()
		if plain, ok := Plain(strings.ToLower(code)); plain != code || !ok {
			t.Fatalf("code %q is read as %q, %v", code, plain, ok)
		}
		if len(code) != Len || strings.ContainsAny(code, "0O1IAEUY") {
			t.Fatalf("code %q", code)
		}
		for _, r := range code {
			seen[r]++
		}
	}
	if len(seen) != len(Letters) {
		t.Errorf("%d letters are used, want %d", len(seen), len(Letters))
	}
	for r, count := range seen { // 1071 of each are expected, with a deviation of 32
		if count < 800 || count > 1350 {
			t.Errorf("%q came %d times of %d", r, count, n*Len)
		}
	}
}

func TestCodeOfASecretIsAlwaysTheSameAndAnothersIsAnother(t *testing.T) {
	a, b := Of("a"), Of("b")
	if _, ok := Plain(a); !ok || a != Of("a") || a == b {
		t.Errorf("codes %q, %q and %q", a, Of("a"), b)
	}
}

func TestWhatIsNoCodeIsNone(t *testing.T) {
	for _, typed := range []string{"", "BCDFG", "BCDFGHJ", "BCDFGA", "BCDFG0", "BCDFG ", "BCDFG\n", "BCDFé", "*{}:?x"} {
		if _, ok := Plain(typed); ok {
			t.Errorf("%q is one", typed)
		}
	}
}

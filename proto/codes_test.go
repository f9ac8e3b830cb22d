package proto_test

import (
	"regexp"
	"slices"
	"testing"

	"muster/proto"
)

func TestCodesAreUniqueOrderedAndDescribed(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	names := map[string]bool{"unknown": true}
	var last proto.Code
	for _, row := range proto.Codes {
		if row.Code <= last {
			t.Errorf("%d comes after %d", row.Code, last)
		}
		last = row.Code
		if !name.MatchString(row.Name) || names[row.Name] {
			t.Errorf("%d has the name %q", row.Code, row.Name)
		}
		names[row.Name] = true
		if row.Meaning == "" || len(row.Meaning) > 120 {
			t.Errorf("%d has no meaning that fits", row.Code)
		}
		if row.Code.Info() != row {
			t.Errorf("Info of %d is %v", row.Code, row.Code.Info())
		}
	}
	if i := proto.Code(4111).Info(); i.Name != "unknown" || i.Code != 4111 {
		t.Errorf("a code that is not in the table: %v", i)
	}
}

// The wanted actions stand here by hand: they are what clients in the field already do.
func TestTheRangeOfACodeSaysWhatAClientDoes(t *testing.T) {
	want := map[proto.Action][]proto.Code{
		proto.ActionDone:      {1000},
		proto.ActionReconnect: {1001, 1005, 1006, 1011, 1012, 1013, 1014, 4000, 4001, 4002, 4003, 4004, 4005, 4199},
		proto.ActionRequeue:   {4200, 4201, 4202, 4203, 4204, 4205, 4399},
		proto.ActionStop: {
			0, 999, 1002, 1003, 1007, 1008, 1009, 1010, 1015, 3000, 4400, 4401, 4403, 4406, 4410, 4426, 4429, 4599, 4999,
		},
	}
	for action, codes := range want {
		for _, c := range codes {
			if c.Action() != action {
				t.Errorf("after %d a client does %q, want %q", c, c.Action(), action)
			}
		}
	}
	for _, row := range proto.Codes {
		if !slices.Contains(want[row.Code.Action()], row.Code) {
			t.Errorf("%d %s is not in this test's table", row.Code, row.Name)
		}
	}
}

func TestActionsHaveTheirDocumentedNames(t *testing.T) {
	for action, name := range map[proto.Action]string{
		proto.ActionStop: "stop", proto.ActionReconnect: "reconnect", proto.ActionRequeue: "requeue", proto.ActionDone: "done",
	} {
		if action.String() != name {
			t.Errorf("%d is %q, want %q", action, action, name)
		}
	}
}

func TestCodesAreTheGoldenTable(t *testing.T) {
	type row struct {
		Code    proto.Code `json:"code"`
		Name    string     `json:"name"`
		Action  string     `json:"action"`
		Meaning string     `json:"meaning"`
	}
	var rows []row
	for _, c := range proto.Codes {
		rows = append(rows, row{c.Code, c.Name, c.Code.Action().String(), c.Meaning})
	}
	wantGolden(t, "testdata/codes.json", rows)
}

func TestCloseIsAnErrorThatNamesItsCode(t *testing.T) {
	var err error = &proto.Close{Code: proto.CodeRate, Reason: "10,000 inputs a second"}
	if got, want := err.Error(), "4429 rate: 10,000 inputs a second"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

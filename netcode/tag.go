package netcode

import (
	"fmt"
	"strconv"
	"strings"
)

// options are what a net tag says.
type options struct {
	flags              uint8
	angle              bool
	bits, max          int
	rangeMin, rangeMax float64
	step               float64
	hasRange, hasStep  bool
	hasBits, hasMax    bool
	ref                string
	rewind             bool
}

func parseTag(tag string) (o options, err error) {
	if tag == "" {
		return o, nil
	}
	for _, opt := range strings.Split(tag, ",") {
		key, value, _ := strings.Cut(opt, "=")
		switch key {
		case "owner":
			o.flags |= flagOwner
		case "server":
			o.flags |= flagServer
		case "once":
			o.flags |= flagOnce
		case "team":
			o.flags |= flagTeam
		case "rewind":
			o.rewind = true
		case "predict":
			o.flags |= flagPredict
		case "ref":
			if o.ref = value; value == "" {
				return o, fmt.Errorf("ref: want ref=TABLE")
			}
		case "angle":
			o.angle = true
		case "bits":
			o.hasBits = true
			o.bits, err = strconv.Atoi(value)
		case "max":
			o.hasMax = true
			o.max, err = strconv.Atoi(value)
		case "step":
			o.hasStep = true
			o.step, err = strconv.ParseFloat(value, 64)
		case "range":
			o.hasRange = true
			lo, hi, ok := strings.Cut(value, ":")
			if !ok {
				return o, fmt.Errorf("range=%s: want range=MIN:MAX", value)
			}
			if o.rangeMin, err = strconv.ParseFloat(lo, 64); err == nil {
				o.rangeMax, err = strconv.ParseFloat(hi, 64)
			}
		default:
			return o, fmt.Errorf("unknown option %q in the net tag", opt)
		}
		if err != nil {
			return o, fmt.Errorf("option %q of the net tag: %w", opt, err)
		}
	}
	return o, nil
}

// withoutMax is a slice's tag as its elements have it.
func withoutMax(tag string) string {
	var rest []string
	for _, opt := range strings.Split(tag, ",") {
		if !strings.HasPrefix(opt, "max=") && opt != "" {
			rest = append(rest, opt)
		}
	}
	return strings.Join(rest, ",")
}

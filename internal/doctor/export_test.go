package doctor

import "time"

// What the tests know of the table.
const (
	WhyUnknown      = whyUnknown
	WhyKind         = whyKind
	WhyForever      = whyForever
	WhyTooLong      = whyTooLong
	WhyNoRoom       = whyNoRoom
	WhyNoNode       = whyNoNode
	WhyJournal      = whyJournal
	WhyPart         = whyPart
	WhyListed       = whyListed
	WhyNode         = whyNode
	WhyUnregistered = whyUnregistered
	WhyResult       = whyResult
	WhyConsumer     = whyConsumer
	WhyNoTicket     = whyNoTicket
	WhyNoLobby      = whyNoLobby
	WhyLost         = whyLost
	WhyNoAttempt    = whyNoAttempt
	WhyDue          = whyDue
	WhyAttempt      = whyAttempt
	WhyNoParty      = whyNoParty
	WhyNoGroup      = whyNoGroup
	ReaderGone      = readerGone
	Overdue         = overdue
	Day             = day
	Slack           = slack
	MaxExamples     = maxExamples
)

// Row is what there is of a row beside its rule.
type Row struct {
	Pattern, Kind string
	Lasts         time.Duration
	Owned         bool
}

// Rows are the table.
func Rows() []Row {
	list := make([]Row, len(rows))
	for i, r := range rows {
		list[i] = Row{r.pattern, r.kind, r.lasts, r.owner != nil}
	}
	return list
}

// Find returns the pattern and the ids of a key; none where it fits none.
func Find(key string) (string, []string) {
	r, ids := theTable().find(key)
	if r == nil {
		return "", nil
	}
	return r.pattern, ids
}

// Word is what stands for an id in a pattern.
var Word = word

// Escaped is how a report shows a text.
var Escaped = escaped

// Silent says after what time a reader is gone.
var Silent = silent

package netcode

// ShowIn puts what Shown returns of this seat's own rows, and of the rows that the rules have added ahead, into a state
// that shows all others ([Playout.At]); only names tables by their index in the schema, none all. Own rows of the state
// that the prediction has not are taken out: it knows better. The tables of a single row stay as they are. Whoever fills
// the state anew each time shows nothing twice.
func (p *Prediction[S, In]) ShowIn(state *S, only []bool) {
	if !p.have {
		return
	}
	p.Shown()
	if p.into != state {
		p.into = state
		p.intoRows = mustTables(p.sc, state)
	}
	for i := range p.sc.Tables {
		if t := &p.sc.Tables[i]; !t.Single && (len(only) == 0 || only[i]) {
			p.showRows(t, p.intoRows[i], p.shown[i])
		}
	}
}

func (p *Prediction[S, In]) showRows(t *TableInfo, into, shown rows) {
	mine := func(id ID, r rows, slot int) bool {
		if id == 0 || t.owner < 0 {
			return id.Provisional()
		}
		_, at := r.at(slot)
		return id.Provisional() || p.owns(t, at)
	}
	for slot := range into.slots() {
		if id, _ := into.at(slot); mine(id, into, slot) {
			into.mirror(slot, 0)
		}
	}
	for slot := range shown.slots() {
		if id, from := shown.at(slot); mine(id, shown, slot) {
			t.copyRow(into.mirror(slot, id), from)
		}
	}
}

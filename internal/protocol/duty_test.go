package protocol

import (
	"strings"
	"testing"
	"time"
)

func TestDuty_validateNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	ready := Duty{Transcoder: sampleWorker.Address(), State: DutyReady, Sequence: 1}
	for _, good := range []Duty{sampleDuty, ready} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for want, spoil := range map[string]func(*Duty){
		"transcoder":    func(d *Duty) { d.Transcoder = sampleOrch.Address(); d.Transcoder = [20]byte{} },
		"state":         func(d *Duty) { d.State = "tired" },
		"reason":        func(d *Duty) { d.Reason = "" },
		"reason ":       func(d *Duty) { d.Reason = "boredom" },
		"reason  ":      func(d *Duty) { d.State = DutyReady },
		"window_reason": func(d *Duty) { d.WindowReason = "" },
		"window of":     func(d *Duty) { d.WindowMillis = uint64((MaxWindow + time.Second).Milliseconds()) },
		"window of ":    func(d *Duty) { d.WindowInMillis = uint64((MaxWindowIn + time.Second).Milliseconds()) },
		"deadline_ms":   func(d *Duty) { d.DeadlineMillis = 1 << 60 },
		"sequence":      func(d *Duty) { d.Sequence = 0 },
	} {
		d := sampleDuty
		spoil(&d)
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%+v: %v, want something about %s", d, err, want)
		}
	}
}

func TestDutyState_takesNothingOnceCordonedAndLeavesAtTheHandOver(t *testing.T) {
	t.Parallel()
	for state, want := range map[DutyState][2]bool{"": {true, false}, DutyReady: {true, false}, DutyCordoned: {false, false}, DutyDraining: {false, false},
		DutyHandingOver: {false, true}, DutyDrained: {false, true}, DutyStopped: {false, true}} {
		if state.Taking() != want[0] || state.Leaving() != want[1] {
			t.Errorf("%q: taking %v, leaving %v", state, state.Taking(), state.Leaving())
		}
	}
}

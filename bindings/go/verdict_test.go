package actionhist

import (
	"context"
	"reflect"
	"testing"
)

func TestAPatternThatIsReadAndPutBackIsTheSame(t *testing.T) {
	ctx := context.Background()
	h := open(t, &Options{Clock: newFixedClock(noon).Now})
	for _, pattern := range []Pattern{
		{PatternID: "watched", PatternType: "scale-oscillation", Shadow: true},
		{
			PatternID:      "sequence",
			PatternType:    "resource-thrashing",
			ActionSequence: []string{"drain_node", "restart_deployment"},
			AlertWebhook:   Object{"url": "https://example.org/hook"},
			AlertChannels:  []string{"sre"},
		},
	} {
		if err := h.PutPattern(ctx, pattern); err != nil {
			t.Fatal(err)
		}
	}
	before, err := h.Patterns(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range before {
		if err := h.PutPattern(ctx, pattern); err != nil {
			t.Fatal(err)
		}
	}
	after, err := h.Patterns(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("patterns changed:\n%+v\n%+v", before, after)
	}
	var watched, sequence *Pattern
	for i := range after {
		switch after[i].PatternID {
		case "watched":
			watched = &after[i]
		case "sequence":
			sequence = &after[i]
		}
	}
	if watched == nil || !watched.Shadow {
		t.Errorf("watched: %+v", watched)
	}
	if sequence == nil || len(sequence.ActionSequence) != 2 || sequence.AlertWebhook["url"] == nil {
		t.Errorf("sequence: %+v", sequence)
	}
}

func TestAVerdictNamesWhatPatternsThatOnlyWatchFound(t *testing.T) {
	ctx := context.Background()
	h := open(t, nil)
	if err := h.PutPattern(ctx, Pattern{PatternID: "scale-oscillation", PatternType: "scale-oscillation", Shadow: true}); err != nil {
		t.Fatal(err)
	}
	for i, replicas := range []int{3, 5, 3, 5, 3} {
		action := restart("")
		action.Time = nil
		action.ActionType = "scale_deployment"
		action.Parameters = Object{"replicas": replicas}
		action.StateBefore = Object{"replicas": 8 - replicas}
		verdict, err := h.Propose(ctx, action)
		if err != nil {
			t.Fatal(err)
		}
		if i == 4 && (!verdict.Allowed || len(verdict.Shadowed) == 0 || !verdict.Shadowed[0].Shadow) {
			t.Errorf("verdict: %+v", verdict)
		}
	}
}

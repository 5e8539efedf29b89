// Records what an agent did, finds what worked before, and asks before it acts again.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"actionhist"
)

func main() {
	uri := "sqlite:history.db"
	if len(os.Args) > 1 {
		uri = os.Args[1]
	}
	history, err := actionhist.Open(uri, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer history.Close()
	if err := run(context.Background(), history); err != nil {
		log.Print(err)
	}
}

func run(ctx context.Context, history *actionhist.History) error {
	checkout := actionhist.Resource{Kind: "Deployment", Namespace: "prod", Name: "checkout"}

	// What happened an hour ago. Its id makes it safe to record it again.
	_, err := history.Record(ctx, actionhist.Action{
		ActionID:   "checkout-oom-1",
		Time:       actionhist.Ptr(time.Now().Add(-time.Hour)),
		AlertName:  "KubePodCrashLooping",
		Reasoning:  "The container is killed for memory while it warms its cache.",
		ActionType: "increase_memory",
		Parameters: actionhist.Object{"memory": "2Gi"},
		Resource:   &checkout,
		Outcome:    actionhist.Outcome{Status: actionhist.Completed, Score: actionhist.Ptr(0.9)},
	})
	if err != nil {
		return err
	}

	// Ask before acting. What is allowed is stored at once, so that no other agent passes beside it.
	verdict, err := history.Propose(ctx, actionhist.Action{
		Reasoning:   "Latency is above its objective; three pods are too few for this load.",
		ActionType:  "scale_deployment",
		Parameters:  actionhist.Object{"replicas": 5},
		Resource:    &checkout,
		StateBefore: actionhist.Object{"replicas": 3},
	})
	if err != nil {
		return err
	}
	if verdict.Allowed {
		// … scale, look at the result, and say what became of it.
		_, err = history.Complete(ctx, verdict.Trace.ActionID, actionhist.Outcome{
			Status:     actionhist.Completed,
			StateAfter: actionhist.Object{"replicas": 5},
			Score:      actionhist.Ptr(0.8),
		})
		if err != nil {
			return err
		}
	} else {
		fmt.Println("refused:", verdict.Reason)
	}

	// What worked before when something like this happened?
	hits, err := history.Similar(ctx, actionhist.SimilarQuery{Text: "pods crash, out of memory at start", Fresh: true})
	if err != nil {
		return err
	}
	for _, hit := range hits {
		fmt.Printf("%.2f  %s on %s", hit.Score, hit.Trace.ActionType, hit.Trace.Resource.Name)
		if hit.Trace.Score != nil {
			fmt.Printf(", effectiveness %.1f", *hit.Trace.Score)
		}
		fmt.Println()
	}
	return nil
}

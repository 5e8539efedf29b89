// Package actionhist is the durable, searchable memory of what AI agents did, with brakes.
//
//	history, err := actionhist.Open("sqlite:agent.db", nil)
//	if err != nil { … }
//	defer history.Close()
//	verdict, err := history.Propose(ctx, actionhist.Action{
//		ActionType: "scale_deployment",
//		Resource:   &actionhist.Resource{Kind: "Deployment", Namespace: "prod", Name: "web"},
//		Parameters: map[string]any{"replicas": 5},
//	})
//	if err == nil && verdict.Allowed { … }
//
// Items and Checkpoints are what agents keep beside their actions; an Index finds rows by meaning without a database.
//
// A History may be used from any goroutine at once. It holds memory that Go does not know: Close it. A call whose
// context ends returns the context's error at once; the database may still finish what was begun, so give an
// ActionID to whatever is sent again.
package actionhist

package actionhist

// #include "callbacks.h"
import "C"

import (
	"context"
	"time"
)

// Items are JSON objects under keys in namespaces, which agents keep beside their actions: those of a History, and
// usable as long as it. A namespace is a path of labels from the widest to the narrowest, {"users", "u-7"}.
type Items struct{ history *History }

// Items returns the items of the history.
func (h *History) Items() Items { return Items{h} }

// ItemKey names an item.
type ItemKey struct {
	Namespace []string `json:"namespace"`
	Key       string   `json:"key"`
}

// Item is a value under a key.
type Item struct {
	ItemKey
	Value     Object    `json:"value"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// How long it lives after it was last written or renewed; for ever if nil.
	TTLSeconds *float64   `json:"ttl_seconds"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Score      *float64   `json:"score"` // when it was searched by meaning
}

// ItemChange is what is written of an item. Without a Value it is removed.
type ItemChange struct {
	ItemKey
	Value Object        `json:"value"`
	TTL   time.Duration `json:"-"` // how long it lives after it was last written or renewed; for ever if 0
	// What it is found by: all text in its value if nil, and nothing if empty.
	Texts []string `json:"texts"`
	// Vectors of your own model instead of texts, and the space that they belong to.
	Vectors [][]float32 `json:"vectors"`
	SpaceID string      `json:"space_id"`
}

// ItemQuery chooses items: the nearest by Text or by a Vector of SpaceID first, or those that were written last.
type ItemQuery struct {
	Namespace []string  `json:"namespace,omitempty"` // below it; everywhere if empty
	Text      string    `json:"text,omitempty"`
	Vector    []float32 `json:"vector,omitempty"`
	SpaceID   string    `json:"space_id,omitempty"`
	Where     Object    `json:"where,omitempty"` // a filter of the values, as in Query
	Limit     int       `json:"limit,omitempty"` // 10 if 0
	Offset    int       `json:"offset,omitempty"`
	NoRenew   bool      `json:"-"` // their time to live does not begin anew
}

// NamespaceQuery chooses namespaces. "*" in Prefix and Suffix stands for any label.
type NamespaceQuery struct {
	Prefix   []string `json:"prefix,omitempty"`
	Suffix   []string `json:"suffix,omitempty"`
	MaxDepth int      `json:"max_depth,omitempty"` // longer ones are cut there
	Limit    int      `json:"limit,omitempty"`     // 100 if 0
	Offset   int      `json:"offset,omitempty"`
}

// Put writes all in one transaction; of two changes of one item the later counts.
func (i Items) Put(ctx context.Context, changes ...ItemChange) error {
	type item struct {
		ItemChange
		TTLSeconds float64 `json:"ttl_seconds,omitempty"`
	}
	items := make([]item, len(changes))
	for at, change := range changes {
		items[at] = item{change, change.TTL.Seconds()}
	}
	return i.history.call(ctx, operation(&C.actionhist_history_put_items), Object{"items": items}, nil)
}

// Delete removes items, if they are there.
func (i Items) Delete(ctx context.Context, keys ...ItemKey) error {
	changes := make([]ItemChange, len(keys))
	for at, key := range keys {
		changes[at].ItemKey = key
	}
	return i.Put(ctx, changes...)
}

// Get returns the items of the keys in their order, nil where there is none or its time is over. Times to live begin
// anew.
func (i Items) Get(ctx context.Context, keys ...ItemKey) ([]*Item, error) {
	return i.get(ctx, keys, true)
}

// Peek is Get, but times to live go on.
func (i Items) Peek(ctx context.Context, keys ...ItemKey) ([]*Item, error) {
	return i.get(ctx, keys, false)
}

func (i Items) get(ctx context.Context, keys []ItemKey, renew bool) ([]*Item, error) {
	if keys == nil {
		keys = []ItemKey{}
	}
	request := Object{"keys": keys, "renew": renew}
	return ask[[]*Item](ctx, i.history, operation(&C.actionhist_history_get_items), request)
}

// Search returns items below a namespace whose values pass the filter.
func (i Items) Search(ctx context.Context, query ItemQuery) ([]Item, error) {
	request := struct {
		ItemQuery
		Renew bool `json:"renew"`
	}{query, !query.NoRenew}
	return ask[[]Item](ctx, i.history, operation(&C.actionhist_history_search_items), request)
}

// Namespaces returns the namespaces that hold items, in order.
func (i Items) Namespaces(ctx context.Context, query NamespaceQuery) ([][]string, error) {
	return ask[[][]string](ctx, i.history, operation(&C.actionhist_history_item_namespaces), query)
}

// Sweep removes items whose time is over, at most `limit`, 1,000 if it is 0, and says how many. Each Put takes some of them along.
func (i Items) Sweep(ctx context.Context, limit int) (int64, error) {
	return ask[int64](ctx, i.history, operation(&C.actionhist_history_sweep_items), Object{"limit": orDefault(limit)})
}

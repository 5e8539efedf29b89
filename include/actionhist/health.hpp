// How the parts of a History are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <actionhist/feed_store.hpp>
#include <actionhist/repository.hpp>
#include <actionhist/semantic_index.hpp>

namespace actionhist {

// One row of the router: a use case, where it goes, and how often it went there.
struct RouteStats {
  std::string use_case;
  std::string route;     // "database", "index+database", "index"
  std::string fallback;  // "database text search" or empty
  std::int64_t hits = 0;
  std::int64_t fallbacks = 0;
  double mean_ms = 0;
  double max_ms = 0;
};

// What became of the messages to webhooks since the History was opened.
struct WebhookStats {
  std::int64_t waiting = 0;
  std::int64_t delivered = 0;
  std::int64_t lost = 0;  // the receiver did not take them, or too many waited
  std::string error;      // why the last try failed; empty if it went well
};

struct Health {
  bool live = true;    // this process can answer
  bool ready = false;  // the database answers
  std::string error;   // why it is not ready, without secrets
  EngineInfo engine;
  FeedHead feed;
  bool index_on = false;
  std::string space_id;  // that this process answers from; feed.space_id is the tenant's
  std::int64_t replica_seq = 0;
  double lag_seconds = 0;    // age of the oldest row that is not yet in the feed
  std::string index_error;   // the last failure of worker or replica, empty if they go well
  std::string upkeep_error;  // the last failure of the upkeep, empty if it goes well
  WebhookStats webhooks;
  IndexStats index;
  std::vector<RouteStats> routes;
};

std::string to_json(const Health& health);

}  // namespace actionhist

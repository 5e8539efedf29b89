// Finding past actions by meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/json.hpp>

namespace actionhist {

// A number for each vector of an action where it has three, in a space of by_aspect(): a weight, or a cosine.
struct Aspects {
  double context = 0;  // its alert, the kind of its resource, its reasoning
  double action = 0;   // its type and parameters
  double outcome = 0;  // its error and the notes of its assessment
};

struct SimilarQuery {
  std::string text;                 // one of text, action_id and vector
  std::string action_id;            // like this action, without itself
  std::vector<float> vector;        // of the model's dimension
  int limit = 10;                   // 1 to 1,000
  Json where;                       // as in ActionQuery
  std::optional<double> threshold;  // of the score, 0 to 1
  // 0 to 100: no hit is less like the query, by its vector, than so many percent of the pairs of different
  // stored texts are like each other. Unlike a threshold it means the same for every model. A few words are like
  // nothing that long: with an action_id, or a text as long as stored ones, it finds; else often nothing.
  std::optional<double> percentile;
  // 0 to 1: hits that differ from those before them come earlier, as IndexQuery::mmr_lambda. 1: by score alone.
  std::optional<double> mmr_lambda;
  // Above 0, at most 1: of actions that are so much alike (cosine) only the best, and none like action_id. 1: of
  // those that say the same.
  std::optional<double> distinct;
  // By how much each aspect counts, at least 0 and not all 0; absent: all the same. Needs a space of by_aspect();
  // in others an action has one vector.
  std::optional<Aspects> weights;
  // First wait, 30 s at most, until everything recorded so far is searchable; hits say in `fallback` if it is not.
  bool fresh = false;
};

struct Explanation {
  std::string route;      // "index" or "text"
  std::string fallback;   // why not the index, or only its words; empty if nothing was amiss
  double similarity = 0;  // cosine with the query, or the mean of those of the aspects by weight
  double bm25 = 0;
  std::vector<std::string> matched_terms;
  std::string space_id;
  std::int64_t seq = 0;            // of the replica that answered
  std::int64_t feed_seq = 0;       // of the feed, when the replica last looked
  std::optional<Aspects> aspects;  // the cosine of each, in a space of by_aspect()
};

struct Hit {
  Trace trace;
  double score = 0;  // 0 to 1
  Explanation explain;
};

std::string to_json(const Hit& hit);

// Reads {"context": 1, "action": 2, "outcome": 0.5}; what is missing is 0.
// Throws Error: invalid_argument, naming the member inside `weights`.
Aspects parse_aspects(std::string_view json);

}  // namespace actionhist

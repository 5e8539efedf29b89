// The evaluation behind History::evaluate, and the comparison that a change of space has to pass.
#pragma once

#include <memory>
#include <span>
#include <string>

#include <actionhist/embedding.hpp>
#include <actionhist/evaluation.hpp>
#include <actionhist/repository.hpp>

namespace actionhist {

// Of the spaces of these models. What is found is read from the database; only queries are embedded.
// REQUIRES: the options are valid.
Evaluation evaluate(Repository& repository, std::span<const EmbeddingModel* const> models,
                    const EvaluationOptions& options);

struct Fitness {
  bool acceptable = true;
  std::string why;
};

// Whether searches would be as good in the space of `next` as in that of `present`, which may be null.
Fitness compare_spaces(Repository& repository, const EmbeddingModel* present, const EmbeddingModel& next);

}  // namespace actionhist

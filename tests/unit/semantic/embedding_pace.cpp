// How many texts a worker gives its model at once.
#include "semantic/embedding_pace.hpp"

#include <catch2/catch.hpp>

using namespace actionhist;

TEST_CASE("a call of a model, however slow it is, soon ends within the time that is given", "[worker]") {
  const double each = GENERATE(1e-5, 1e-2, 0.3, 2., 100.);
  EmbeddingPace pace;
  double time = 0;
  for (int call = 0; call < 10; ++call) {
    const std::size_t texts = pace.texts();
    time = each * static_cast<double>(texts);
    pace.took(texts, std::chrono::duration<double>(time));
  }
  CHECK(pace.texts() >= 1);
  CHECK((pace.texts() == 1 || time <= EmbeddingPace::longest_call.count()));
  if (each < 1e-3) CHECK(pace.texts() == EmbeddingPace::most_texts);
}

TEST_CASE("after a slow call more texts are tried step by step", "[worker]") {
  EmbeddingPace pace;
  pace.took(pace.texts(), EmbeddingPace::longest_call * 1000);
  CHECK(pace.texts() == 1);
  pace.took(1, std::chrono::duration<double>(0));
  CHECK(pace.texts() == 2);
}

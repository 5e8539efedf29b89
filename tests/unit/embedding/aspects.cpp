#include "embedding/aspects.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <actionhist/error.hpp>

#include "support/models.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

using Texts = std::array<std::string, aspect_count>;

Texts split(std::string_view text) {
  const auto aspects = aspects_of(text);
  return {std::string(aspects[0]), std::string(aspects[1]), std::string(aspects[2])};
}

std::vector<float> embed(const EmbeddingModel& model, std::string_view text, EmbeddingRole role) {
  std::vector<float> out(model.dimension(), -7.0F);
  model.embed({&text, 1}, role, out);
  return out;
}

std::vector<float> joined(const std::vector<std::vector<float>>& parts) {
  std::vector<float> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace

TEST_CASE("aspects come back from their text, whichever of them is empty", "[aspects]") {
  for (const std::string context : {"", "alert\nreason"}) {
    for (const std::string action : {"", "restart"}) {
      for (const std::string outcome : {"", "timed out\nno effect"}) {
        const Texts aspects{context, action, outcome};
        CHECK(split(join_aspects(aspects)) == aspects);
      }
    }
  }
  CHECK(join_aspects({"alert", "restart", ""}) == "alert\n\nrestart");
  CHECK(join_aspects({"", "", ""}).empty());
}

TEST_CASE("an empty line inside an aspect does not end it", "[aspects]") {
  const std::string text = join_aspects({"\n\nfirst\n\n\nsecond\n", "restart", "\n"});
  CHECK(split(text) == Texts{"first\nsecond", "restart", ""});
}

TEST_CASE("a text with more empty lines than aspects keeps all its words", "[aspects]") {
  CHECK(split("a\n\nb\n\nc\n\nd") == Texts{"a", "b", "c\n\nd"});
  CHECK(split("alone") == Texts{"alone", "", ""});
}

TEST_CASE("a model by aspect gives an action a vector of each, and a query one three times", "[aspects]") {
  const auto base = hashed_lexical_model();
  const auto model = by_aspect(base);
  CHECK(model->space_id() == "aspects/1/hashed-lexical/1024/1");
  REQUIRE(model->dimension() == 3 * base->dimension());
  const auto document = [&](std::string_view text) { return embed(*base, text, EmbeddingRole::document); };
  const std::vector<float> zeros(base->dimension(), 0.0F);

  CHECK(embed(*model, "disk full\n\nexpand_pvc\n\nquota exceeded", EmbeddingRole::document) ==
        joined({document("disk full"), document("expand_pvc"), document("quota exceeded")}));
  CHECK(embed(*model, "disk full\n\nexpand_pvc", EmbeddingRole::document) ==
        joined({document("disk full"), document("expand_pvc"), zeros}));
  CHECK(embed(*model, "", EmbeddingRole::document) == joined({zeros, zeros, zeros}));
  const auto asked = embed(*base, "disk\n\nfull", EmbeddingRole::query);
  CHECK(embed(*model, "disk\n\nfull", EmbeddingRole::query) == joined({asked, asked, asked}));

  // Several texts at once, of which one is empty.
  const std::vector<std::string_view> texts{"disk full\n\nexpand_pvc", "", "\n\nrestart"};
  std::vector<float> out(texts.size() * model->dimension(), -7.0F);
  model->embed(texts, EmbeddingRole::document, out);
  CHECK(out == joined({document("disk full"), document("expand_pvc"), zeros, zeros, zeros, zeros, zeros,
                       document("restart"), zeros}));
}

TEST_CASE("the space of a model by aspect names the one that it was made of", "[aspects]") {
  CHECK(base_of_aspects(aspect_space("small/4/1")) == "small/4/1");
  CHECK_FALSE(base_of_aspects("small/4/1"));
  CHECK(parts_of(aspect_space("small/4/1"), 12) == std::vector<std::size_t>{4, 4, 4});
  CHECK(parts_of("small/4/1", 12).empty());
  const auto model = by_aspect(std::make_shared<Small>());
  CHECK(model->space_id() == aspect_space("small/4/1"));
  CHECK_THROWS_AS(by_aspect(model), Error);
  CHECK(open_model("aspects:hashed-lexical")->space_id() == by_aspect(hashed_lexical_model())->space_id());
  CHECK_THROWS_AS(open_model("aspects:aspects:hashed-lexical"), Error);
  CHECK_THROWS_AS(open_model("aspects:nosuch"), Error);
}

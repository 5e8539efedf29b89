#include <actionhist/embedding.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace actionhist;

namespace {

std::vector<float> embed(std::string_view text, EmbeddingRole role = EmbeddingRole::document) {
  const auto model = hashed_lexical_model();
  std::vector<float> out(model->dimension(), -7.0F);
  model->embed({&text, 1}, role, out);
  return out;
}

double cosine(std::string_view a, std::string_view b) {
  const auto x = embed(a);
  const auto y = embed(b);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * y[i];
  return sum;
}

}  // namespace

TEST_CASE("the space of the built-in model never changes", "[hashed_lexical]") {
  const auto model = hashed_lexical_model();
  CHECK(model->space_id() == "hashed-lexical/1024/1");
  REQUIRE(model->dimension() == 1024);
  // Stored vectors were made by these rules; other values here mean that the model needs another name.
  const auto vector = embed("KubePodCrashLooping: restart web-frontend, restart it");
  CHECK(vector[0] == Approx(0.099014752).margin(1e-6));
  CHECK(vector[116] == Approx(0.070014007).margin(1e-6));
  CHECK(vector[298] == Approx(-0.070014007).margin(1e-6));
  CHECK(vector[448] == Approx(0.099014752).margin(1e-6));
  CHECK(vector[979] == Approx(-0.070014007).margin(1e-6));
  CHECK(std::count_if(vector.begin(), vector.end(), [](float x) { return x != 0; }) == 125);
  double sum = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) sum += static_cast<double>(i + 1) * vector[i];
  CHECK(sum == Approx(-468.47395).margin(1e-3));
}

TEST_CASE("vectors have length 1, and none for a text without content", "[hashed_lexical]") {
  CHECK(cosine("scale up the deployment", "scale up the deployment") == Approx(1).margin(1e-6));
  for (const std::string_view empty : {"", "   ", "the of and", "\xff\xfe"}) {
    const auto vector = embed(empty);
    CHECK(vector == std::vector<float>(1024, 0.0F));
  }
}

TEST_CASE("texts that look alike are near, others are not", "[hashed_lexical]") {
  CHECK(cosine("KubePodCrashLooping", "pod is crash looping") > 0.4);
  CHECK(cosine("configuration reload failed", "failure reloading config") > 0.35);
  CHECK(cosine("restart deployment", "restrat deploymnet") > 0.25);
  CHECK(std::abs(cosine("configuration reload failed", "disk almost full")) < 0.15);
  CHECK(cosine("磁盘已满", "磁盘快满了") > 0.3);
}

TEST_CASE("documents and queries share one form", "[hashed_lexical]") {
  CHECK(embed("node not ready", EmbeddingRole::query) == embed("node not ready"));
}

TEST_CASE("a batch gives what single texts give, from any thread", "[hashed_lexical]") {
  const auto model = hashed_lexical_model();
  std::vector<std::string> texts;
  for (int i = 0; i < 50; ++i) texts.push_back("pod web-" + std::to_string(i) + " restarts every minute");
  texts.push_back(fmt::format("{:x<100000} and a long tail of words", ""));
  texts.emplace_back();
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::vector<float>> batches(4);
  std::vector<std::thread> threads;
  for (auto& batch : batches) {
    threads.emplace_back([&] {
      batch.resize(views.size() * 1024);
      model->embed(views, EmbeddingRole::document, batch);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& batch : batches) {
    for (std::size_t i = 0; i < views.size(); ++i) {
      const std::vector<float> row(batch.begin() + static_cast<std::ptrdiff_t>(i * 1024),
                                   batch.begin() + static_cast<std::ptrdiff_t>((i + 1) * 1024));
      REQUIRE(row == embed(views[i]));
    }
  }
}

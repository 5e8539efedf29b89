// Embedding spaces over the C interface.
#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <vector>

#include "capi/session.hpp"

using namespace actionhist::test;

namespace {

std::string trouble(int i) {
  constexpr const char* kinds[] = {
      R"("action_type":"increase_memory","model_reasoning":"killed because its memory limit is too low)",
      R"("action_type":"expand_volume","model_reasoning":"the volume has no free space left)",
  };
  return R"({"kind":"Pod","name":"p","action_id":"a-)" + std::to_string(i) +
         R"(","action_timestamp":"2026-03-10T11:00:00Z",)" + kinds[i % 2] + ", case " +
         std::to_string(i * 7919 % 1000) + "\"}";
}

void record_troubles(const Session& h, int count) {
  std::string all = "[";
  for (int i = 0; i < count; ++i) all += (i > 0 ? "," : "") + trouble(i);
  REQUIRE(h(actionhist_history_record_many, all + "]").status == ACTIONHIST_OK);
}

std::string member(const Answer& answer, const std::string& name) {
  const auto at = answer.text.find("\"" + name + "\":\"");
  REQUIRE(at != answer.text.npos);
  const auto begin = at + name.size() + 4;
  return answer.text.substr(begin, answer.text.find('"', begin) - begin);
}

Answer import(const Session& h, const std::string& request, const std::vector<float>& numbers,
              std::size_t count, std::size_t dimension) {
  actionhist_text* text = nullptr;
  actionhist_error* error = nullptr;
  const auto status = actionhist_history_import_vectors(h.get(), request.data(), request.size(),
                                                        numbers.data(), count, dimension, &text, &error);
  return take(status, text, error);
}

}  // namespace

TEST_CASE("C ABI: a fitted model becomes the space that is searched") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  record_troubles(h, 40);
  REQUIRE(h(actionhist_history_wait_indexed, R"({"timeout_ms":60000})").text == "true");
  const Answer before = h(actionhist_history_spaces);
  CHECK(before.holds(R"("active":true)"));
  const std::string first = member(before, "space_id");
  const std::string fitted = member(h(actionhist_history_fit_space, R"({"dimension":8})"), "space_id");
  const Answer changed =
      h(actionhist_history_switch_space, R"({"space_id":")" + fitted + R"(","force":true})");
  CHECK(changed.holds(R"("switched":true)"));
  CHECK(member(changed, "previous") == first);
  CHECK(h(actionhist_history_drop_space, R"({"space_id":")" + fitted + R"("})").status ==
        ACTIONHIST_CONFLICT);
  CHECK(h(actionhist_history_drop_space, R"({"space_id":")" + first + R"("})").text == "true");
  CHECK(h(actionhist_history_drop_space, R"({"space_id":")" + first + R"("})").text == "false");
  CHECK(h(actionhist_history_evaluate, R"({"queries":10})").holds(R"("with_words":{)"));
  CHECK(h(actionhist_history_fit_space, R"({"seed":-1})").error == "seed: is negative");
}

TEST_CASE("C ABI: the host sees how far a backfill is, and may end it") {
  static std::vector<std::int64_t> left;
  static bool stops;
  left.clear();
  stops = true;
  actionhist_options options = options_at_noon();
  options.settings = string_of(R"({"semantic":false})");
  options.progress = [](void*, const char* operation, std::int64_t, std::int64_t rest) {
    CHECK(std::string(operation) == "backfill");
    left.push_back(rest);
    return stops ? 1 : 0;
  };
  const Session h("memory:", &options);
  record_troubles(h, 40);
  const Answer ended = h(actionhist_history_backfill);
  CHECK(ended.status == ACTIONHIST_CANCELLED);
  CHECK(ended.error.find("backfill") != ended.error.npos);
  stops = false;
  REQUIRE(h(actionhist_history_backfill).status == ACTIONHIST_OK);
  CHECK(left.back() == 0);
  CHECK(h(actionhist_history_spaces).holds(R"("missing":0)"));
  CHECK(h(actionhist_history_backfill).text == "0");
  CHECK(h(actionhist_history_failed_subjects).text == "[]");
  CHECK(h(actionhist_history_retry_failed).text == "0");
}

TEST_CASE("C ABI: the host sees how far the removal of old actions is, and may end it") {
  static std::vector<std::int64_t> removed;
  static bool stops;
  removed.clear();
  stops = true;
  actionhist_options options = options_at_noon();
  options.settings = string_of(R"({"semantic":false})");
  options.progress = [](void*, const char* operation, std::int64_t done, std::int64_t left) {
    CHECK(std::string(operation) == "apply_retention");
    CHECK((left == 0 || left == 1));
    removed.push_back(done);
    return stops ? 1 : 0;
  };
  const Session h("memory:", &options);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(h(actionhist_history_record,
              R"({"kind":"Pod","name":"p","action_type":"restart","execution_status":"completed",)"
              R"("action_timestamp":"2026-02-0)" +
                  std::to_string(i % 9 + 1) + R"(T00:00:00Z"})")
                .status == ACTIONHIST_OK);
  }
  const std::string request =
      R"({"policy":{"max_actions":2,"compaction_strategy":"oldest-first"},"batch":3})";
  CHECK(h(actionhist_history_apply_retention, request).status == ACTIONHIST_CANCELLED);
  CHECK(removed == std::vector<std::int64_t>{3});
  stops = false;
  CHECK(h(actionhist_history_apply_retention, request).holds(R"("removed":5)"));
}

TEST_CASE("C ABI: a host of the first version, which knows no progress, is served") {
  actionhist_options options = options_at_noon();
  options.size = ACTIONHIST_OPTIONS_SIZE_1;
  // What lies behind the struct of such a host is not looked at.
  options.progress = [](void*, const char*, std::int64_t, std::int64_t) {
    FAIL("called beyond the end of the struct");
    return 1;
  };
  const Session h("memory:", &options);
  record_troubles(h, 2);
  CHECK(h(actionhist_history_backfill).status == ACTIONHIST_OK);
}

TEST_CASE("C ABI: vectors from elsewhere are imported row by row") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  record_troubles(h, 3);
  const std::vector<float> numbers{1, 2, 3, 4};
  const std::string both = R"({"space_id":"mine/2","ids":["a-0","nobody"]})";
  CHECK(import(h, both, numbers, 2, 2).text == R"({"stored":1,"present":0,"unknown":1})");
  CHECK(import(h, both, numbers, 2, 2).holds(R"("present":1)"));
  CHECK(h(actionhist_history_spaces).holds(R"("mine/2")"));

  CHECK(import(h, both, numbers, 1, 2).error == "vectors: are 1, ids are 2");
  CHECK(import(h, R"({"ids":["a-1"]})", numbers, 1, 2).error == "space_id: is required");
  const std::string one = R"({"space_id":"mine/2","ids":["a-1"]})";
  CHECK(import(h, one, numbers, 1, 4).status == ACTIONHIST_CONFLICT);
  CHECK(import(h, one, {1, std::numeric_limits<float>::quiet_NaN()}, 1, 2).status ==
        ACTIONHIST_INVALID_ARGUMENT);
  CHECK(import(h, one, numbers, 1, 0).status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(import(h, one, numbers, 1, SIZE_MAX).status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(import(h, one, numbers, SIZE_MAX, 2).status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_history_import_vectors(h.get(), one.data(), one.size(), nullptr, 1, 2, nullptr, nullptr) ==
        ACTIONHIST_INVALID_ARGUMENT);
}

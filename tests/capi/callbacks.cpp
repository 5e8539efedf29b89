// What the host brings along: clock, log, model, user data.
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>

#include "capi/session.hpp"

using namespace actionhist::test;

namespace {

const std::string restart =
    R"({"action_id":"a-1","action_timestamp":"2026-03-10T11:00:00Z","action_type":"restart_deployment",)"
    R"("model_reasoning":"The pod crashes after each start."})";

void count_destroy(void* user_data) { ++*static_cast<std::atomic<int>*>(user_data); }

// One dimension a letter: enough to see that this model was asked.
actionhist_status embed_letters(void*, const actionhist_string* texts, size_t count, int32_t,
                                float* vectors) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t d = 0; d < 26; ++d) vectors[i * 26 + d] = 0;
    for (size_t at = 0; at < texts[i].length; ++at) {
      const char letter = texts[i].data[at];
      if (letter >= 'a' && letter <= 'z') vectors[i * 26 + static_cast<size_t>(letter - 'a')] += 1;
    }
  }
  return ACTIONHIST_OK;
}

actionhist_model letters() {
  actionhist_model model = ACTIONHIST_MODEL_INIT;
  model.space_id = string_of("letters/26/1");
  model.dimension = 26;
  model.embed = embed_letters;
  return model;
}

}  // namespace

TEST_CASE("C ABI: user data is destroyed exactly once, also when open fails") {
  std::atomic<int> destroyed = 0;
  std::atomic<int> model_destroyed = 0;
  actionhist_model model = letters();
  model.user_data = &model_destroyed;
  model.destroy = count_destroy;
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.user_data = &destroyed;
  options.destroy = count_destroy;
  options.model = &model;
  {
    const Session h("memory:", &options);
    CHECK(destroyed == 0);
  }
  CHECK(destroyed == 1);
  CHECK(model_destroyed == 1);

  CHECK(actionhist_history_open("nosuch://", 9, &options, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(destroyed == 2);
  CHECK(model_destroyed == 2);
  options.settings = string_of("{");
  CHECK(actionhist_history_open("memory:", 7, &options, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(destroyed == 3);
  CHECK(model_destroyed == 3);
}

TEST_CASE("C ABI: the host's clock dates what is proposed, and a broken one is refused") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  CHECK(h(actionhist_history_propose, R"({"action_type":"restart","kind":"Pod","name":"p"})")
            .holds(R"("action_timestamp":"2026-03-10T12:00:00Z")"));

  static std::int64_t broken;
  actionhist_options broken_options = ACTIONHIST_OPTIONS_INIT;
  broken_options.clock = [](void*) { return broken; };
  broken_options.settings = string_of(R"({"semantic":false})");
  broken = noon_us;
  const Session b("memory:", &broken_options);
  for (const std::int64_t time : {INT64_MIN, std::int64_t{-1}, INT64_MAX}) {
    broken = time;
    CHECK(b(actionhist_history_propose, R"({"action_type":"restart"})").error.find("clock") !=
          std::string::npos);
  }
}

TEST_CASE("C ABI: the host's model places texts in a space of its own") {
  const actionhist_model model = letters();
  actionhist_options options = options_at_noon();
  options.model = &model;
  const Session h("memory:", &options);
  REQUIRE(h(actionhist_history_record, restart).status == ACTIONHIST_OK);
  const Answer hits = h(actionhist_history_similar, R"({"text":"crash","fresh":true})");
  CHECK(hits.holds("a-1"));
  CHECK(hits.holds(R"("space_id":"letters/26/1")"));
}

TEST_CASE("C ABI: a model that fails is said, in the log and in health, and the words still find") {
  static std::atomic<int> logged;
  logged = 0;
  actionhist_model model = letters();
  model.embed = [](void*, const actionhist_string*, size_t, int32_t role, float*) -> actionhist_status {
    return role == ACTIONHIST_DOCUMENT ? ACTIONHIST_UNAVAILABLE : ACTIONHIST_INVALID_ARGUMENT;
  };
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.model = &model;
  options.log = [](void*, int32_t level, const char*, size_t length) {
    if (level >= ACTIONHIST_DEBUG && level <= ACTIONHIST_ERROR && length > 0) ++logged;
  };
  const Session h("memory:", &options);
  REQUIRE(h(actionhist_history_record, restart).status == ACTIONHIST_OK);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (logged == 0 && std::chrono::steady_clock::now() < give_up) {
    h(actionhist_history_wait_indexed, R"({"timeout_ms":20})");
  }
  CHECK(logged > 0);
  CHECK(h(actionhist_history_health).holds("letters/26/1 refused"));
  CHECK(h(actionhist_history_similar, R"({"text":"crash"})").status == ACTIONHIST_INVALID_ARGUMENT);
}

TEST_CASE("C ABI: a model that says nothing about itself is refused") {
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  actionhist_model model = letters();
  options.model = &model;
  const auto refused = [&] {
    return actionhist_history_open("memory:", 7, &options, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT;
  };
  model.dimension = 0;
  CHECK(refused());
  model.dimension = SIZE_MAX;
  CHECK(refused());
  model = letters();
  model.embed = nullptr;
  CHECK(refused());
  model = letters();
  model.space_id = {};
  CHECK(refused());
  model = letters();
  model.space_id = string_of("bad\xff");
  CHECK(refused());
  model = letters();
  model.size = 0;
  CHECK(refused());
}

namespace {

// A host whose log searches, and whose model makes the first search last until `on_search` returns.
struct Searching {
  actionhist_history* history = nullptr;
  std::promise<void> opened;
  std::shared_future<void> is_open = opened.get_future();
  std::function<void()> on_search;
  std::atomic<bool> searched = false;
};

// `use` runs while the log of such a host, on a thread of the library, is inside a search.
void while_log_searches(const std::function<void(actionhist_history*)>& use) {
  Searching host;
  std::promise<void> under_way;
  std::promise<void> used;
  host.on_search = [&] {
    under_way.set_value();
    used.get_future().wait_for(std::chrono::milliseconds(300));
  };
  actionhist_model model = letters();
  model.user_data = &host;
  model.embed = [](void* user_data, const actionhist_string*, size_t, int32_t role,
                   float*) -> actionhist_status {
    auto& searching = *static_cast<Searching*>(user_data);
    if (role == ACTIONHIST_QUERY && !searching.searched.exchange(true)) searching.on_search();
    return ACTIONHIST_UNAVAILABLE;
  };
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.model = &model;
  options.user_data = &host;
  options.log = [](void* user_data, int32_t, const char*, size_t) {
    auto& searching = *static_cast<Searching*>(user_data);
    searching.is_open.wait();
    const std::string_view request = R"({"text":"crash"})";
    actionhist_history_similar(searching.history, request.data(), request.size(), nullptr, nullptr);
  };
  REQUIRE(actionhist_history_open("memory:", 7, &options, &host.history, nullptr) == ACTIONHIST_OK);
  host.opened.set_value();
  REQUIRE(actionhist_history_record(host.history, restart.data(), restart.size(), nullptr, nullptr) ==
          ACTIONHIST_OK);
  REQUIRE(under_way.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
  use(host.history);
  used.set_value();
}

}  // namespace

TEST_CASE("C ABI: a history may be closed and freed while a callback of its own thread is inside a call") {
  while_log_searches([](actionhist_history* history) {
    if (GENERATE(true, false)) {
      actionhist_history_close(history);
      CHECK(actionhist_history_health(history, nullptr, 0, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
    }
    actionhist_history_free(history);
  });
}

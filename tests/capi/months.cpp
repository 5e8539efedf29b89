// Months of PostgreSQL over the C interface.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "capi/session.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist::test;

namespace {

class Months {
 public:
  explicit Months(std::string_view uri, const actionhist_options* options = nullptr) {
    REQUIRE(actionhist_months_open(uri.data(), uri.size(), options, &months_, nullptr) == ACTIONHIST_OK);
  }
  ~Months() { actionhist_months_free(months_); }
  Months(const Months&) = delete;
  Months& operator=(const Months&) = delete;

  Answer operator()(actionhist_months_operation* operation, std::string_view request = {}) const {
    actionhist_text* text = nullptr;
    actionhist_error* error = nullptr;
    const auto status = operation(months_, request.data(), request.size(), &text, &error);
    return take(status, text, error);
  }

  actionhist_months* get() const { return months_; }

 private:
  actionhist_months* months_ = nullptr;
};

}  // namespace

TEST_CASE("C ABI: a month goes into a file and comes back, and the host may end it on the way") {
  const std::string uri = fresh_database(shared_server());
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = string_of(R"({"tenant":"t","semantic":false})");
  const Session h(uri, &options);
  const std::string old =
      R"({"action_id":"old","action_type":"restart","action_timestamp":"2024-03-05T00:00:00Z"})";
  REQUIRE(h(actionhist_history_record, old).status == ACTIONHIST_OK);

  static std::vector<std::string> steps;
  static bool stops;
  static actionhist_months* own;
  static actionhist_status from_within;
  steps.clear();
  stops = true;
  actionhist_options watched = ACTIONHIST_OPTIONS_INIT;
  watched.settings = string_of(R"({"postgres":{"schema":"actionhist"}})");
  watched.progress = [](void*, const char* step, std::int64_t, std::int64_t) {
    steps.emplace_back(step);
    from_within = actionhist_months_list(own, nullptr, 0, nullptr, nullptr);
    return stops ? 1 : 0;
  };
  const Months months(uri, &watched);
  own = months.get();
  CHECK(months(actionhist_months_list).holds(R"("month":"2024-03","state":"present")"));
  CHECK(months(actionhist_months_ensure, R"({"ahead":5})").holds("\"20"));
  CHECK(months(actionhist_months_ensure, R"({"ahead":5})").text == "[]");

  const TempFolder folder;
  const std::string march = R"({"month":"2024-03","folder":")" + folder.path().string() + "\"}";
  CHECK(months(actionhist_months_archive, march).status == ACTIONHIST_CANCELLED);
  CHECK(steps.size() == 1);
  CHECK(from_within == ACTIONHIST_INVALID_ARGUMENT);
  stops = false;
  const Answer archived = months(actionhist_months_archive, march);
  CHECK(archived.holds(R"("actions":1)"));
  CHECK(h(actionhist_history_get, R"({"action_id":"old"})").text == "null");
  CHECK(months(actionhist_months_archive, march).text == archived.text);
  REQUIRE(months(actionhist_months_restore, march).status == ACTIONHIST_OK);
  CHECK(h(actionhist_history_get, R"({"action_id":"old"})").holds(R"("action_id":"old")"));
  REQUIRE(months(actionhist_months_detach, R"({"month":"2024-03"})").status == ACTIONHIST_OK);
  CHECK(months(actionhist_months_restore, R"({"month":"2024-03"})").status == ACTIONHIST_OK);
}

TEST_CASE("C ABI misuse: months that are not there, or of another engine, are refused by name") {
  actionhist_months* months = nullptr;
  actionhist_error* error = nullptr;
  const auto status = actionhist_months_open("memory:", 7, nullptr, &months, &error);
  const Answer embedded = take(status, nullptr, error);
  CHECK(embedded.status == ACTIONHIST_UNSUPPORTED);
  CHECK(embedded.error.find("PostgreSQL") != std::string::npos);
  CHECK(months == nullptr);
  CHECK(actionhist_months_open(nullptr, 0, nullptr, &months, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_months_open("memory:", 7, nullptr, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_months_list(nullptr, nullptr, 0, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  actionhist_months_free(nullptr);

  const Months nobody("postgresql://nobody@/none?host=/nowhere");
  CHECK(nobody(actionhist_months_list).status == ACTIONHIST_UNAVAILABLE);
  for (const char* request :
       {R"({})", R"({"month":3})", R"({"month":"2024-13"})", R"({"month":"x"})", "[", "\xff"}) {
    INFO(request);
    CHECK(nobody(actionhist_months_detach, request).status == ACTIONHIST_INVALID_ARGUMENT);
  }
  CHECK(nobody(actionhist_months_archive, R"({"month":"2024-03"})").error == "folder: is required");
  CHECK(nobody(actionhist_months_ensure, R"({"ahead":-1})").status == ACTIONHIST_INVALID_ARGUMENT);
}

// Where the index keeps its files, as a host sets it.
#include <catch2/catch.hpp>

#include "capi/session.hpp"
#include "support/samples.hpp"

using namespace actionhist::test;

TEST_CASE("C ABI: the host says where the index keeps its files") {
  // Fewer than some hundred are read from the feed again rather than kept in files.
  std::string actions = "[";
  for (int i = 0; i < 400; ++i) {
    actions += i == 0 ? "" : ",";
    actions += R"({"action_type":"restart_pod","action_timestamp":"2026-03-10T11:00:00Z","name":"web-)" +
               std::to_string(i) + "\"}";
  }
  actions += "]";
  TempFolder folder;
  const std::string place = folder.file("index");
  for (const std::string& given : {place, std::string()}) {
    auto options = options_at_noon();
    const std::string settings = "{\"index_folder\":\"" + given + "\"}";
    options.settings = {settings.data(), settings.size()};
    {
      const Session h("sqlite:" + folder.file("a.db"), &options);
      REQUIRE(h(actionhist_history_record_many, actions).status == ACTIONHIST_OK);
      CHECK(h(actionhist_history_wait_indexed, R"({"timeout_ms":60000})").text == "true");
    }
    CHECK(std::filesystem::exists(place) == !given.empty());
    CHECK_FALSE(std::filesystem::exists(folder.file("a.db.index")));
    std::filesystem::remove_all(place);
  }
}

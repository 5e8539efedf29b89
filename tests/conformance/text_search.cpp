// What every engine promises about the text search that answers while the semantic index cannot.
#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// All engines, and PostgreSQL once more with an index of words.
std::vector<Engine> searched_engines() {
  std::vector<Engine> all = engines();
  all.push_back(
      {"postgresql, indexed", [plain = all.back()](const TempFolder& folder) {
         const std::string uri = plain.uri(folder);
         open(uri, {.tenant = "default", .semantic = false, .postgres = {.indexes = {IndexSet::search}}});
         return uri;
       }});
  return all;
}

struct Fixture {
  Engine engine = GENERATE(from_range(searched_engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .clock = clock});

  Fixture() { UNSCOPED_INFO(engine.name); }

  Action about(std::string id, std::string reasoning, TimePoint at = noon - 1h) {
    Action action = restart(std::move(id), at);
    action.alert_name = "HighLoad";
    action.model_reasoning = std::move(reasoning);
    return action;
  }

  // The ids of what is found, best first.
  std::string found(const std::string& text, const Json& where = {}, int limit = 10) {
    std::string ids;
    for (const Hit& hit : history.similar({.text = text, .limit = limit, .where = where})) {
      CHECK(hit.explain.route == "text");
      CHECK_FALSE(hit.explain.fallback.empty());
      ids += hit.trace.action_id + " ";
    }
    return ids;
  }
};

}  // namespace

TEST_CASE("actions that hold more of the words come first, then the newer ones", "[text]") {
  Fixture f;
  f.history.record(f.about("both", "the volume of the database is full", noon - 3h));
  f.history.record(f.about("older", "the database answers slowly", noon - 2h));
  f.history.record(f.about("newer", "a database fails over", noon - 1h));
  f.history.record(f.about("none", "the certificate has expired"));
  CHECK(f.found("database volume") == "both newer older ");
  CHECK(f.found("database volume", {}, 2) == "both newer ");
  CHECK(f.found("gateway").empty());
}

TEST_CASE("words inside camel case, in parameters and in other scripts are found", "[text]") {
  Fixture f;
  Action camel = f.about("camel", "it stops");
  camel.alert_name = "KubePodCrashLooping";
  f.history.record(camel);
  Action parameters = f.about("parameters", "it stops");
  parameters.action_parameters = Json::object({{"strategy", "canary"}});
  f.history.record(parameters);
  f.history.record(f.about("japanese", "ノードの高負荷が続く"));
  CHECK(f.found("crash") == "camel ");
  CHECK(f.found("canary") == "parameters ");
  CHECK(f.found("負荷") == "japanese ");
}

TEST_CASE("what a query says is looked for as words, whatever characters it has", "[text]") {
  Fixture f;
  f.history.record(f.about("a", "quota \"exceeded\" (NEAR limit) AND* more"));
  CHECK(f.found("\"quota\" OR NOT exceeded* ^limit - NEAR(") == "a ");
  CHECK(f.found("'; DROP TABLE action_texts; --").empty());
}

TEST_CASE("filters hold in the text search", "[text]") {
  Fixture f;
  f.history.record(f.about("a", "the database is full"));
  f.history.record(f.about("b", "the database is full"));
  CHECK(f.found("database", Json::object({{"action_id", "a"}})) == "a ");
  CHECK(f.found("database", Json::object({{"kind", "StatefulSet"}})).empty());
}

TEST_CASE("an error that comes with the outcome is found, and what was erased is not", "[text]") {
  Fixture f;
  f.history.record(f.about("a", "one replica more"));
  CHECK(f.found("quota").empty());
  Outcome outcome;
  outcome.status = Status::failed;
  outcome.execution_error = "the quota is exceeded";
  f.history.complete("a", outcome);
  CHECK(f.found("quota") == "a ");
  outcome.execution_error = "the node is gone";
  f.history.complete("a", outcome, true);
  CHECK(f.found("quota").empty());
  CHECK(f.found("node replica") == "a ");
  f.history.erase("a");
  CHECK(f.found("node replica").empty());
  CHECK(f.history.repository().maintenance().verify().empty());
}

TEST_CASE("words are found whenever they were stored, however many came after them", "[text]") {
  Fixture f;
  const auto word = [](int i) {
    return std::string("xq") + static_cast<char>('a' + i / 26) + static_cast<char>('a' + i % 26) + "xq";
  };
  for (int i = 0; i < 300; ++i) f.history.record(f.about("a-" + std::to_string(i), word(i)));
  int missing = 0;
  for (int i = 0; i < 300; ++i) missing += f.found(word(i)) == "a-" + std::to_string(i) + " " ? 0 : 1;
  CHECK(missing == 0);
  for (int i = 0; i < 300; i += 2) f.history.erase("a-" + std::to_string(i));
  Outcome outcome;
  outcome.status = Status::failed;
  outcome.execution_error = "quota";
  f.history.complete("a-1", outcome);
  f.history.complete("a-299", outcome);
  CHECK(f.found("quota") == "a-1 a-299 ");
  f.history.record(f.about("new", word(298)));
  CHECK(f.found(word(298)) == "new ");
  CHECK(f.found(word(1)) == "a-1 ");
  CHECK(f.found(word(2)).empty());
  CHECK(f.history.repository().maintenance().verify().empty());
}

TEST_CASE("a common word does not hide an older action that has the rare one too", "[text]") {
  Fixture f;
  f.history.record(f.about("old", "the rare word and the common one", noon - 48h));
  std::vector<Action> batch;
  for (int i = 0; i < 6000; ++i)
    batch.push_back(f.about("n-" + std::to_string(i), "common", noon - 1h + i * 1ms));
  f.history.record(batch);
  CHECK(f.found("rare common", {}, 2) == "old n-5999 ");
  CHECK(f.found("common", Json::object({{"action_id", "n-0"}})) == "n-0 ");
}

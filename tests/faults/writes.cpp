// Every multi-step write, failed at each of its writes to the disk: afterwards all of it is there, or none.
#include <catch2/catch.hpp>

#include <sqlite3.h>

#include "semantic/sync.hpp"
#include "support/fault_vfs.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options quiet() { return {.semantic = false, .clock = FixedClock()}; }

// What a user can see of a database, as text.
std::string contents(const std::string& path) {
  History history = open(path, quiet());
  CHECK(history.repository().maintenance().verify().empty());
  std::string text;
  for (const Trace& trace : history.history({.limit = 1000}).traces) text += to_json(trace) + "\n";
  for (const Summary& summary : history.summaries()) text += to_json(summary) + "\n";
  for (const Detection& d : history.repository().patterns().in_force({}, noon)) text += to_json(d) + "\n";
  for (const Alert& alert : history.repository().resources().alerts(noon - 24h, noon))
    text += alert.fingerprint + "\n";
  for (const Item& item : history.items().search({.limit = 1000}))
    text += item.key + item.value.text() + "\n";
  for (const Checkpoint& each : history.checkpoints().find({})) {
    text += each.thread_id + each.checkpoint_id + each.state + "\n";
    for (const CheckpointWrite& write : each.writes) text += write.channel + write.value + "\n";
  }
  const FeedHead head = history.repository().feed().head();
  return text + std::to_string(head.queued) + "/" + std::to_string(head.seq);
}

// Fails `operation` at its 1st, 2nd, … write until it succeeds. `prepare` fills each fresh database.
template <class Prepare, class Operation>
void fail_at_each_step(int code, Prepare prepare, Operation operation) {
  FaultVfs vfs;
  int failures = 0;
  for (int step = 1; step < 500; ++step) {
    TempFolder folder;
    const std::string path = folder.file("h.db");
    {
      History history = open(path, quiet());
      prepare(history);
    }
    const std::string before = contents(path);
    bool failed = false;
    {
      History history = open(path, quiet());
      vfs.fail_at(step, code);
      try {
        operation(history);
      } catch (const Error& error) {
        failed = true;
        CHECK(error.code() == ErrorCode::unavailable);
      }
      const bool met = vfs.met();
      vfs.heal();
      // The History goes on after the fault: nothing hangs and nothing is half done.
      if (failed) CHECK(history.history({}).traces.size() < 1000);
      if (!met) {
        CHECK_FALSE(failed);
        CHECK(contents(path) != before);
        CHECK(failures > 0);
        return;
      }
    }
    INFO("step " << step);
    if (failed) {
      ++failures;
      CHECK(contents(path) == before);
    } else {
      CHECK(contents(path) != before);
    }
  }
  FAIL("the operation never succeeded");
}

void nothing(History&) {}

void two_flips(History& history) {
  Action first = scale("f-1", 3, 5, noon - 10min);
  Action second = scale("f-2", 5, 3, noon - 5min);
  first.outcome = second.outcome = completed();
  first.outcome.resource_state_after = Json::object({{"replicas", 5}});
  second.outcome.resource_state_after = Json::object({{"replicas", 3}});
  const Action both[] = {first, second};
  history.record(both);
}

}  // namespace

TEST_CASE("a batch is all there or not at all, wherever the disk fails", "[faults]") {
  const int code = GENERATE(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC);
  fail_at_each_step(code, nothing, [](History& history) {
    std::vector<Action> batch;
    for (int i = 0; i < 5; ++i) batch.push_back(restart("a-" + std::to_string(i)));
    batch[3].resource.uid = "uid-1";
    history.record(batch);
  });
}

TEST_CASE("an allowed proposal is stored as a whole or not at all", "[faults]") {
  fail_at_each_step(SQLITE_FULL, nothing, [](History& history) {
    if (!history.propose(restart("p-1")).allowed()) throw std::runtime_error("refused");
  });
}

TEST_CASE("a refusal is noted as a whole or not at all", "[faults]") {
  fail_at_each_step(SQLITE_FULL, two_flips, [](History& history) {
    if (history.propose(scale("f-3", 3, 5, noon)).allowed()) throw std::runtime_error("allowed");
  });
}

TEST_CASE("an outcome is there as a whole or not at all", "[faults]") {
  fail_at_each_step(
      SQLITE_IOERR_WRITE, [](History& history) { history.record(restart("a-1")); },
      [](History& history) { history.complete("a-1", completed(0.5)); });
}

TEST_CASE("an action is erased as a whole or not at all", "[faults]") {
  fail_at_each_step(SQLITE_FULL, two_flips, [](History& history) { history.erase("f-1"); });
}

TEST_CASE("a batch of retention goes as a whole or not at all, and the next run goes on", "[faults]") {
  const int code = GENERATE(SQLITE_FULL, SQLITE_IOERR_FSYNC);
  const RetentionRequest request{
      .policy =
          RetentionPolicy{.max_actions = 2, .strategy = RetentionStrategy::oldest_first, .compact = true},
      .batch = 3};
  FaultVfs vfs;
  int failures = 0;
  for (int step = 1; step < 500; ++step) {
    TempFolder folder;
    History history = open(folder.file("h.db"), quiet());
    std::vector<Action> batch;
    for (int i = 0; i < 10; ++i) {
      batch.push_back(restart("a-" + std::to_string(i), noon - std::chrono::days(20 - i)));
      batch.back().outcome = completed(.5);
    }
    history.record(batch);
    vfs.fail_at(step, code);
    bool failed = false;
    try {
      history.apply_retention(request);
    } catch (const Error& error) {
      failed = true;
      CHECK(error.code() == ErrorCode::unavailable);
    }
    const bool met = vfs.met();
    vfs.heal();
    failures += failed ? 1 : 0;
    INFO("step " << step);

    // What went is counted in the sums, in the row of the run and in the counters, each action once.
    const auto expect_sound = [&] {
      const auto left = static_cast<std::int64_t>(history.history({.limit = 100}).traces.size());
      std::int64_t compacted = 0;
      for (const CompactedActions& row : history.compacted(batch[0].resource)) compacted += row.actions;
      std::int64_t deleted = 0;
      for (const RetentionOperation& row : history.retention_operations()) deleted += row.records_deleted;
      CHECK(compacted == 10 - left);
      CHECK(deleted == 10 - left);
      CHECK((left == 10 || left == 7 || left == 4 || left == 2));
      CHECK(history.repository().maintenance().verify().empty());
    };
    expect_sound();
    history.apply_retention(request);
    expect_sound();
    CHECK(history.history({}).traces.size() == 2);
    if (!met) {
      CHECK(failures > 0);
      return;
    }
  }
  FAIL("the run never succeeded");
}

TEST_CASE("a policy is set as a whole or not at all", "[faults]") {
  FaultVfs vfs;
  for (int step = 1; step < 500; ++step) {
    TempFolder folder;
    History history = open(folder.file("h.db"), quiet());
    const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
    const RetentionPolicy policy{.max_actions = 2};
    vfs.fail_at(step, SQLITE_FULL);
    try {
      history.set_retention_policy(policy, web);
    } catch (const Error&) {
    }
    const bool met = vfs.met();
    vfs.heal();
    const bool set = history.retention_policy(web) == policy;
    CHECK(history.retention_policies().size() == (set ? 1U : 0U));
    if (!met) {
      CHECK(set);
      return;
    }
  }
  FAIL("it never succeeded");
}

TEST_CASE("a batch of items is written as a whole or not at all", "[faults]") {
  const auto put = [](History& history, std::vector<ItemChange> changes) { history.items().put(changes); };
  fail_at_each_step(
      SQLITE_FULL,
      [&](History& history) {
        put(history, {{{"n"}, "old", Json::object({{"v", 1}})}});
      },
      [&](History& history) {
        put(history,
            {{{"n"}, "new", Json::object({{"v", 2}})}, {{"n"}, "old", {}}, {{"m"}, "x", Json::object({})}});
      });
}

TEST_CASE("a thread of checkpoints is written, copied and removed as a whole or not at all", "[faults]") {
  const auto thread = [](History& history) {
    for (const char* id : {"1", "2"}) {
      Checkpoint checkpoint;
      checkpoint.thread_id = "t";
      checkpoint.checkpoint_id = id;
      checkpoint.state = std::string(5000, 's');
      history.checkpoints().put(checkpoint);
    }
  };
  const auto write = [](History& history) {
    const CheckpointWrite writes[] = {{"task", "", 0, "a", "", "1"}, {"task", "", 1, "b", "", "2"}};
    history.checkpoints().put_writes({"t", "", "2"}, writes);
  };
  const auto written = [&](History& history) {
    thread(history);
    write(history);
  };
  SECTION("written") { fail_at_each_step(SQLITE_IOERR_WRITE, thread, write); }
  SECTION("copied") {
    fail_at_each_step(SQLITE_FULL, written,
                      [](History& history) { history.checkpoints().copy_thread("t", "copy"); });
  }
  SECTION("removed") {
    fail_at_each_step(SQLITE_FULL, written,
                      [](History& history) { history.checkpoints().remove_thread("t"); });
  }
}

TEST_CASE("an alert is stored or not", "[faults]") {
  fail_at_each_step(SQLITE_FULL, nothing,
                    [](History& history) { history.observe({.name = "HighLoad", .starts_at = noon - 1h}); });
}

TEST_CASE("the worker's step can fail anywhere and be run again", "[faults]") {
  FaultVfs vfs;
  const auto model = hashed_lexical_model();
  const auto source = [](History& history) {
    return [&history](std::span<const std::string> ids) {
      std::vector<FeedSubject> subjects;
      for (const Trace& trace : history.repository().actions().get(ids)) {
        FeedSubject& subject = subjects.emplace_back();
        subject.subject_id = trace.action_id;
        subject.text = trace.model_reasoning;
        subject.content_hash = trace.action_id;
        subject.fields = Json::object({{"kind", trace.resource.kind}});
      }
      return subjects;
    };
  };
  int failures = 0;
  for (int step = 1; step < 500; ++step) {
    TempFolder folder;
    History history = open(folder.file("h.db"), quiet());
    std::vector<Action> batch;
    for (int i = 0; i < 5; ++i) batch.push_back(restart("a-" + std::to_string(i)));
    history.record(batch);
    history.record(restart("gone"));
    history.erase("gone");
    FeedStore& feed = history.repository().feed();

    vfs.fail_at(step, SQLITE_FULL);
    bool failed = false;
    try {
      FeedWorker(history.repository(), model, source(history)).step();
    } catch (const Error&) {
      failed = true;
    }
    const bool met = vfs.met();
    vfs.heal();
    failures += failed ? 1 : 0;

    // Another worker takes over once the lease is given back; the index equals the table.
    FeedWorker again(history.repository(), model, source(history));
    Replica replica(feed, model->space_id(), model->dimension());
    while (replica.step()) {
    }
    if (failed) {
      const bool leased_elsewhere = !feed.head().worker.empty();
      if (leased_elsewhere) feed.release(feed.head().worker);
      while (again.step()) {
      }
      while (replica.step()) {
      }
    }
    INFO("step " << step);
    CHECK(feed.head().queued == 0);
    CHECK(replica.index().stats().rows == 5);
    CHECK(replica.index().stats().vectors == 5);
    if (!met) {
      CHECK(failures > 0);
      return;
    }
  }
  FAIL("the step never succeeded");
}

TEST_CASE("what cannot be stored is let pass only where the host wants it, and says so", "[faults]") {
  FaultVfs vfs;
  TempFolder folder;
  Options options = quiet();
  options.on_unavailable = OnUnavailable::allow;
  History history = open(folder.file("h.db"), options);
  vfs.fail_at(1, SQLITE_FULL);
  const Verdict verdict = history.propose(restart("a"));
  REQUIRE(vfs.met());
  vfs.heal();
  CHECK(verdict.allowed());
  CHECK_FALSE(verdict.trace);
  CHECK(verdict.reason.find("without a record") != std::string::npos);
  CHECK_FALSE(history.get("a"));
  CHECK(history.propose(restart("a")).trace);
}

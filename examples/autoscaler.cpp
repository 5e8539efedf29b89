// A small agent that really acts. It starts and stops worker processes behind a queue as naive thresholds
// tell it, and the guard stops it when it only goes to and fro. At the end it asks what helped.
//   example_autoscaler [--seconds N] [--db URI]
// The exit status is 0 when the guard refused a step and the memory found similar ones.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "scaling_agent.hpp"

using namespace actionhist;
using namespace std::chrono_literals;

namespace {

struct Arguments {
  double seconds = 12;
  std::string db = "memory:";
};

constexpr const char* usage = "usage: example_autoscaler [--seconds N] [--db URI]";
constexpr const char* question = "queue backlog, workers idle soon after scaling down";

volatile std::sig_atomic_t interrupted = 0;

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    const bool known = option == "--seconds" || option == "--db";
    if (!known || i + 1 == argc) throw std::invalid_argument(usage);
    if (option == "--db") {
      arguments.db = argv[i + 1];
    } else {
      arguments.seconds = std::atof(argv[i + 1]);
    }
  }
  return arguments;
}

std::string bar(int filled, int width) {
  std::string text(static_cast<std::size_t>(width), '.');
  for (int i = 0; i < std::min(filled, width); ++i) text[static_cast<std::size_t>(i)] = '#';
  return text;
}

void print_reading(double elapsed, const Reading& now, const std::string& event) {
  std::printf("%5.2f s  load %3d/s  busy %3.0f %%  workers %d %s  queue %3d %s  %s\n", elapsed,
              JobLoad::jobs_per_second(elapsed), now.busy * 100, now.workers, bar(now.workers, 6).c_str(),
              now.queued, bar((now.queued + 4) / 5, 10).c_str(), event.c_str());
}

void print_trace(const Trace& trace) {
  std::printf("  %.19s  %-16s  %-12s  %14s -> %-14s", format_time(trace.time()).c_str(),
              trace.action_type.c_str(), trace.alert_name.c_str(), trace.resource_state_before.text().c_str(),
              trace.outcome.resource_state_after.text().c_str());
  if (trace.outcome.effectiveness_score) {
    std::printf("  %.2f  %s", *trace.outcome.effectiveness_score, trace.outcome.effectiveness_notes.c_str());
  }
  std::printf("\n");
}

void print_refusal(History& history, const Verdict& verdict) {
  std::printf("\n  refused      %s: %s\n", std::string(to_string(verdict.decision)).c_str(),
              verdict.reason.c_str());
  std::printf("  retry after  %s\n", format_time(*verdict.retry_after).c_str());
  const Detection& detection = verdict.detections.front();
  std::printf("  evidence     %s, severity %s, from these actions and the one that was proposed:\n",
              std::string(to_string(detection.pattern_type)).c_str(),
              std::string(to_string(detection.severity)).c_str());
  for (const std::string& id : detection.action_ids) {
    if (const auto trace = history.get(id)) print_trace(*trace);
  }
  std::printf("\n");
}

// Keeps the pool under load and lets the agent look at it every tick. The time of the load stands still while
// the machine does: a pause of this process is one of the workers, too.
void run(History& history, WorkerPool& pool, ScalingAgent& agent, double seconds) {
  constexpr double tick = 0.25;
  constexpr double longest_step = 0.015;
  JobLoad load(pool);
  double elapsed = 0;
  auto last = std::chrono::steady_clock::now();
  for (int ticks = 1; elapsed < seconds && !interrupted; std::this_thread::sleep_for(10ms)) {
    const auto now = std::chrono::steady_clock::now();
    elapsed += std::min(longest_step, std::chrono::duration<double>(now - last).count());
    last = now;
    load.feed(elapsed);
    if (elapsed < ticks * tick) continue;
    const bool held = agent.holds();
    const Reading reading = load.read(elapsed);
    const std::string event = agent.tick(reading);
    if ((!event.empty() && !held) || ticks % 2 == 0) print_reading(elapsed, reading, event);
    if (!held && agent.holds()) print_refusal(history, *agent.refusal());
    ++ticks;
  }
  if (!interrupted) agent.finish(load.read(elapsed));
}

// Asks the memory what happened before in such a case, and shows all that it knows of the resource.
std::size_t report(History& history) {
  SimilarQuery query;
  query.text = question;
  query.limit = 4;
  query.fresh = true;
  const std::vector<Hit> hits = history.similar(query);
  std::printf("\nWhat helped before? \"%s\"\n", question);
  const Trace* best = nullptr;
  for (const Hit& hit : hits) {
    std::printf("%.2f", hit.score);
    print_trace(hit.trace);
    const auto& score = hit.trace.outcome.effectiveness_score;
    if (score && (best == nullptr || *score > *best->outcome.effectiveness_score)) best = &hit.trace;
  }
  if (best != nullptr) {
    std::printf("Best of these: %s. %s\n", best->action_type.c_str(),
                best->outcome.effectiveness_notes.c_str());
  }

  ActionQuery everything;
  everything.resource = ScalingAgent::resource();
  std::printf("\nHistory of %s, newest first\n", to_string(everything.resource).c_str());
  for (const Trace& trace : history.history(everything).traces) print_trace(trace);
  return hits.size();
}

int demonstrate(const Arguments& arguments) {
  WorkerPool pool(4);
  History history = open(arguments.db);
  ScalingAgent agent(history, pool);
  run(history, pool, agent, arguments.seconds);
  const std::size_t found = report(history);
  if (interrupted) return 130;
  return agent.refusal() && found > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--worker") return WorkerPool::work();
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  try {
    return demonstrate(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "example_autoscaler: %s\n", error.what());
    return 2;
  }
}

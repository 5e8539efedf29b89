// How well the surprise of the least expected step tells abnormal sequences of a log from normal ones, after
// learning from normal ones alone.
// Usage: anomaly [--data DIR] [--json]. DIR is laid out like ../shared/data; ACTIONHIST_DATA names another.
#include <chrono>
#include <fstream>

#include <fmt/format.h>

#include <actionhist/actionhist.hpp>

#include "core/json_io.hpp"
#include "data_main.hpp"
#include "report.hpp"

namespace {

using namespace actionhist;
using benchmark::Report;

struct Sequence {
  std::vector<std::string> steps;
  bool abnormal = false;
};

std::vector<Sequence> read_sequences(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::not_found, path + ": is not there");
  std::vector<Sequence> sequences;
  JsonDocument document;
  for (std::string line; std::getline(file, line);) {
    const JsonElement row = document.parse(line, path);
    Sequence& sequence = sequences.emplace_back();
    sequence.abnormal = std::int64_t(row["y"]) == 1;
    for (JsonElement step : simdjson::dom::array(row["seq"])) {
      sequence.steps.push_back(std::to_string(std::int64_t(step)));
    }
  }
  return sequences;
}

double microseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

void run(const std::string& data, bool as_json) {
  std::vector<std::vector<std::string>> normal;
  for (Sequence& sequence : read_sequences(data + "/anomaly/hdfs_seq_train_normal.jsonl")) {
    normal.push_back(std::move(sequence.steps));
  }
  const std::vector<Sequence> asked = read_sequences(data + "/anomaly/hdfs_seq.jsonl");

  auto start = std::chrono::steady_clock::now();
  const SequenceModel model(normal);
  const double threshold = model.threshold();
  const double learning = microseconds_since(start) / static_cast<double>(normal.size());
  double hits = 0;
  double false_alarms = 0;
  double misses = 0;
  start = std::chrono::steady_clock::now();
  for (const Sequence& sequence : asked) {
    const bool found = model.surprise(sequence.steps).nats > threshold;
    hits += found && sequence.abnormal;
    false_alarms += found && !sequence.abnormal;
    misses += !found && sequence.abnormal;
  }
  const double judging = microseconds_since(start) / static_cast<double>(asked.size());

  Report out("anomaly", as_json);
  out.add("hdfs", "sequences", static_cast<double>(asked.size()), "sequences");
  out.add("hdfs", "precision", hits / (hits + false_alarms), "ratio");
  out.add("hdfs", "recall", hits / (hits + misses), "ratio");
  out.add("hdfs", "f1", 2 * hits / (2 * hits + false_alarms + misses), "ratio");
  out.add("hdfs", "learn_a_sequence", learning, "us");
  out.add("hdfs", "judge_a_sequence", judging, "us");
}

}  // namespace

int main(int argc, char** argv) { return benchmark::data_main("anomaly", argc, argv, run); }

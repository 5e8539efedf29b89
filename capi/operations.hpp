// The operations of the C ABI: a request as JSON, an answer as JSON. actionhist.h says what each does.
// All throw Error: invalid_argument, naming the member, beside what History throws.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <actionhist/history.hpp>

#include "options.hpp"

namespace actionhist::capi {

std::string record(History& history, std::string_view request);
std::string record_many(History& history, std::string_view request);
// `override` is a word of C++.
std::string let_pass(History& history, std::string_view request);
std::string check(History& history, std::string_view request);
std::string start(History& history, std::string_view request);
std::string complete(History& history, std::string_view request);
std::string assess(History& history, std::string_view request);
std::string observe(History& history, std::string_view request);
std::string link(History& history, std::string_view request);
std::string erase(History& history, std::string_view request);
std::string resource_seen(History& history, std::string_view request);
std::string resource_deleted(History& history, std::string_view request);
std::string get(History& history, std::string_view request);
std::string find(History& history, std::string_view request);
std::string similar(History& history, std::string_view request);
// REQUIRES: `vector` is not empty.
std::string similar(History& history, std::string_view request, std::vector<float> vector);
std::string detect(History& history, std::string_view request);
std::string recommend(History& history, std::string_view request);
std::string context(History& history, std::string_view request);
std::string metrics(History& history, std::string_view request);
std::string refresh_metrics(History& history, std::string_view request);
std::string lease_assessments(History& history, std::string_view request);
std::string summaries(History& history, std::string_view request);
std::string wait_indexed(History& history, std::string_view request);
std::string retention_policy(History& history, std::string_view request);
std::string retention_policies(History& history, std::string_view request);
std::string set_retention_policy(History& history, std::string_view request);
std::string retention_plan(History& history, std::string_view request);
std::string apply_retention(History& history, std::string_view request, const Progress& progress);
std::string retention_operations(History& history, std::string_view request);
std::string compacted(History& history, std::string_view request);
std::string resolve(History& history, std::string_view request);
std::string settle(History& history, std::string_view request);
std::string anomalies(History& history, std::string_view request);
std::string clusters(History& history, std::string_view request);
std::string duplicates(History& history, std::string_view request);
std::string projection(History& history, std::string_view request);
std::string analyse(History& history, std::string_view request);
std::string upkeep(History& history, std::string_view request);
std::string detection(History& history, std::string_view request);
std::string detections(History& history, std::string_view request);
std::string overrides(History& history, std::string_view request);
std::string guard_policy(History& history, std::string_view request);
std::string set_guard_policy(History& history, std::string_view request);
std::string remove_pattern(History& history, std::string_view request);
std::string patterns(History& history, std::string_view request);
std::string put_pattern(History& history, std::string_view request);
std::string health(History& history, std::string_view request);
std::string verify(History& history, std::string_view request);

}  // namespace actionhist::capi

#include "options.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/names.hpp"
#include "request.hpp"

namespace actionhist::capi {
namespace {

constexpr NameTable<OnUnavailable, 2> on_unavailable_names{{
    {OnUnavailable::deny, "deny"},
    {OnUnavailable::allow, "allow"},
}};

// From 1970 to 2200, as any sane clock has it; what lies beyond would overflow further on.
constexpr std::int64_t latest_time = 7'258'118'400'000'000;

void read_settings(std::string_view json, HostOptions& host) {
  if (json.empty()) return;
  JsonDocument document;
  FieldReader reader(document.parse(json, "settings"), "settings");
  Options& options = host.options;
  read_given(reader, "tenant", options.tenant);
  reader("run_migrations", options.run_migrations);
  reader("read_only", options.read_only);
  reader("semantic", options.semantic);
  reader("worker", options.worker);
  reader("redact", options.redact);
  std::string on_unavailable;
  reader("on_unavailable", on_unavailable);
  if (!on_unavailable.empty()) {
    options.on_unavailable = value_of(on_unavailable_names, on_unavailable, "on_unavailable");
  }
  std::int64_t busy_timeout_ms = options.busy_timeout.count();
  reader("busy_timeout_ms", busy_timeout_ms);
  options.busy_timeout = std::chrono::milliseconds(busy_timeout_ms);
  std::int64_t upkeep_seconds = options.upkeep_interval.count();
  reader("upkeep_seconds", upkeep_seconds);
  options.upkeep_interval = std::chrono::seconds(upkeep_seconds);
  Json postgres;
  reader("postgres", postgres);
  if (!postgres.absent()) options.postgres = parse_postgres_options(postgres.text());
  std::string model;
  Json model_options;
  reader("model", model);
  reader("model_options", model_options);
  if (!model.empty()) {
    if (options.model) refuse("settings.model", "is given beside the model of the host");
    options.model = open_model(
        model, model_options.absent() ? ModelOptions() : parse_model_options(model_options.text()));
  }
  read_given(reader, "index_folder", options.index_folder);
  reader("submit_threads", host.submit_threads);
  require_between("submit_threads", host.submit_threads, 1, 64);
  reader.expect_done();
}

}  // namespace

UserData own(void* user_data, void (*destroy)(void*)) {
  return {user_data, [destroy](void* last) {
            if (destroy != nullptr) destroy(last);
          }};
}

void require_size(const void* given, std::size_t size, std::size_t first, std::size_t known,
                  std::string_view name) {
  // Far beyond any later version: memory that was never set.
  constexpr std::size_t absurd = 65'536;
  if (size < first || size > absurd) {
    refuse(fmt::format("{}.size", name), "is not set; begin with its _INIT macro");
  }
  const auto* const bytes = static_cast<const unsigned char*>(given);
  for (std::size_t at = known; at < size; ++at) {
    if (bytes[at] != 0) {
      throw Error(ErrorCode::unsupported, fmt::format("{}: sets what this library, ABI {}, does not know",
                                                      name, ACTIONHIST_ABI_VERSION));
    }
  }
}

HostOptions read_options(const actionhist_options* given) {
  HostOptions host;
  if (given == nullptr) return host;
  require_size(given, given->size, ACTIONHIST_OPTIONS_SIZE_1, sizeof(actionhist_options), "options");
  const UserData user_data = own(given->user_data, given->destroy);
  if (given->model != nullptr) host.options.model = host_model(given->model);
  if (given->log != nullptr) {
    host.options.log = [log = given->log, user_data](LogLevel level, std::string_view message) {
      log(user_data.get(), static_cast<std::int32_t>(level), message.data(), message.size());
    };
  }
  if (given->clock != nullptr) {
    host.options.clock = [clock = given->clock, user_data] {
      const std::int64_t microseconds = clock(user_data.get());
      if (microseconds < 0 || microseconds > latest_time) refuse("clock", "gave no time from 1970 to 2200");
      return TimePoint(std::chrono::microseconds(microseconds));
    };
  }
  // Also holds the data of a host that only wants `destroy`.
  host.refused = [refused = given->refused, user_data](std::string_view verdict) {
    if (refused != nullptr) refused(user_data.get(), verdict.data(), verdict.size());
  };
  // A host that was built with the first version has no such members.
  const auto has = [&](std::size_t offset) { return given->size >= offset + sizeof(void (*)(void)); };
  if (has(offsetof(actionhist_options, progress)) && given->progress != nullptr) {
    host.progress = [progress = given->progress, user_data](const std::string& operation, std::int64_t done,
                                                            std::int64_t left) {
      if (progress(user_data.get(), operation.c_str(), done, left) == 0) return;
      throw Error(ErrorCode::cancelled, operation + ": the host ended it; another call goes on");
    };
  }
  if (has(offsetof(actionhist_options, detected)) && given->detected != nullptr) {
    host.options.on_detection = [detected = given->detected, user_data](const DetectionNotice& notice) {
      const std::string text = to_json(notice);
      detected(user_data.get(), text.data(), text.size());
    };
  }
  read_settings(text_of(given->settings, "settings"), host);
  return host;
}

}  // namespace actionhist::capi

// The states of an agent's runs.
#include <actionhist/checkpoints.hpp>

#include <set>

#include <fmt/format.h>

#include <actionhist/repository.hpp>

#include "core/json_fields.hpp"
#include "history/validate.hpp"
#include "semantic/fields.hpp"

namespace actionhist {
namespace {

constexpr std::size_t max_ns_bytes = 1024;
constexpr std::size_t max_state_bytes = std::size_t{256} * 1024 * 1024;
constexpr int max_checkpoints = 10'000;
// How many are read at once where a filter looks at all of them.
constexpr int checkpoints_page = 100;

void validate(const CheckpointKey& key) {
  validate_id(key.thread_id, "thread_id");
  validate_text(key.checkpoint_ns, "checkpoint_ns", max_ns_bytes);
  validate_id(key.checkpoint_id, "checkpoint_id");
}

void validate_bytes(std::string_view bytes, std::string_view field) {
  if (bytes.size() > max_state_bytes) {
    refuse(field, fmt::format("is {} bytes long, at most {} are kept", bytes.size(), max_state_bytes));
  }
}

}  // namespace

void Checkpoints::put(const Checkpoint& checkpoint) {
  validate(checkpoint);
  if (!checkpoint.parent_id.empty()) validate_id(checkpoint.parent_id, "parent_id");
  validate_text(checkpoint.format, "format", max_ns_bytes);
  validate_bytes(checkpoint.state, "state");
  if (!checkpoint.metadata.absent() && checkpoint.metadata.text().front() != '{') {
    refuse("metadata", "must be a JSON object");
  }
  Checkpoint stored = checkpoint;
  stored.created_at = clock_();
  repository_.checkpoints().put(stored);
}

void Checkpoints::put_writes(const CheckpointKey& checkpoint, std::span<const CheckpointWrite> writes) {
  validate(checkpoint);
  std::set<std::pair<std::string_view, std::int64_t>> places;
  for (const CheckpointWrite& write : writes) {
    validate_id(write.task_id, "task_id");
    validate_text(write.task_path, "task_path", max_ns_bytes);
    validate_text(write.channel, "channel", max_ns_bytes);
    validate_text(write.format, "format", max_ns_bytes);
    validate_bytes(write.value, "value");
    if (!places.emplace(write.task_id, write.place).second) {
      refuse("place", fmt::format("{} is given twice for task \"{}\"", write.place, write.task_id));
    }
  }
  if (!writes.empty()) repository_.checkpoints().put_writes(checkpoint, writes);
}

std::vector<Checkpoint> Checkpoints::find(const CheckpointQuery& query) {
  require_between("limit", query.limit, 1, max_checkpoints);
  const Filter filter = parse_filter(query.where);
  const bool filtered = !query.where.absent();
  const auto wanted = static_cast<std::size_t>(query.limit);
  CheckpointStore& store = repository_.checkpoints();
  CheckpointScan scan{query.thread_id,
                      query.checkpoint_ns,
                      query.checkpoint_id,
                      query.before,
                      query.after,
                      query.states,
                      filtered ? checkpoints_page : query.limit};
  std::vector<Checkpoint> found;
  while (true) {
    std::vector<Checkpoint> page = store.scan(scan);
    const bool last = page.size() < static_cast<std::size_t>(scan.limit);
    if (!page.empty()) scan.after = page.back();
    Fields metadata;
    for (std::size_t i = 0; i < page.size(); ++i)
      metadata.set(static_cast<std::uint32_t>(i), page[i].metadata);
    metadata.select(filter, page.size()).for_each([&](std::size_t i) {
      if (found.size() < wanted) found.push_back(std::move(page[i]));
    });
    if (last || found.size() == wanted) break;
  }
  if (query.states && !found.empty()) store.read_writes(found);
  return found;
}

std::int64_t Checkpoints::remove(std::span<const CheckpointKey> keys) {
  for (const CheckpointKey& key : keys) validate(key);
  return keys.empty() ? 0 : repository_.checkpoints().remove(keys);
}

void Checkpoints::remove_thread(std::string_view thread_id) {
  validate_id(thread_id, "thread_id");
  repository_.checkpoints().remove_thread(thread_id);
}

void Checkpoints::copy_thread(std::string_view source, std::string_view target) {
  validate_id(source, "source");
  validate_id(target, "target");
  if (source == target) refuse("target", "is the source");
  repository_.checkpoints().copy_thread(source, target);
}

}  // namespace actionhist

// What agents keep beside their actions, and how it is found again.
#include <actionhist/items.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <actionhist/repository.hpp>

#include "core/filter.hpp"
#include "core/json_fields.hpp"
#include "embedding/unit_vector.hpp"
#include "history/redaction.hpp"
#include "history/validate.hpp"
#include "semantic/kernels.hpp"

namespace actionhist {
namespace {

constexpr std::size_t max_path_bytes = 1024;
constexpr std::size_t max_key_bytes = 1024;
constexpr std::size_t max_vectors = 1000;
constexpr std::size_t max_dimension = 65'536;
constexpr int max_items = 10'000;
constexpr std::chrono::microseconds longest_ttl = std::chrono::days{36'525};
// How many rows are read at once where all of them are looked at.
constexpr int items_page = 2000;
constexpr std::size_t texts_at_once = 256;
// How many items whose time is over a put() takes along.
constexpr int swept_by_the_way = 100;

void validate(const Namespace& labels, std::string_view field) {
  std::size_t bytes = 0;
  for (const std::string& label : labels) {
    if (label.empty()) refuse(field, "has an empty label");
    validate_text(label, field, max_path_bytes);
    // One of them joins the labels where they are stored.
    if (std::ranges::any_of(label, [](unsigned char c) { return c < 0x20; })) {
      refuse(field, "holds a control character");
    }
    bytes += label.size() + 1;
  }
  if (bytes > max_path_bytes) refuse(field, fmt::format("is longer than {} bytes", max_path_bytes));
}

void validate(const ItemKey& key) {
  if (key.namespace_.empty()) refuse("namespace", "is required");
  validate(key.namespace_, "namespace");
  if (key.key.empty()) refuse("key", "is required");
  validate_text(key.key, "key", max_key_bytes);
}

void validate_limit(int limit, int offset) {
  require_between("limit", limit, 1, max_items);
  if (offset < 0) refuse("offset", "is negative");
}

// All text in a value, in the order of its keys.
void add_texts(JsonElement element, std::string& text) {
  std::string_view string;
  if (element.get(string) == simdjson::SUCCESS) {
    if (!text.empty()) text += '\n';
    text += string;
  } else if (element.is_object()) {
    for (auto [key, member] : simdjson::dom::object(element)) add_texts(member, text);
  } else if (element.is_array()) {
    for (JsonElement each : simdjson::dom::array(element)) add_texts(each, text);
  }
}

void validate_vector(std::span<const float> vector, std::string_view field) {
  if (vector.empty() || vector.size() > max_dimension) {
    refuse(field, fmt::format("has {} dimensions, not 1 to {}", vector.size(), max_dimension));
  }
  if (!std::ranges::all_of(vector, [](float value) { return std::isfinite(value); })) {
    refuse(field, "holds a value that is not finite");
  }
}

void add_vector(StoredItem& item, std::span<float> vector) {
  if (normalize(vector)) item.vectors.insert(item.vectors.end(), vector.begin(), vector.end());
}

// The vectors that a change brings.
void add_given_vectors(StoredItem& item, const ItemChange& change) {
  if (change.space_id.empty()) refuse("space_id", "is required with vectors");
  validate_text(change.space_id, "space_id", max_key_bytes);
  if (change.vectors.size() > max_vectors) refuse("vectors", fmt::format("are more than {}", max_vectors));
  for (std::vector<float> vector : change.vectors) {
    validate_vector(vector, "vectors");
    if (vector.size() != change.vectors.front().size()) refuse("vectors", "have different dimensions");
    add_vector(item, vector);
  }
  item.space_id = change.space_id;
}

// What an item is found by where a change brings no vectors, without secrets; null: with them.
std::vector<std::string> texts_of(const ItemChange& change, const Redactor* redactor) {
  std::vector<std::string> texts = change.texts.value_or(std::vector<std::string>());
  if (!change.texts) {
    Json value = change.value;
    if (redactor != nullptr) redactor->redact(value, "value");
    JsonDocument document;
    add_texts(document.parse(value), texts.emplace_back());
  }
  if (redactor != nullptr) {
    for (std::string& text : texts) redactor->redact(text);
  }
  std::erase(texts, std::string());
  if (texts.size() > max_vectors) refuse("texts", fmt::format("are more than {}", max_vectors));
  return texts;
}

// Gives items the vectors of their texts. Many texts go into one call: to a server it is one request, and to a
// transformer one multiplication of larger matrices.
void embed(std::map<ItemKey, StoredItem>& items, const std::map<ItemKey, std::vector<std::string>>& texts,
           const EmbeddingModel& model) {
  std::vector<std::pair<StoredItem*, std::string_view>> all;
  for (const auto& [key, each] : texts) {
    for (const std::string& text : each) all.emplace_back(&items.at(key), text);
  }
  for (std::span rest(all); !rest.empty();) {
    const auto now = rest.first(std::min(rest.size(), texts_at_once));
    rest = rest.subspan(now.size());
    std::vector<std::string_view> views;
    for (const auto& [item, text] : now) views.push_back(text);
    std::vector<float> made(now.size() * model.dimension());
    model.embed(views, EmbeddingRole::document, made);
    for (std::size_t i = 0; i < now.size(); ++i) {
      add_vector(*now[i].first, std::span(made).subspan(i * model.dimension(), model.dimension()));
      now[i].first->space_id = model.space_id();
    }
  }
}

// The best cosine of an item's vectors; absent without one of this space and dimension.
std::optional<double> best_cosine(const StoredItem& item, std::span<const float> query,
                                  std::string_view space_id) {
  if (item.vectors.empty() || item.space_id != space_id || item.vectors.size() % query.size() != 0) return {};
  std::optional<double> best;
  for (std::size_t at = 0; at < item.vectors.size(); at += query.size()) {
    const double cosine = kernels().dot(item.vectors.data() + at, query.data(), query.size());
    if (!best || cosine > *best) best = cosine;
  }
  return best;
}

// Reads all items that pass the filter, page by page.
template <class Use>
void for_each(ItemStore& store, const ItemQuery& query, TimePoint now, bool vectors, Use&& use) {
  const Filter filter = parse_filter(query.where);
  ItemScan scan{query.under, now, {}, vectors, items_page};
  JsonDocument document;
  std::vector<StoredItem> page;
  do {
    page = store.scan(scan);
    if (!page.empty()) scan.after = page.back();
    for (StoredItem& item : page) {
      if (query.where.absent() || matches(filter, document.parse(item.value))) use(std::move(item));
    }
  } while (page.size() == static_cast<std::size_t>(items_page));
}

// Keeps the best `size` of what is added, in the order of `before`.
template <class Before>
class Best {
 public:
  Best(std::size_t size, Before before) : size_(size), before_(before) {}

  void add(Item item) {
    if (items_.size() == size_ && !before_(item, items_.front())) return;
    items_.push_back(std::move(item));
    std::ranges::push_heap(items_, before_);
    if (items_.size() <= size_) return;
    std::ranges::pop_heap(items_, before_);
    items_.pop_back();
  }

  std::vector<Item> take(int offset) {
    std::ranges::sort_heap(items_, before_);
    const auto skipped = std::min(items_.size(), static_cast<std::size_t>(offset));
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(skipped));
    return std::move(items_);
  }

 private:
  std::size_t size_;
  Before before_;
  std::vector<Item> items_;  // a heap, the last in order on top
};

bool newer(const Item& a, const Item& b) {
  if (a.updated_at != b.updated_at) return a.updated_at > b.updated_at;
  return static_cast<const ItemKey&>(a) < static_cast<const ItemKey&>(b);
}

bool nearer(const Item& a, const Item& b) {
  if (a.score != b.score) return a.score > b.score;  // one without a score is the least
  return newer(a, b);
}

bool matches_at(const Namespace& labels, std::size_t at, const Namespace& pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != "*" && pattern[i] != labels[at + i]) return false;
  }
  return true;
}

bool matches(const Namespace& labels, const NamespaceQuery& query) {
  return labels.size() >= std::max(query.prefix.size(), query.suffix.size()) &&
         matches_at(labels, 0, query.prefix) &&
         matches_at(labels, labels.size() - query.suffix.size(), query.suffix);
}

}  // namespace

// Items with a time to live begin it again, and are told as they will be from now on.
void Items::renew(std::vector<Item>& found, TimePoint now) {
  if (read_only_) return;
  std::vector<ItemKey> keys;
  for (Item& item : found) {
    if (!item.ttl) continue;
    keys.push_back(item);
    item.expires_at = now + *item.ttl;
  }
  std::ranges::sort(keys);
  const auto repeated = std::ranges::unique(keys);
  keys.erase(repeated.begin(), repeated.end());
  if (!keys.empty()) repository_.items().renew(keys, now);
}

void Items::put(std::span<const ItemChange> changes) {
  const TimePoint now = clock_();
  std::map<ItemKey, StoredItem> last;                 // of each item; in order, as every writer takes them
  std::map<ItemKey, std::vector<std::string>> texts;  // of those that have them
  for (const ItemChange& change : changes) {
    StoredItem item;
    item.namespace_ = change.namespace_;
    item.key = change.key;
    validate(item);
    item.value = change.value;
    if (!item.value.absent()) {
      if (item.value.text().front() != '{') refuse("value", "must be a JSON object");
      if (change.ttl && change.ttl->count() <= 0) refuse("ttl", "must be more than zero");
      if (change.ttl && *change.ttl > longest_ttl)
        refuse("ttl", "is more than a hundred years; without one an item is kept for good");
      item.created_at = item.updated_at = now;
      item.ttl = change.ttl;
      if (change.ttl) item.expires_at = now + *change.ttl;
    }
    texts.erase(item);
    if (!change.vectors.empty() && !item.value.absent()) {
      add_given_vectors(item, change);
    } else if (!item.value.absent()) {
      texts.emplace(item, texts_of(change, redactor_));
    }
    last.insert_or_assign(item, item);
  }
  embed(last, texts, model_);
  std::vector<StoredItem> put;
  std::vector<ItemKey> removed;
  for (auto& [key, item] : last) {
    if (item.value.absent()) {
      removed.push_back(key);
    } else {
      put.push_back(std::move(item));
    }
  }
  ItemStore& store = repository_.items();
  repository_.transaction([&] {
    if (!put.empty()) store.put(put);
    if (!removed.empty()) store.remove(removed);
    store.expire(now, swept_by_the_way);
  });
}

std::vector<std::optional<Item>> Items::get(std::span<const ItemKey> keys, bool renew) {
  for (const ItemKey& key : keys) validate(key);
  const TimePoint now = clock_();
  std::vector<Item> found = repository_.items().get(keys, now);
  if (renew) this->renew(found, now);
  std::map<ItemKey, Item> by_key;
  for (Item& item : found) by_key.try_emplace(item, item);
  std::vector<std::optional<Item>> items;
  for (const ItemKey& key : keys) {
    const auto at = by_key.find(key);
    items.push_back(at != by_key.end() ? std::optional(at->second) : std::nullopt);
  }
  return items;
}

std::vector<Item> Items::newest(const ItemQuery& query, TimePoint now) {
  return repository_.items().newest({query.under, now, {}, false, query.limit}, query.offset);
}

std::vector<Item> Items::filtered(const ItemQuery& query, TimePoint now) {
  Best best(static_cast<std::size_t>(query.offset) + static_cast<std::size_t>(query.limit), &newer);
  for_each(repository_.items(), query, now, false, [&](StoredItem&& item) { best.add(std::move(item)); });
  return best.take(query.offset);
}

std::vector<Item> Items::nearest(const ItemQuery& query, TimePoint now) {
  std::vector<float> vector = query.vector;
  std::string space_id = query.space_id;
  if (vector.empty()) {
    vector.resize(model_.dimension());
    std::string text = query.text;
    if (redactor_ != nullptr) redactor_->redact(text);
    const std::string_view texts[] = {text};
    model_.embed(texts, EmbeddingRole::query, vector);
    space_id = model_.space_id();
  } else {
    validate_vector(vector, "vector");
    if (space_id.empty()) refuse("space_id", "is required with a vector");
  }
  const bool direction = normalize(vector);
  Best best(static_cast<std::size_t>(query.offset) + static_cast<std::size_t>(query.limit), &nearer);
  for_each(repository_.items(), query, now, true, [&](StoredItem&& item) {
    if (direction) item.score = best_cosine(item, vector, space_id);
    best.add(std::move(item));
  });
  return best.take(query.offset);
}

std::vector<Item> Items::search(const ItemQuery& query) {
  validate(query.under, "namespace");
  validate_limit(query.limit, query.offset);
  if (!query.text.empty() && !query.vector.empty())
    refuse("vector", "is given beside a text; give one of them");
  const TimePoint now = clock_();
  const bool by_meaning = !query.text.empty() || !query.vector.empty();
  std::vector<Item> items = by_meaning             ? nearest(query, now)
                            : query.where.absent() ? newest(query, now)
                                                   : filtered(query, now);
  if (query.renew) renew(items, now);
  return items;
}

std::vector<Namespace> Items::namespaces(const NamespaceQuery& query) {
  validate(query.prefix, "prefix");
  validate(query.suffix, "suffix");
  validate_limit(query.limit, query.offset);
  if (query.max_depth && *query.max_depth < 1) refuse("max_depth", "must be at least 1");
  const auto wildcard = std::ranges::find(query.prefix, "*");
  std::vector<Namespace> found;
  for (Namespace& each : repository_.items().namespaces({query.prefix.begin(), wildcard}, clock_())) {
    if (!matches(each, query)) continue;
    if (query.max_depth && each.size() > static_cast<std::size_t>(*query.max_depth)) {
      each.resize(static_cast<std::size_t>(*query.max_depth));
    }
    if (found.empty() || found.back() != each) found.push_back(std::move(each));
  }
  const auto first = std::min(found.size(), static_cast<std::size_t>(query.offset));
  const auto last = std::min(found.size(), first + static_cast<std::size_t>(query.limit));
  return {std::make_move_iterator(found.begin() + static_cast<std::ptrdiff_t>(first)),
          std::make_move_iterator(found.begin() + static_cast<std::ptrdiff_t>(last))};
}

std::int64_t Items::sweep(int limit) {
  validate_limit(limit, 0);
  return repository_.items().expire(clock_(), limit);
}

}  // namespace actionhist

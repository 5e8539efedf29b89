// What actionhist.h declares of an index without a database. Nothing is decided here.
#include <actionhist/semantic_index.hpp>

#include "core/index_fields.hpp"
#include "request.hpp"

struct actionhist_index {
  actionhist::SemanticIndex index;
};

namespace {

using namespace actionhist;
using namespace actionhist::capi;

void read_count(Request& request, std::string_view name, std::size_t& target) {
  auto count = static_cast<std::int64_t>(target);
  request.read(name, count);
  if (count < 0) refuse(name, "is negative");
  target = static_cast<std::size_t>(count);
}

// Reads an array of numbers, if there is one.
template <class Number>
void read_numbers(Request& request, std::string_view name, std::vector<Number>& target) {
  const auto element = request.members().take(name);
  if (!element) return;
  if (!element->is_array()) refuse(name, "must be an array of numbers");
  for (JsonElement item : simdjson::dom::array(*element)) {
    if (item.get(target.emplace_back()) != simdjson::SUCCESS)
      refuse(fmt::format("{}[{}]", name, target.size() - 1), "is no such number");
  }
}

IndexOptions read_options(std::string_view text) {
  Request request(text);
  IndexOptions options;
  options.dimension = 0;
  read_count(request, "dimension", options.dimension);
  if (options.dimension == 0) refuse("dimension", "is required");
  const std::string metric = request.text("metric");
  if (!metric.empty()) options.metric = value_of(metric_names, metric, "metric");
  const std::string precision = request.text("precision");
  if (!precision.empty()) options.precision = value_of(precision_names, precision, "precision");
  request.read("m", options.m);
  request.read("ef_construction", options.ef_construction);
  request.read("ef_search", options.ef_search);
  read_count(request, "sealed_rows", options.sealed_rows);
  read_numbers(request, "parts", options.parts);
  request.done();
  return options;
}

// The vector of each row, or none at all.
void put_rows(SemanticIndex& index, std::string_view text, std::span<const float> numbers, std::size_t count,
              std::size_t dimension) {
  Request request(text);
  std::vector<IndexRow> rows;
  request.each("rows", [&](FieldReader& reader) {
    IndexRow& row = rows.emplace_back();
    reader("id", row.id);
    reader("text", row.text);
    reader("fields", row.fields);
    if (const auto version = reader.take("version")) {
      if (version->get(row.version) != simdjson::SUCCESS) {
        refuse(reader.path("version"), "must be an unsigned integer of 64 bits");
      }
    }
  });
  request.done();
  if (count > 0 && count != rows.size()) {
    refuse("vectors", fmt::format("are {}, rows are {}", count, rows.size()));
  }
  for (std::size_t i = 0; i < count; ++i) rows[i].vector = numbers.subspan(i * dimension, dimension);
  index.put(rows);
}

IndexQuery read_query(Request& request) {
  IndexQuery query;
  query.text = request.text("text");
  query.exclude_id = request.text("exclude_id");
  request.read("where", query.where);
  request.read("limit", query.limit);
  request.read("threshold", query.threshold);
  request.read("percentile", query.percentile);
  request.read("mmr_lambda", query.mmr_lambda);
  request.read("distinct", query.distinct);
  request.read("vector_weight", query.vector_weight);
  read_numbers(request, "weights", query.weights);
  request.read("ef_search", query.ef_search);
  request.done();
  return query;
}

template <class Number>
std::string numbers_of(const std::vector<Number>& numbers) {
  JsonWriter writer;
  writer.begin_array();
  for (const Number number : numbers) writer.value(static_cast<double>(number));
  return writer.end_array().take();
}

void write(JsonWriter& writer, const std::vector<IndexHit>& hits) {
  writer.begin_array();
  for (const IndexHit& hit : hits) {
    writer.begin_object();
    FieldWriter put(writer);
    put("id", hit.id);
    put("score", hit.score);
    put("similarity", hit.similarity);
    put("distance", hit.distance);
    put("bm25", hit.bm25);
    put("matched_terms", hit.matched_terms);
    if (!hit.parts.empty()) {
      writer.key("parts").raw(numbers_of(hit.parts));
    }
    writer.end_object();
  }
  writer.end_array();
}

std::string written(const SearchPlan& plan) {
  JsonWriter writer;
  writer.begin_object();
  visit_index(plan, FieldWriter(writer));
  return writer.end_object().take();
}

std::string stats(const SemanticIndex& index) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  visit_index(index.stats(), put);
  put("damage", index.damage());
  put("note", index.note());
  return writer.end_object().take();
}

// Runs `work` on the index and hands over its answer.
template <class Work>
actionhist_status answered(actionhist_index* index, const char* request, size_t request_length,
                           actionhist_text** answer, actionhist_error** error, Work&& work) {
  return answering(answer, error, [&] {
    if (index == nullptr) refuse("index", "is NULL");
    return work(index->index, text_of(request, request_length, "request"));
  });
}

// The one vector of a query, or none.
std::span<const float> one_vector(const float* vectors, std::size_t count, std::size_t dimension) {
  if (count > 1) refuse("vectors", "are several; give one");
  return matrix(vectors, count, dimension);
}

}  // namespace

actionhist_status actionhist_index_create(const char* options, size_t options_length,
                                          actionhist_index** index, actionhist_error** error) {
  if (index != nullptr) *index = nullptr;
  return guarded(error, [&] {
    if (index == nullptr) refuse("index", "is NULL");
    const IndexOptions read = read_options(text_of(options, options_length, "options"));
    *index = new actionhist_index{SemanticIndex(read)};
  });
}

actionhist_status actionhist_index_open(const char* folder, size_t folder_length, actionhist_index** index,
                                        actionhist_error** error) {
  if (index != nullptr) *index = nullptr;
  return guarded(error, [&] {
    if (index == nullptr) refuse("index", "is NULL");
    const std::string path(text_of(folder, folder_length, "folder"));
    if (path.empty()) refuse("folder", "is required");
    *index = new actionhist_index{SemanticIndex::open(path)};
  });
}

actionhist_status actionhist_index_estimated_bytes(const char* options, size_t options_length,
                                                   uint64_t vectors, uint64_t* bytes,
                                                   actionhist_error** error) {
  if (bytes != nullptr) *bytes = 0;
  return guarded(error, [&] {
    if (bytes == nullptr) refuse("bytes", "is NULL");
    *bytes = estimated_bytes(vectors, read_options(text_of(options, options_length, "options")));
  });
}

void actionhist_index_free(actionhist_index* index) { delete index; }

actionhist_status actionhist_index_put(actionhist_index* index, const char* request, size_t request_length,
                                       const float* vectors, size_t count, size_t dimension,
                                       actionhist_text** answer, actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [=](SemanticIndex& open, std::string_view text) {
                    put_rows(open, text, matrix(vectors, count, dimension), count, dimension);
                    return std::string(null);
                  });
}

actionhist_status actionhist_index_set_vector(actionhist_index* index, const char* request,
                                              size_t request_length, const float* vectors, size_t count,
                                              size_t dimension, actionhist_text** answer,
                                              actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [=](SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    const std::string id = read.required_text("id");
                    read.done();
                    if (count == 0) refuse("vectors", "are NULL or empty");
                    return flag(open.set_vector(id, one_vector(vectors, count, dimension)));
                  });
}

actionhist_status actionhist_index_search(actionhist_index* index, const char* request, size_t request_length,
                                          const float* vectors, size_t count, size_t dimension,
                                          actionhist_text** answer, actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [=](const SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    IndexQuery query = read_query(read);
                    query.vector = one_vector(vectors, count, dimension);
                    JsonWriter writer;
                    write(writer, open.search(query));
                    return writer.take();
                  });
}

actionhist_status actionhist_index_search_many(actionhist_index* index, const char* request,
                                               size_t request_length, const float* vectors, size_t count,
                                               size_t dimension, actionhist_text** answer,
                                               actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [=](const SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    const auto numbers = matrix(vectors, count, dimension);
                    std::vector<IndexQuery> queries(count, read_query(read));
                    for (std::size_t i = 0; i < count; ++i) {
                      queries[i].vector = numbers.subspan(i * dimension, dimension);
                    }
                    JsonWriter writer;
                    writer.begin_array();
                    for (const auto& hits : open.search(queries)) write(writer, hits);
                    return writer.end_array().take();
                  });
}

actionhist_status actionhist_index_explain(actionhist_index* index, const char* request,
                                           size_t request_length, const float* vectors, size_t count,
                                           size_t dimension, actionhist_text** answer,
                                           actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [=](const SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    IndexQuery query = read_query(read);
                    query.vector = one_vector(vectors, count, dimension);
                    return written(open.explain(query));
                  });
}

actionhist_status actionhist_index_set_fields(actionhist_index* index, const char* request,
                                              size_t request_length, actionhist_text** answer,
                                              actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    const std::string id = read.required_text("id");
                    Json fields;
                    read.read("fields", fields);
                    read.done();
                    return flag(open.set_fields(id, std::move(fields)));
                  });
}

actionhist_status actionhist_index_remove(actionhist_index* index, const char* request, size_t request_length,
                                          actionhist_text** answer, actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    const std::string id = read.required_text("id");
                    read.done();
                    return flag(open.remove(id));
                  });
}

actionhist_status actionhist_index_version(actionhist_index* index, const char* request,
                                           size_t request_length, actionhist_text** answer,
                                           actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](const SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    const std::string id = read.required_text("id");
                    read.done();
                    const auto version = open.version(id);
                    return version ? std::to_string(*version) : std::string(null);
                  });
}

actionhist_status actionhist_index_vector(actionhist_index* index, const char* request, size_t request_length,
                                          actionhist_text** answer, actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](const SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    const std::string id = read.required_text("id");
                    read.done();
                    const auto vector = open.vector(id);
                    return vector ? numbers_of(*vector) : std::string(null);
                  });
}

actionhist_status actionhist_index_similarity_at(actionhist_index* index, const char* request,
                                                 size_t request_length, actionhist_text** answer,
                                                 actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](const SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    std::optional<double> percentile;
                    read.read("percentile", percentile);
                    if (!percentile) refuse("percentile", "is required");
                    std::vector<double> weights;
                    read_numbers(read, "weights", weights);
                    read.done();
                    return JsonWriter().value(open.similarity_at(*percentile, weights)).take();
                  });
}

actionhist_status actionhist_index_optimize(actionhist_index* index, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](SemanticIndex& open, std::string_view text) {
                    Request(text).done();
                    open.optimize();
                    return std::string(null);
                  });
}

actionhist_status actionhist_index_clear(actionhist_index* index, const char* request, size_t request_length,
                                         actionhist_text** answer, actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](SemanticIndex& open, std::string_view text) {
                    Request(text).done();
                    open.clear();
                    return std::string(null);
                  });
}

actionhist_status actionhist_index_stats(actionhist_index* index, const char* request, size_t request_length,
                                         actionhist_text** answer, actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](const SemanticIndex& open, std::string_view text) {
                    Request(text).done();
                    return stats(open);
                  });
}

actionhist_status actionhist_index_save(actionhist_index* index, const char* request, size_t request_length,
                                        actionhist_text** answer, actionhist_error** error) {
  return answered(index, request, request_length, answer, error,
                  [](SemanticIndex& open, std::string_view text) {
                    Request read(text);
                    const std::string folder = read.required_text("folder");
                    Json note;
                    read.read("note", note);
                    read.done();
                    open.save(folder, note);
                    return std::string(null);
                  });
}

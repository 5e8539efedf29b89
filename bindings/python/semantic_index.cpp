// actionhist.SemanticIndex: the index without a database. Vectors are read where they lie: any buffer of floats
// in C order, such as numpy's, is not copied on its way.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <actionhist/semantic_index.hpp>

#include "bind.hpp"
#include "convert.hpp"
#include "core/index_fields.hpp"
#include "core/refuse.hpp"
#include "gil.hpp"
#include "matrix.hpp"

namespace actionhist::python {
namespace {

std::size_t to_count(const py::object& given, std::string_view field) {
  const int count = to_int(given, field);
  if (count < 0) refuse(field, "is negative");
  return static_cast<std::size_t>(count);
}

// In the order of the parts; one for all parts, or none.
std::vector<double> to_weights(const py::object& given) {
  std::vector<double> weights;
  for (const py::handle each : to_list(given, "weights")) weights.push_back(to_number(each, "weights"));
  return weights;
}

std::vector<std::size_t> to_parts(const py::object& given) {
  std::vector<std::size_t> parts;
  for (const py::handle each : to_list(given, "parts")) {
    parts.push_back(to_count(py::reinterpret_borrow<py::object>(each), "parts"));
  }
  return parts;
}

std::uint64_t to_version(py::handle given, const std::string& field) {
  if (!PyLong_Check(given.ptr())) wrong_type(field, "an int", given);
  const unsigned long long version = PyLong_AsUnsignedLongLong(given.ptr());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    refuse(field, "is no unsigned int of 64 bits");
  }
  return version;
}

std::string to_path(const py::object& folder) {
  return to_text(py::module_::import("os").attr("fspath")(folder), "folder");
}

Json to_fields(const py::handle& fields, const std::string& field) {
  return fields.is_none() ? Json() : Json::parse(to_json(fields, field), field);
}

void add(SemanticIndex& self, const py::object& ids, const py::object& vectors, const py::object& texts,
         const py::object& fields, const py::object& versions) {
  const std::vector<std::string> names = to_texts(ids, "ids");
  const Matrix matrix(vectors, "vectors");
  const auto list_of = [&](const py::object& given, std::string_view field) {
    const py::list list = given.is_none() ? py::list() : to_list(given, field);
    if (!given.is_none() && list.size() != names.size())
      refuse(field, fmt::format("has {} entries, ids has {}", list.size(), names.size()));
    return list;
  };
  if (matrix.given() && matrix.rows() != names.size())
    refuse("vectors", fmt::format("has {} rows, ids has {}", matrix.rows(), names.size()));
  const py::list text_list = list_of(texts, "texts");
  const py::list field_list = list_of(fields, "fields");
  const py::list version_list = list_of(versions, "versions");
  std::vector<IndexRow> rows;
  rows.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    IndexRow& row = rows.emplace_back();
    row.id = names[i];
    if (matrix.given()) row.vector = matrix.row(i);
    if (!texts.is_none()) row.text = to_optional_text(text_list[i], fmt::format("texts[{}]", i));
    if (!fields.is_none()) row.fields = to_fields(field_list[i], fmt::format("fields[{}]", i));
    if (!versions.is_none()) row.version = to_version(version_list[i], fmt::format("versions[{}]", i));
  }
  const WithoutGil released;
  self.put(rows);
}

// Defines a method that takes vectors, which `first` names, and all that a query has besides:
// run(index, vectors, query).
template <class First, class Run>
void define_search(py::class_<SemanticIndex>& type, const char* name, const First& first, Run run,
                   const char* about) {
  const py::none none;
  const py::tuple nothing;
  type.def(
      name,
      [run](const SemanticIndex& self, const py::object& vectors, const py::object& text,
            const py::object& limit, const py::object& where, const py::object& threshold,
            const py::object& percentile, const py::object& mmr_lambda, const py::object& distinct,
            const py::object& vector_weight, const py::object& weights, const py::object& exclude_id,
            const py::object& ef_search) {
        IndexQuery query;
        query.text = to_optional_text(text, "text");
        query.limit = to_int(limit, "limit");
        query.where = to_where(where);
        query.threshold = to_optional_number(threshold, "threshold");
        query.percentile = to_optional_number(percentile, "percentile");
        query.mmr_lambda = to_optional_number(mmr_lambda, "mmr_lambda");
        query.distinct = to_optional_number(distinct, "distinct");
        query.vector_weight = to_number(vector_weight, "vector_weight");
        query.weights = to_weights(weights);
        query.exclude_id = to_optional_text(exclude_id, "exclude_id");
        query.ef_search = to_int(ef_search, "ef_search");
        return run(self, vectors, query);
      },
      first, py::kw_only(), py::arg("text") = "", py::arg("limit") = 10, py::arg("where") = none,
      py::arg("threshold") = none, py::arg("percentile") = none, py::arg("mmr_lambda") = none,
      py::arg("distinct") = none, py::arg("vector_weight") = 0.5, py::arg("weights") = nothing,
      py::arg("exclude_id") = "", py::arg("ef_search") = 0, about);
}

// Asks with one vector or none.
template <class Work>
auto ask(const py::object& given, IndexQuery& query, Work work) {
  const auto vector = given.is_none() ? std::vector<float>() : to_floats(given, "vector");
  query.vector = vector;
  const WithoutGil released;
  return work(query);
}

// Of IndexStats or a SearchPlan.
template <class T>
py::dict to_dict(const T& said) {
  py::dict out;
  visit_index(said, [&](const char* name, const auto& member) { out[name] = member; });
  return out;
}

void bind_hit(py::module_& module) {
  py::class_<IndexHit>(module, "IndexHit", R"(A row that a search found, with the reasons for its place.

score           from 0 to 1
similarity      of the metric: cosine, inner product, or the distance with a minus
distance        1 - cosine, the inner product with a minus, or the Euclidean distance
bm25            of its words; `matched_terms` are those of the query, by weight
parts           the cosine of each part, where vectors have parts)")
      .def_readonly("id", &IndexHit::id)
      .def_readonly("score", &IndexHit::score)
      .def_readonly("similarity", &IndexHit::similarity)
      .def_readonly("distance", &IndexHit::distance)
      .def_readonly("bm25", &IndexHit::bm25)
      .def_readonly("matched_terms", &IndexHit::matched_terms)
      .def_readonly("parts", &IndexHit::parts)
      .def("__repr__", [](const IndexHit& hit) {
        return fmt::format("IndexHit(id='{}', score={:.4f}, similarity={:.4f})", hit.id, hit.score,
                           hit.similarity);
      });
}

IndexOptions to_options(const py::object& dimension, const py::object& metric, const py::object& precision,
                        const py::object& m, const py::object& ef_construction, const py::object& ef_search,
                        const py::object& sealed_rows, const py::object& parts) {
  return {.dimension = to_count(dimension, "dimension"),
          .metric = value_of(metric_names, to_text(metric, "metric"), "metric"),
          .precision = value_of(precision_names, to_text(precision, "precision"), "precision"),
          .m = to_int(m, "m"),
          .ef_construction = to_int(ef_construction, "ef_construction"),
          .ef_search = to_int(ef_search, "ef_search"),
          .sealed_rows = to_count(sealed_rows, "sealed_rows"),
          .parts = to_parts(parts)};
}

std::unique_ptr<SemanticIndex> make(const py::object& dimension, const py::object& metric,
                                    const py::object& precision, const py::object& m,
                                    const py::object& ef_construction, const py::object& ef_search,
                                    const py::object& sealed_rows, const py::object& parts) {
  return std::make_unique<SemanticIndex>(
      to_options(dimension, metric, precision, m, ef_construction, ef_search, sealed_rows, parts));
}

std::size_t estimate(const py::object& vectors, const py::object& dimension, const py::object& metric,
                     const py::object& precision, const py::object& m, const py::object& ef_construction,
                     const py::object& ef_search, const py::object& sealed_rows, const py::object& parts) {
  return estimated_bytes(
      to_count(vectors, "vectors"),
      to_options(dimension, metric, precision, m, ef_construction, ef_search, sealed_rows, parts));
}

std::vector<IndexHit> search(const SemanticIndex& self, const py::object& vector, IndexQuery& query) {
  return ask(vector, query, [&](const IndexQuery& asked) { return self.search(asked); });
}

std::vector<std::vector<IndexHit>> search_many(const SemanticIndex& self, const py::object& vectors,
                                               const IndexQuery& query) {
  const Matrix matrix(vectors, "vectors");
  std::vector<IndexQuery> queries(matrix.rows(), query);
  for (std::size_t i = 0; i < queries.size(); ++i) queries[i].vector = matrix.row(i);
  const WithoutGil released;
  return self.search(queries);
}

py::dict explain(const SemanticIndex& self, const py::object& vector, IndexQuery& query) {
  return to_dict(ask(vector, query, [&](const IndexQuery& asked) { return self.explain(asked); }));
}

}  // namespace

void bind_semantic_index(py::module_& module) {
  bind_hit(module);
  const auto guard = py::call_guard<WithoutGil>();
  const py::none none;
  const py::tuple nothing;
  py::class_<SemanticIndex> type(
      module, "SemanticIndex",
      "An index without a database: rows with a text, a vector and fields, found by "
      "meaning among those that pass a filter.\n\n"
      "What is 0 is chosen by the index. May be used from any thread at once; after "
      "fork() the child's calls raise Unsupported.");
  define_search(type, "search", py::arg("vector") = none, &search,
                "The rows that are most like a vector, a text or both, best first. The filter and the other "
                "arguments are those of History.similar().");
  define_search(type, "search_many", py::arg("vectors"), &search_many,
                "search() for each of several vectors.");
  define_search(type, "explain", py::arg("vector") = none, &explain,
                "How search() would answer: {\"route\", \"why\", \"rows\", \"matching\", \"linked\", "
                "\"distances\", \"ef_search\"}.");
  type.def(
          py::init(&make), py::arg("dimension"), py::kw_only(), py::arg("metric") = "cosine",
          py::arg("precision") = "full", py::arg("m") = 0, py::arg("ef_construction") = 0,
          py::arg("ef_search") = 0, py::arg("sealed_rows") = 4096, py::arg("parts") = nothing,
          "`metric` is cosine, inner_product or l2; `precision` is full, half or byte; `parts` are the dimensions "
          "of the parts of which a vector consists.")
      .def_static("estimated_bytes", &estimate, py::arg("vectors"), py::arg("dimension"), py::kw_only(),
                  py::arg("metric") = "cosine", py::arg("precision") = "full", py::arg("m") = 0,
                  py::arg("ef_construction") = 0, py::arg("ef_search") = 0, py::arg("sealed_rows") = 4096,
                  py::arg("parts") = nothing,
                  "About the memory that an index of so many vectors takes, without their texts and fields.")
      .def("add", &add, py::arg("ids"), py::arg("vectors") = none, py::kw_only(), py::arg("texts") = none,
           py::arg("fields") = none, py::arg("versions") = none,
           "Adds rows, replacing those of the same id, all or nothing. `vectors` is a numpy array, or lists.")
      .def(
          "set_fields",
          [](SemanticIndex& self, const py::object& id, const py::object& fields) {
            const std::string row = to_text(id, "id");
            Json json = to_fields(fields, "fields");
            const WithoutGil released;
            return self.set_fields(row, std::move(json));
          },
          py::arg("id"), py::arg("fields"),
          "Replaces the fields that filters see. False if there is no such row.")
      .def(
          "set_vector",
          [](SemanticIndex& self, const py::object& id, const py::object& vector) {
            const std::string row = to_text(id, "id");
            const std::vector<float> floats = to_floats(vector, "vector");
            const WithoutGil released;
            return self.set_vector(row, floats);
          },
          py::arg("id"), py::arg("vector"), "Gives a row its vector. False if there is no such row.")
      .def(
          "remove",
          [](SemanticIndex& self, const py::object& id) {
            const std::string row = to_text(id, "id");
            const WithoutGil released;
            return self.remove(row);
          },
          py::arg("id"), "False if there is no such row.")
      .def(
          "version",
          [](const SemanticIndex& self, const py::object& id) { return self.version(to_text(id, "id")); },
          py::arg("id"), "The caller's version of the row, or None if there is no such row.")
      .def(
          "vector",
          [](const SemanticIndex& self, const py::object& id) { return self.vector(to_text(id, "id")); },
          py::arg("id"),
          "The row's vector as it is kept, for cosine of length 1, as a list; None if there is no such row or it "
          "has none.")
      .def(
          "similarity_at",
          [](const SemanticIndex& self, const py::object& percentile, const py::object& weights) {
            const double percent = to_number(percentile, "percentile");
            const std::vector<double> of_parts = to_weights(weights);
            const WithoutGil released;
            return self.similarity_at(percent, of_parts);
          },
          py::arg("percentile"), py::kw_only(), py::arg("weights") = nothing,
          "The similarity that so many percent of the pairs of different rows do not reach.")
      .def("optimize", &SemanticIndex::optimize, guard,
           "Builds now what is otherwise built in the background.")
      .def("clear", &SemanticIndex::clear, guard, "Empties the index.")
      .def(
          "stats", [](const SemanticIndex& self) { return to_dict(self.stats()); },
          "What the index holds: rows, vectors, bytes, …")
      .def(
          "save",
          [](SemanticIndex& self, const py::object& folder, const py::object& note) {
            const std::string path = to_path(folder);
            const Json json = to_fields(note, "note");
            const WithoutGil released;
            self.save(path, json);
          },
          py::arg("folder"), py::kw_only(), py::arg("note") = none,
          "Replaces what was saved there in one step. `note` is a dict of your own.")
      .def_static(
          "open",
          [](const py::object& folder) {
            const std::string path = to_path(folder);
            const WithoutGil released;
            return SemanticIndex::open(path);
          },
          py::arg("folder"), "Opens what save() wrote.")
      .def_property_readonly(
          "note",
          [](const SemanticIndex& self) {
            const Json note = self.note();
            return note.absent() ? py::object(py::none()) : from_json(note.text());
          },
          "What was saved with the files that it was opened from.")
      .def_property_readonly("damage", &SemanticIndex::damage,
                             "What is wrong with the files that it was opened from; empty if nothing is.")
      .def("__len__", [](const SemanticIndex& self) { return self.stats().rows; })
      .def("__contains__", [](const SemanticIndex& self, const py::object& id) {
        return self.version(to_text(id, "id")).has_value();
      });
}

}  // namespace actionhist::python

// actionhist.SemanticIndex: the index without a database. Vectors are read where they lie: any buffer of floats
// in C order, such as numpy's, is not copied on its way.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <actionhist/error.hpp>
#include <actionhist/semantic_index.hpp>

#include "bind.hpp"
#include "convert.hpp"
#include "matrix.hpp"

namespace actionhist::python {
namespace {

[[noreturn]] void refuse(std::string_view field, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", field, why));
}

Metric metric_of(const std::string& name) {
  if (name == "cosine") return Metric::cosine;
  if (name == "inner_product") return Metric::inner_product;
  if (name == "l2") return Metric::l2;
  refuse("metric", "must be cosine, inner_product or l2");
}

Precision precision_of(const std::string& name) {
  if (name == "full") return Precision::full;
  if (name == "half") return Precision::half;
  if (name == "byte") return Precision::byte;
  refuse("precision", "must be full, half or byte");
}

Json to_fields(const py::handle& fields, const std::string& field) {
  return fields.is_none() ? Json() : Json::parse(to_json(fields, field), field);
}

void add(SemanticIndex& self, const py::object& ids, const py::object& vectors, const py::object& texts,
         const py::object& fields, const py::object& versions) {
  const std::vector<std::string> names = to_texts(ids, "ids");
  const Matrix matrix(vectors, "vectors");
  const auto list_of = [&](const py::object& given, std::string_view field) {
    const py::list list = given.is_none() ? py::list() : py::list(given);
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
    if (!versions.is_none()) row.version = py::cast<std::uint64_t>(version_list[i]);
  }
  const py::gil_scoped_release release;
  self.put(rows);
}

// A query with the vector that it shows.
struct Question {
  std::vector<float> vector;
  IndexQuery query;
};

Question question(const py::object& vector, int limit, const py::object& where,
                  const std::vector<double>& weights, int ef_search) {
  Question asked;
  if (!vector.is_none()) asked.vector = to_floats(vector, "vector");
  asked.query.limit = limit;
  asked.query.where = to_where(where);
  asked.query.weights = weights;
  asked.query.ef_search = ef_search;
  return asked;
}

template <class Work>
auto ask(Question& asked, Work work) {
  asked.query.vector = asked.vector;
  const py::gil_scoped_release release;
  return work(asked.query);
}

py::dict to_dict(const IndexStats& stats) {
  py::dict out;
  out["rows"] = stats.rows;
  out["vectors"] = stats.vectors;
  out["linked"] = stats.linked;
  out["deleted"] = stats.deleted;
  out["terms"] = stats.terms;
  out["bytes"] = stats.bytes;
  out["ef_search"] = stats.ef_search;
  out["error"] = stats.error;
  out["verified"] = stats.verified;
  return out;
}

py::dict to_dict(const SearchPlan& plan) {
  py::dict out;
  out["route"] = plan.route;
  out["why"] = plan.why;
  out["rows"] = plan.rows;
  out["matching"] = plan.matching;
  out["linked"] = plan.linked;
  out["distances"] = plan.distances;
  out["ef_search"] = plan.ef_search;
  return out;
}

void bind_hit(py::module_& module) {
  py::class_<IndexHit>(module, "IndexHit")
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

}  // namespace

void bind_semantic_index(py::module_& module) {
  bind_hit(module);
  const auto released = py::call_guard<py::gil_scoped_release>();
  py::class_<SemanticIndex>(module, "SemanticIndex")
      .def(py::init([](std::size_t dimension, const std::string& metric, const std::string& precision, int m,
                       int ef_construction, int ef_search, std::size_t sealed_rows,
                       const std::vector<std::size_t>& parts) {
             return SemanticIndex({.dimension = dimension,
                                   .metric = metric_of(metric),
                                   .precision = precision_of(precision),
                                   .m = m,
                                   .ef_construction = ef_construction,
                                   .ef_search = ef_search,
                                   .sealed_rows = sealed_rows,
                                   .parts = parts});
           }),
           py::arg("dimension"), py::kw_only(), py::arg("metric") = "cosine", py::arg("precision") = "full",
           py::arg("m") = 0, py::arg("ef_construction") = 0, py::arg("ef_search") = 0,
           py::arg("sealed_rows") = 4096, py::arg("parts") = std::vector<std::size_t>())
      .def("add", &add, py::arg("ids"), py::arg("vectors") = py::none(), py::kw_only(),
           py::arg("texts") = py::none(), py::arg("fields") = py::none(), py::arg("versions") = py::none())
      .def(
          "set_fields",
          [](SemanticIndex& self, const std::string& id, const py::object& fields) {
            Json json = to_fields(fields, "fields");
            const py::gil_scoped_release release;
            return self.set_fields(id, std::move(json));
          },
          py::arg("id"), py::arg("fields"))
      .def(
          "set_vector",
          [](SemanticIndex& self, const std::string& id, const py::object& vector) {
            const std::vector<float> floats = to_floats(vector, "vector");
            const py::gil_scoped_release release;
            return self.set_vector(id, floats);
          },
          py::arg("id"), py::arg("vector"))
      .def("remove", &SemanticIndex::remove, py::arg("id"), released)
      .def("version", &SemanticIndex::version, py::arg("id"), released)
      .def(
          "search",
          [](const SemanticIndex& self, const py::object& vector, const std::string& text, int limit,
             const py::object& where, std::optional<double> threshold, std::optional<double> percentile,
             std::optional<double> mmr_lambda, std::optional<double> distinct, double vector_weight,
             const std::vector<double>& weights, const std::string& exclude_id, int ef_search) {
            Question asked = question(vector, limit, where, weights, ef_search);
            asked.query.text = text;
            asked.query.threshold = threshold;
            asked.query.percentile = percentile;
            asked.query.mmr_lambda = mmr_lambda;
            asked.query.distinct = distinct;
            asked.query.vector_weight = vector_weight;
            asked.query.exclude_id = exclude_id;
            return ask(asked, [&](const IndexQuery& query) { return self.search(query); });
          },
          py::arg("vector") = py::none(), py::kw_only(), py::arg("text") = "", py::arg("limit") = 10,
          py::arg("where") = py::none(), py::arg("threshold") = py::none(),
          py::arg("percentile") = py::none(), py::arg("mmr_lambda") = py::none(),
          py::arg("distinct") = py::none(), py::arg("vector_weight") = 0.5,
          py::arg("weights") = std::vector<double>(), py::arg("exclude_id") = "", py::arg("ef_search") = 0)
      .def(
          "search_many",
          [](const SemanticIndex& self, const py::object& vectors, int limit, const py::object& where,
             const std::vector<double>& weights, int ef_search) {
            const Matrix matrix(vectors, "vectors");
            IndexQuery query;
            query.limit = limit;
            query.where = to_where(where);
            query.weights = weights;
            query.ef_search = ef_search;
            std::vector<IndexQuery> queries(matrix.rows(), query);
            for (std::size_t i = 0; i < queries.size(); ++i) queries[i].vector = matrix.row(i);
            const py::gil_scoped_release release;
            return self.search(queries);
          },
          py::arg("vectors"), py::kw_only(), py::arg("limit") = 10, py::arg("where") = py::none(),
          py::arg("weights") = std::vector<double>(), py::arg("ef_search") = 0)
      .def(
          "explain",
          [](const SemanticIndex& self, const py::object& vector, int limit, const py::object& where,
             const std::vector<double>& weights, int ef_search) {
            Question asked = question(vector, limit, where, weights, ef_search);
            return to_dict(ask(asked, [&](const IndexQuery& query) { return self.explain(query); }));
          },
          py::arg("vector"), py::kw_only(), py::arg("limit") = 10, py::arg("where") = py::none(),
          py::arg("weights") = std::vector<double>(), py::arg("ef_search") = 0)
      .def(
          "similarity_at",
          [](const SemanticIndex& self, double percentile, const std::vector<double>& weights) {
            return self.similarity_at(percentile, weights);
          },
          py::arg("percentile"), py::kw_only(), py::arg("weights") = std::vector<double>(), released)
      .def("optimize", &SemanticIndex::optimize, released)
      .def("clear", &SemanticIndex::clear, released)
      .def("stats", [](const SemanticIndex& self) { return to_dict(self.stats()); })
      .def(
          "save",
          [](SemanticIndex& self, const py::object& folder, const py::object& note) {
            const auto path = py::cast<std::string>(py::module_::import("os").attr("fspath")(folder));
            const Json json = to_fields(note, "note");
            const py::gil_scoped_release release;
            self.save(path, json);
          },
          py::arg("folder"), py::kw_only(), py::arg("note") = py::none())
      .def_static(
          "open",
          [](const py::object& folder) {
            const auto path = py::cast<std::string>(py::module_::import("os").attr("fspath")(folder));
            const py::gil_scoped_release release;
            return SemanticIndex::open(path);
          },
          py::arg("folder"))
      .def_property_readonly("note",
                             [](const SemanticIndex& self) {
                               const Json note = self.note();
                               return note.absent() ? py::object(py::none()) : from_json(note.text());
                             })
      .def_property_readonly("damage", &SemanticIndex::damage)
      .def("__len__", [](const SemanticIndex& self) { return self.stats().rows; })
      .def("__contains__",
           [](const SemanticIndex& self, const std::string& id) { return self.version(id).has_value(); });
}

}  // namespace actionhist::python

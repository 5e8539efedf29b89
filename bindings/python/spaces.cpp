// The embedding spaces of a History, for actionhist.History.
#include <fmt/format.h>

#include "bind.hpp"
#include "convert.hpp"
#include "gil.hpp"
#include "handle.hpp"
#include "matrix.hpp"

namespace actionhist::python {
namespace {

using Progress = std::function<void(const EmbeddingProgress&)>;

// What the callable raises ends the work and goes to the caller as it came; so does Ctrl-C, with it or without.
Progress to_progress(const py::object& callable) {
  if (callable.is_none()) return [](const EmbeddingProgress&) { check_signals(); };
  require_callable(callable, "progress");
  return [shared = shared_object(callable)](const EmbeddingProgress& progress) {
    const WithGil gil;
    answer(*shared, py::make_tuple(progress.done, progress.left));
  };
}

SpaceSwitch switch_space(const Handle& self, const py::object& space_id, const py::object& force,
                         const py::object& progress) {
  const std::string space = to_optional_text(space_id, "space_id");
  const SwitchOptions options{to_flag(force, "force"), to_progress(progress)};
  return self.call([&](History& history) { return history.switch_space(space, options); });
}

EmbeddingSpace fit_space(const Handle& self, const py::object& dimension, const py::object& documents,
                         const py::object& seed, const py::object& progress) {
  const int given_seed = to_int(seed, "seed");
  if (given_seed < 0) throw Error(ErrorCode::invalid_argument, "seed: is negative");
  const FitOptions options{to_int(dimension, "dimension"), to_int(documents, "documents"),
                           static_cast<std::uint64_t>(given_seed), to_progress(progress)};
  return self.call([&](History& history) { return history.fit_space(options); });
}

VectorImport import_vectors(const Handle& self, const py::object& space_id, const py::object& ids,
                            const py::object& vectors) {
  const std::string space = to_text(space_id, "space_id");
  const std::vector<std::string> names = to_texts(ids, "ids");
  const Matrix matrix(vectors, "vectors");
  if (matrix.rows() != names.size()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("vectors: has {} rows, ids has {}", matrix.rows(), names.size()));
  }
  std::vector<SubjectVector> rows;
  for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({names[i], matrix.row(i)});
  return self.call([&](History& history) { return history.import_vectors(space, rows); });
}

Evaluation evaluate(const Handle& self, const py::object& spaces, const py::object& queries,
                    const py::object& documents) {
  EvaluationOptions options;
  if (!spaces.is_none()) options.spaces = to_texts(spaces, "spaces");
  options.queries = to_int(queries, "queries");
  options.documents = to_int(documents, "documents");
  return self.call([&](History& history) { return history.evaluate(options); });
}

}  // namespace

void bind_spaces(py::class_<Handle>& type) {
  type.def("spaces", [](const Handle& self) {
    return plain(self.call([](History& history) { return history.spaces(); }));
  });
  type.def("switch_space",
           [](const Handle& self, const py::object& space_id, const py::object& force,
              const py::object& progress) { return plain(switch_space(self, space_id, force, progress)); });
  type.def("fit_space", [](const Handle& self, const py::object& dimension, const py::object& documents,
                           const py::object& seed, const py::object& progress) {
    return plain(fit_space(self, dimension, documents, seed, progress));
  });
  type.def("drop_space", [](const Handle& self, const py::object& space_id) {
    const std::string space = to_text(space_id, "space_id");
    return self.call([&](History& history) { return history.drop_space(space); });
  });
  type.def("backfill", [](const Handle& self, const py::object& progress) {
    const Progress callback = to_progress(progress);
    return self.call([&](History& history) { return history.backfill(callback); });
  });
  type.def("import_vectors",
           [](const Handle& self, const py::object& space_id, const py::object& ids,
              const py::object& vectors) { return plain(import_vectors(self, space_id, ids, vectors)); });
  type.def("failed_subjects", [](const Handle& self, const py::object& limit) {
    const int most = to_int(limit, "limit");
    return plain(self.call([&](History& history) { return history.failed_subjects(most); }));
  });
  type.def("retry_failed", [](const Handle& self, const py::object& ids) {
    const auto names = ids.is_none() ? std::vector<std::string>() : to_texts(ids, "ids");
    return self.call([&](History& history) { return history.retry_failed(names); });
  });
  type.def("evaluate",
           [](const Handle& self, const py::object& spaces, const py::object& queries,
              const py::object& documents) { return plain(evaluate(self, spaces, queries, documents)); });
}

}  // namespace actionhist::python

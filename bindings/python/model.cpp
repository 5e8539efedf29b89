#include <algorithm>

#include <fmt/format.h>

#include <actionhist/embedding.hpp>
#include <actionhist/error.hpp>

#include "bind.hpp"
#include "callback.hpp"
#include "convert.hpp"
#include "core/refuse.hpp"
#include "gil.hpp"

namespace actionhist::python {
namespace {

constexpr int max_dimension = 65'536;

// Asked from any thread, so it takes the GIL for each call.
class PythonModel : public EmbeddingModel {
 public:
  // REQUIRES: the GIL.
  explicit PythonModel(const py::object& model)
      : space_id_(to_text(attribute(model, "space_id"), "model.space_id")),
        dimension_(to_int(attribute(model, "dimension"), "model.dimension")),
        embed_(shared_object(attribute(model, "embed"))) {
    if (space_id_.empty() || space_id_.size() > 255) {
      refuse("model.space_id", "must be 1 to 255 bytes; name the model and its version");
    }
    require_between("model.dimension", dimension_, 1, max_dimension);
    require_callable(*embed_, "model.embed");
  }

  std::string space_id() const override { return space_id_; }
  std::size_t dimension() const override { return static_cast<std::size_t>(dimension_); }

  // A model that raises is away: words answer a query, and the worker that embeds documents tries again, unless the
  // model says that these texts are refused. What stops the program goes to the caller of a query as it came.
  void embed(std::span<const std::string_view> texts, EmbeddingRole role,
             std::span<float> out) const override {
    const Callback callback;
    try {
      fill(texts, role, out);
    } catch (const py::error_already_set& raised) {
      if (role == EmbeddingRole::query && !raised.matches(PyExc_Exception)) throw;
      const bool for_ever = raised.matches(error_class(ErrorCode::invalid_argument));
      throw Error(for_ever ? ErrorCode::invalid_argument : ErrorCode::unavailable,
                  fmt::format("model: {}", raised.what()));
    }
  }

 private:
  static py::object attribute(const py::object& model, const char* name) {
    if (!py::hasattr(model, name)) {
      wrong_type("model", "an object with space_id, dimension and embed(texts, role)", model);
    }
    return model.attr(name);
  }

  void fill(std::span<const std::string_view> texts, EmbeddingRole role, std::span<float> out) const {
    py::list given;
    for (const std::string_view text : texts) given.append(py::str(text.data(), text.size()));
    const py::list rows(
        answer(*embed_, py::make_tuple(given, role == EmbeddingRole::query ? "query" : "document")));
    if (rows.size() != texts.size()) {
      refuse("model.embed", fmt::format("gave {} vectors for {} texts", rows.size(), texts.size()));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::vector<float> row = to_floats(rows[i], "model.embed");
      if (row.size() != dimension()) {
        refuse("model.embed", fmt::format("gave a vector of {}, not {} numbers", row.size(), dimension_));
      }
      std::ranges::copy(row, out.begin() + static_cast<std::ptrdiff_t>(i * dimension()));
    }
  }

  std::string space_id_;
  int dimension_;
  std::shared_ptr<py::object> embed_;
};

// A model of the library. pybind11 cannot hold a pointer to const.
struct OpenedModel {
  std::shared_ptr<const EmbeddingModel> model;
};

// One vector a text, each a memoryview of float32, which numpy takes as it is.
py::list embed(const OpenedModel& self, const py::object& texts, const std::string& role) {
  if (role != "document" && role != "query") {
    throw Error(ErrorCode::invalid_argument, fmt::format("role: \"{}\" is none of document, query", role));
  }
  const std::vector<std::string> given = to_texts(texts, "texts");
  const std::vector<std::string_view> views(given.begin(), given.end());
  const std::size_t dimension = self.model->dimension();
  std::vector<float> out(views.size() * dimension);
  {
    const WithoutGil released;
    self.model->embed(views, role == "query" ? EmbeddingRole::query : EmbeddingRole::document, out);
  }
  py::list rows;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const py::bytes row(reinterpret_cast<const char*>(out.data() + i * dimension), dimension * sizeof(float));
    rows.append(py::memoryview(row).attr("cast")("f"));
  }
  return rows;
}

}  // namespace

std::shared_ptr<const EmbeddingModel> to_model(const py::object& model) {
  if (model.is_none()) return {};
  if (py::isinstance<OpenedModel>(model)) return py::cast<const OpenedModel&>(model).model;
  if (py::isinstance<py::str>(model)) {
    const std::string uri = to_text(model, "model");
    // A server that is asked for its dimension may be a thread of this process.
    const WithoutGil released;
    return open_model(uri);
  }
  return std::make_shared<PythonModel>(model);
}

void bind_model(py::module_& module) {
  py::class_<OpenedModel>(
      module, "OpenedModel",
      "What open_model() gave: `space_id` names the model, `dimension` is of its vectors.")
      .def_property_readonly("space_id", [](const OpenedModel& self) { return self.model->space_id(); })
      .def_property_readonly("dimension", [](const OpenedModel& self) { return self.model->dimension(); })
      .def("embed", &embed, py::arg("texts"), py::arg("role") = "document",
           "A memoryview of float32 for each text. `role` is \"document\" or \"query\".")
      .def("__repr__", [](const OpenedModel& self) {
        return fmt::format("OpenedModel(space_id='{}')", self.model->space_id());
      });
  module.def("open_model", [](const std::string& uri, const py::dict& given) {
    const ModelOptions options = parse_model_options(to_json(given, "model_options", "model_options."));
    const WithoutGil released;
    return OpenedModel{open_model(uri, options)};
  });
}

}  // namespace actionhist::python

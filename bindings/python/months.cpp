// actionhist.PostgresMonths: the months of a memory in PostgreSQL.
#include <string>

#include <pybind11/stl.h>

#include <actionhist/postgres_months.hpp>

#include "bind.hpp"
#include "convert.hpp"
#include "core/turns.hpp"
#include "gil.hpp"

namespace actionhist::python {
namespace {

// One call at a time, each without the GIL.
class Months {
 public:
  Months(std::string_view uri, PostgresMonthsOptions options) : months_(uri, std::move(options)) {}

  template <class Work>
  auto call(Work&& work) {
    const WithoutGil released;
    return turns_.take("months", [&] { return work(months_); });
  }

 private:
  Turns turns_;
  PostgresMonths months_;  // used in turn
};

std::unique_ptr<Months> open_months(const py::object& uri, const py::object& postgres,
                                    const py::object& progress) {
  PostgresMonthsOptions options;
  options.progress = [](const MonthProgress&) { check_signals(); };
  if (!postgres.is_none()) options.postgres = parse_postgres_options(to_json(postgres, "postgres"));
  if (!progress.is_none()) {
    require_callable(progress, "progress");
    options.progress = [shared = shared_object(progress)](const MonthProgress& p) {
      const WithGil gil;
      answer(*shared, py::make_tuple(py::str(p.step.data(), p.step.size()), p.actions));
    };
  }
  return std::make_unique<Months>(to_text(uri, "uri"), std::move(options));
}

Month to_month(const py::object& month) { return parse_month(to_text(month, "month")); }

}  // namespace

void bind_months(py::module_& module) {
  py::class_<Months>(module, "Months", "The PostgresMonths of C++, for actionhist.PostgresMonths alone.")
      .def(py::init(&open_months))
      .def(
          "list",
          [](Months& self) { return plain(self.call([](PostgresMonths& months) { return months.list(); })); })
      .def("ensure",
           [](Months& self, const py::object& ahead) {
             const int count = to_int(ahead, "ahead");
             return self.call([&](PostgresMonths& months) {
               std::vector<std::string> made;
               for (const Month month : months.ensure(count)) made.push_back(format_month(month));
               return made;
             });
           })
      .def("detach",
           [](Months& self, const py::object& month) {
             const Month which = to_month(month);
             self.call([&](PostgresMonths& months) { months.detach(which); });
           })
      .def("archive",
           [](Months& self, const py::object& month, const py::object& folder) {
             const Month which = to_month(month);
             const std::string path = to_text(folder, "folder");
             return plain(self.call([&](PostgresMonths& months) { return months.archive(which, path); }));
           })
      .def("restore", [](Months& self, const py::object& month, const py::object& folder) {
        const Month which = to_month(month);
        const std::string path = to_optional_text(folder, "folder");
        self.call([&](PostgresMonths& months) { months.restore(which, path); });
      });
}

}  // namespace actionhist::python

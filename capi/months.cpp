// What actionhist.h declares of the months of a memory in PostgreSQL. Nothing is decided here.
#include <actionhist/postgres_months.hpp>

#include "core/turns.hpp"
#include "options.hpp"
#include "request.hpp"

struct actionhist_months {
  actionhist::Turns turns;
  actionhist::PostgresMonths months;  // used in turn
};

namespace {

using namespace actionhist;
using namespace actionhist::capi;

PostgresMonthsOptions months_options(const actionhist_options* given) {
  HostOptions host = read_options(given);
  PostgresMonthsOptions options{std::move(host.options.postgres), {}};
  if (host.progress) {
    options.progress = [progress = std::move(host.progress)](const MonthProgress& p) {
      progress(std::string(p.step), p.actions, 0);
    };
  }
  return options;
}

Month read_month(Request& request) { return parse_month(request.required_text("month")); }

// Runs `work` on the months, alone, and hands over its answer.
template <class Work>
actionhist_status answered(actionhist_months* months, const char* request, size_t request_length,
                           actionhist_text** answer, actionhist_error** error, Work&& work) {
  return answering(answer, error, [&] {
    if (months == nullptr) refuse("months", "is NULL");
    Request read(text_of(request, request_length, "request"));
    return months->turns.take("months", [&] { return work(months->months, read); });
  });
}

}  // namespace

actionhist_status actionhist_months_open(const char* uri, size_t uri_length,
                                         const actionhist_options* options, actionhist_months** months,
                                         actionhist_error** error) {
  if (months != nullptr) *months = nullptr;
  return guarded(error, [&] {
    PostgresMonthsOptions read = months_options(options);
    if (months == nullptr) refuse("months", "is NULL");
    if (uri == nullptr) refuse("uri", "is NULL");
    *months = new actionhist_months{{}, PostgresMonths({uri, uri_length}, std::move(read))};
  });
}

void actionhist_months_free(actionhist_months* months) {
  // The child leaks what belongs to its parent.
  if (months != nullptr && !months->turns.inherited()) delete months;
}

actionhist_status actionhist_months_list(actionhist_months* months, const char* request,
                                         size_t request_length, actionhist_text** answer,
                                         actionhist_error** error) {
  return answered(months, request, request_length, answer, error, [](PostgresMonths& all, Request& read) {
    read.done();
    return array_of(all.list());
  });
}

actionhist_status actionhist_months_ensure(actionhist_months* months, const char* request,
                                           size_t request_length, actionhist_text** answer,
                                           actionhist_error** error) {
  return answered(months, request, request_length, answer, error, [](PostgresMonths& all, Request& read) {
    int ahead = 3;
    read.read("ahead", ahead);
    read.done();
    JsonWriter writer;
    writer.begin_array();
    for (const Month month : all.ensure(ahead)) writer.value(format_month(month));
    return writer.end_array().take();
  });
}

actionhist_status actionhist_months_detach(actionhist_months* months, const char* request,
                                           size_t request_length, actionhist_text** answer,
                                           actionhist_error** error) {
  return answered(months, request, request_length, answer, error, [](PostgresMonths& all, Request& read) {
    const Month month = read_month(read);
    read.done();
    all.detach(month);
    return std::string(null);
  });
}

actionhist_status actionhist_months_archive(actionhist_months* months, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return answered(months, request, request_length, answer, error, [](PostgresMonths& all, Request& read) {
    const Month month = read_month(read);
    const std::string folder = read.required_text("folder");
    read.done();
    return to_json(all.archive(month, folder));
  });
}

actionhist_status actionhist_months_restore(actionhist_months* months, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return answered(months, request, request_length, answer, error, [](PostgresMonths& all, Request& read) {
    const Month month = read_month(read);
    const std::string folder = read.text("folder");
    read.done();
    all.restore(month, folder);
    return std::string(null);
  });
}

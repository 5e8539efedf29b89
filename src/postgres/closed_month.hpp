// A month on its way out of resource_action_traces, or back: the steps, each of which may be repeated after it was
// interrupted. A trigger keeps the month as it is from the first step to the last, so that what is counted stays true
// while agents write on. Used by one thread; the session belongs to the schema's owner and holds the work's lock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/postgres_months.hpp>

#include "postgres/schema_session.hpp"

namespace actionhist::postgres {

// Throws Error: corrupt.
MonthState parse_month_state(std::string_view text);

// A row of closed_months.
struct Closing {
  MonthState state{};
  std::string departure;
  std::string sha256;
  std::string archive;
};

class ClosedMonth {
 public:
  using Progress = std::function<void(const MonthProgress&)>;

  // REQUIRES: `session` outlives it.
  ClosedMonth(SchemaSession& session, Month month, Progress progress);

  // Nothing for a month that is open, or not there at all.
  std::optional<Closing> find();
  bool attached();

  // Throws Error: conflict while the guard or a legal hold needs the month.
  void check_free();

  // The way out: nothing in it changes from now on; then the counters go without it, then it is a table of its own,
  // then the feed and the metrics learn of it.
  void close();
  void count_out();
  void take_out();
  // Its rows leave for good: they are in `manifest`'s archive.
  void drop(const MonthArchive& archive, const std::string& manifest);

  // The way back: a table of its own, filled by `fill`; attached; counted; open.
  void load(const std::vector<std::string>& columns,
            const std::function<void(Connection&, const std::string& copy)>& fill);
  void put_back();
  void count_in();
  void open();

  // Gives each row, as COPY writes it, to `sink`.
  void copy_out(const std::vector<std::string>& columns,
                const std::function<void(std::span<const std::byte>)>& sink);
  std::vector<std::string> columns();

 private:
  enum class Way { out, in };

  std::vector<std::string> tenants();
  // One transaction as `tenant`, again after a deadlock.
  std::vector<Result> as_tenant(const std::string& tenant, const std::vector<Call>& calls);
  Result ask(std::string_view sql, Parameters parameters = {});
  void tell(std::string_view step, std::int64_t actions = 0) const;
  void count(Way way);
  void count(Way way, const std::string& tenant);
  void announce(Way way);
  void announce(Way way, const std::string& tenant);
  void set_state(MonthState state);
  std::string fence() const;
  std::string copy(const std::vector<std::string>& columns) const;

  SchemaSession& session_;
  std::string name_;       // "2026-03"
  std::string part_;       // "resource_action_traces_2026_03"
  TimePoint begin_, end_;  // of the month
  TimePoint started_;      // by the server's clock
  std::string departure_;
  Progress progress_;
};

}  // namespace actionhist::postgres

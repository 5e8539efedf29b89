#include "postgres/server_error.hpp"

#include <array>

#include <fmt/format.h>

namespace actionhist::postgres {
namespace {

struct State {
  std::string_view prefix;  // of the SQLSTATE; the first that fits counts
  ErrorCode code;
  Failure failure;
  std::string_view advice;
};

// Longer prefixes stand before the classes they belong to.
constexpr State states[] = {
    {"08", ErrorCode::unavailable, Failure::transient, ""},
    {"0A", ErrorCode::unsupported, Failure::permanent, ""},
    {"22", ErrorCode::invalid_argument, Failure::permanent, ""},
    {"23505", ErrorCode::conflict, Failure::permanent, ""},
    {"23", ErrorCode::internal, Failure::permanent, ""},
    {"25006", ErrorCode::unavailable, Failure::transient,
     "; this server only reads: it is a standby or was one, add target_session_attrs=read-write to the URI"},
    {"25P03", ErrorCode::timeout, Failure::connection_lost,
     "; the transaction did nothing for idle_in_transaction_timeout"},
    {"25P04", ErrorCode::timeout, Failure::permanent, ""},
    {"26000", ErrorCode::unavailable, Failure::transient,
     "; behind a pooler in transaction mode, set pooler = transaction"},
    {"28", ErrorCode::denied, Failure::permanent,
     "; check user and password of the URI and the server's pg_hba.conf"},
    {"3D000", ErrorCode::invalid_argument, Failure::permanent,
     "; create the database, or correct its name in the URI, then run `actionhist migrate`"},
    {"3F000", ErrorCode::unsupported, Failure::permanent, "; run `actionhist migrate`"},
    {"40", ErrorCode::unavailable, Failure::transient, ""},
    {"42501", ErrorCode::denied, Failure::permanent,
     "; grant the role what `actionhist migrate --print-roles` prints"},
    {"42P01", ErrorCode::unsupported, Failure::permanent,
     "; the schema is missing or old, run `actionhist migrate`"},
    {"42703", ErrorCode::unsupported, Failure::permanent,
     "; the schema is missing or old, run `actionhist migrate`"},
    {"42883", ErrorCode::unsupported, Failure::permanent,
     "; the schema is missing or old, run `actionhist migrate`"},
    {"42P07", ErrorCode::conflict, Failure::permanent, ""},
    {"42P05", ErrorCode::unavailable, Failure::transient,
     "; behind a pooler in transaction mode, set pooler = transaction"},
    {"53100", ErrorCode::unavailable, Failure::permanent,
     "; the disk of the database server is full: free space there and try again"},
    {"53200", ErrorCode::unavailable, Failure::permanent, "; the database server has no memory left"},
    {"53300", ErrorCode::unavailable, Failure::transient,
     "; lower pool_max, raise max_connections on the server, or put a pooler before it"},
    {"53", ErrorCode::unavailable, Failure::permanent, ""},
    {"55P03", ErrorCode::timeout, Failure::transient,
     "; another transaction held the row for longer than lock_timeout"},
    {"55", ErrorCode::unavailable, Failure::permanent, ""},
    {"57014", ErrorCode::timeout, Failure::permanent, "; raise statement_timeout, or ask for less at once"},
    {"57P01", ErrorCode::unavailable, Failure::transient, ""},
    {"57P02", ErrorCode::unavailable, Failure::transient, ""},
    {"57P03", ErrorCode::unavailable, Failure::transient, ""},
    {"57P05", ErrorCode::unavailable, Failure::transient, ""},
    {"57", ErrorCode::unavailable, Failure::permanent, ""},
    {"58", ErrorCode::unavailable, Failure::permanent, "; look into the log of the database server"},
    {"XX001", ErrorCode::corrupt, Failure::permanent, "; stop writing and restore the database"},
    {"XX002", ErrorCode::corrupt, Failure::permanent, "; rebuild the index with REINDEX"},
};

constexpr State unknown_state{"", ErrorCode::internal, Failure::permanent, ""};
constexpr State refused_parameter{
    "", ErrorCode::invalid_argument, Failure::permanent,
    "; a pooler takes no such parameter: remove it from the URI, or add it to ignore_startup_parameters there"};
constexpr State no_state{"", ErrorCode::unavailable, Failure::connection_lost, ""};

const State& state_of(std::string_view sqlstate) noexcept {
  if (sqlstate.empty()) return no_state;
  for (const State& state : states) {
    if (sqlstate.starts_with(state.prefix)) return state;
  }
  return unknown_state;
}

// PgBouncer has one SQLSTATE for all that it refuses; only its text, which is never translated, tells what.
std::string_view pooler_sqlstate(std::string_view said) {
  const auto says = [said](std::string_view text) { return said.find(text) != said.npos; };
  if (says("authentication failed") || says("auth failed") || says("no such user")) return "28P01";
  if (says("no such database")) return "3D000";
  return "08P01";
}

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

// libpq ends its texts with a line feed and puts what belongs to one failure on several lines.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n' || c == '\t' || c == '\r') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += c;
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

// Where ":  28P01: " stands, which the verbose form puts before the server's own text.
std::size_t find_sqlstate(std::string_view text) {
  for (std::size_t at = text.find(":  "); at != text.npos; at = text.find(":  ", at + 1)) {
    const std::string_view rest = text.substr(at + 3);
    if (rest.size() < 7 || rest.substr(5, 2) != ": ") continue;
    if (rest.substr(0, 5).find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == rest.npos) {
      return at + 3;
    }
  }
  return text.npos;
}

}  // namespace

ErrorCode error_code(std::string_view sqlstate) noexcept { return state_of(sqlstate).code; }

ServerError server_error(const PGresult* result) {
  const std::string_view sqlstate = field(result, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) return lost_connection(PQresultErrorMessage(result));
  // Only the first line: detail and hint quote whole rows, and rows may hold secrets.
  const std::string_view text = field(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view source = field(result, PG_DIAG_SOURCE_FUNCTION);
  const State& state = state_of(sqlstate);
  ErrorCode code = state.code;
  Failure failure = state.failure;
  std::string_view advice = state.advice;
  if (sqlstate == "23514" && source == "ExecFindPartition") {
    code = ErrorCode::unavailable;
    failure = Failure::no_partition;
    advice = "; as the owner of the schema run SELECT actionhist_ensure_month(its time)";
  } else if (sqlstate == "0A000" && source == "RevalidateCachedQuery") {
    // A migration has changed what a prepared statement returns.
    code = ErrorCode::unavailable;
    failure = Failure::transient;
  } else if (field(result, PG_DIAG_SEVERITY_NONLOCALIZED) == "FATAL") {
    // The server ends the connection, perhaps after it has committed.
    if (failure == Failure::transient) failure = Failure::connection_lost;
  }
  return ServerError(code, failure,
                     fmt::format("database: {} (SQLSTATE {}){}", one_line(text), sqlstate, advice),
                     std::string(sqlstate), std::string(field(result, PG_DIAG_CONSTRAINT_NAME)));
}

ServerError connect_error(std::string_view where, std::string_view text) {
  const std::size_t at = find_sqlstate(text);
  if (at == text.npos) {
    return ServerError(ErrorCode::unavailable, Failure::transient,
                       fmt::format("database {}: {}", where, one_line(text)));
  }
  const std::string_view sqlstate = text.substr(at, 5);
  const std::string_view said = text.substr(at + 7, text.find('\n', at) - at - 7);
  const bool parameter = sqlstate == "08P01" && said.find("unsupported startup parameter") != said.npos;
  const State& state = parameter             ? refused_parameter
                       : sqlstate == "08P01" ? state_of(pooler_sqlstate(said))
                                             : state_of(sqlstate);
  // Nothing has been sent yet, so nothing is ambiguous.
  const Failure failure = state.failure == Failure::connection_lost ? Failure::transient : state.failure;
  return ServerError(state.code, failure,
                     fmt::format("database {}: {} (SQLSTATE {}){}", where, said, sqlstate, state.advice),
                     std::string(sqlstate));
}

ServerError lost_connection(std::string_view text) {
  return ServerError(ErrorCode::unavailable, Failure::connection_lost,
                     fmt::format("database: the connection broke: {}", one_line(text)));
}

}  // namespace actionhist::postgres

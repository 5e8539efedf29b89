// Every kind of value goes to a real server and comes back the same.
#include <catch2/catch.hpp>

#include <limits>

#include "postgres/connection.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

Connection connect() { return Connection(Target(shared_server().uri()), {}, "tenant-1"); }

template <class T>
T round_trip(Connection& connection, const std::string& type, const T& value) {
  const Result result = connection.run("SELECT $1::" + type, Parameters(value));
  return Reader(result.row(0)).get<T>();
}

}  // namespace

TEST_CASE("a time beyond those of the server, or of ours, is the first or the last", "[postgres]") {
  Connection connection = connect();
  for (const TimePoint time : {TimePoint::min(), TimePoint::max()}) {
    CHECK(round_trip(connection, "timestamptz", time) == time);
  }
  CHECK(connection.run("SELECT $1 = '-infinity'::timestamptz", Parameters(TimePoint::min() + 1us))
            .row(0)
            .get<bool>());
  CHECK(connection.run("SELECT 'infinity'::timestamptz").row(0).get<TimePoint>() == TimePoint::max());
}

TEST_CASE("numbers, flags and times come back as they went", "[postgres]") {
  Connection connection = connect();
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max()}) {
    CHECK(round_trip(connection, "int8", number) == number);
  }
  for (const int number : {0, -1, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}) {
    CHECK(round_trip(connection, "int4", number) == number);
    CHECK(connection.run("SELECT $1::int8", Parameters(number)).row(0).get<std::int64_t>() == number);
  }
  for (const double number : {0.0, -0.1, 5e-324, 1.7976931348623157e308}) {
    CHECK(round_trip(connection, "float8", number) == number);
  }
  CHECK(connection.run("SELECT 0.5::float4").row(0).get<double>() == 0.5);
  CHECK(connection.run("SELECT 7::int2").row(0).get<int>() == 7);
  CHECK(round_trip(connection, "bool", true));
  CHECK_FALSE(round_trip(connection, "bool", false));
  for (const char* text :
       {"2026-04-27T00:46:06.123456Z", "1969-12-31T23:59:59.999999Z", "2000-01-01T00:00:00Z"}) {
    const TimePoint time = parse_time(text);
    CHECK(round_trip(connection, "timestamptz", time) == time);
    const Result shown = connection.run(
        "SELECT to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')", Parameters(time));
    CHECK(parse_time(shown.row(0).get<std::string>() + "Z") == time);
    CHECK(connection.run("SELECT $1::int8", Parameters(std::int64_t{time.time_since_epoch().count()}))
              .row(0)
              .get<TimePoint>() == time);
  }
}

TEST_CASE("text, JSON and enumerations come back as they went", "[postgres]") {
  Connection connection = connect();
  for (const std::string& text : {std::string("a"), std::string("'; DROP TABLE x; --"),
                                  std::string("Grüße 🚀\n\t\\"), std::string(3'000'000, 'x')}) {
    CHECK(round_trip(connection, "text", text) == text);
  }
  CHECK(connection.run("SELECT $1::text IS NULL", Parameters("")).row(0).get<bool>());
  CHECK_FALSE(connection.run("SELECT $1::text IS NULL", Parameters().add_text("")).row(0).get<bool>());
  const Json json = Json::object({{"b", 1}, {"a", "ü"}});
  CHECK(round_trip(connection, "text", json) == json);
  CHECK(round_trip(connection, "jsonb", json) == json);
  CHECK(round_trip(connection, "json", json) == json);
  CHECK(round_trip(connection, "text", Json()).absent());
  CHECK(round_trip(connection, "text", Status::rolled_back) == Status::rolled_back);
  CHECK(round_trip(connection, "text", Effect::read_only) == Effect::read_only);
  CHECK(connection.run("SELECT '00112233-4455-6677-8899-aabbccddeeff'::uuid").row(0).get<std::string>() ==
        "00112233-4455-6677-8899-aabbccddeeff");
}

TEST_CASE("bytes of any value and size come back as they went", "[postgres]") {
  Connection connection = connect();
  std::string all(256, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i);
  for (const std::string& bytes : {std::string(), all, std::string(5'000'000, '\0')}) {
    const Result result =
        connection.run("SELECT $1::bytea", Parameters().add_bytes(std::as_bytes(std::span(bytes))));
    const auto back = result.row(0).blob();
    CHECK(std::string(reinterpret_cast<const char*>(back.data()), back.size()) == bytes);
  }
}

TEST_CASE("an absent value is NULL of its type", "[postgres]") {
  Connection connection = connect();
  const auto absent = [&](const Parameters& parameters, const std::string& type) {
    const Result result = connection.run("SELECT pg_typeof($1)::text, $1", parameters);
    Row row = result.row(0);
    CHECK(row.get<std::string>() == type);
    CHECK(row.null());
  };
  absent(Parameters(std::optional<std::int64_t>()), "bigint");
  absent(Parameters(std::optional<int>()), "integer");
  absent(Parameters(std::optional<double>()), "double precision");
  absent(Parameters(std::optional<bool>()), "boolean");
  absent(Parameters(std::optional<TimePoint>()), "timestamp with time zone");
  absent(Parameters(std::optional<Effect>()), "text");
  absent(Parameters(""), "text");
  CHECK(connection.run("SELECT $1::int4 IS NULL", Parameters().add_null()).row(0).get<bool>());
  const Result result = connection.run("SELECT NULL::int8, NULL::text, NULL::float8, 1::int8");
  Row row = result.row(0);
  std::optional<std::int64_t> number = 5;
  std::string text = "x";
  double real = 7;
  std::optional<std::int64_t> one;
  row.read(number).read(text).read(real).read(one);
  CHECK_FALSE(number);
  CHECK(text.empty());
  CHECK(real == 0);
  CHECK(one == 1);
}

TEST_CASE("arrays become rows by unnest", "[postgres]") {
  Connection connection = connect();
  const std::vector<std::string> texts = {"a", "", "ü,{}\"", "NULL"};
  const std::vector<std::int64_t> numbers = {1, -2, std::numeric_limits<std::int64_t>::max(), 0};
  const std::vector<int> small = {1, -2, 3, 0};
  const std::vector<double> reals = {0.5, -1e300, 0, 3};
  const std::vector<TimePoint> times = {noon, noon + 1us, noon - 40 * 365 * 24h, noon};
  const std::vector<bool> flags = {true, false, true, true};
  const std::vector<std::optional<double>> perhaps = {0.25, std::nullopt, 1.0, std::nullopt};
  const std::vector<Json> jsons = {Json(1), Json(), Json("x"), Json::object({})};
  Parameters parameters(texts, numbers, small, reals, times, flags, jsons);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  parameters.add(std::span(perhaps)).add_nullable_texts(views);
  const Result result = connection.run(
      "SELECT * FROM unnest($1::text[], $2::int8[], $3::int4[], $4::float8[], $5::timestamptz[], $6::bool[],"
      " $7::text[], $8::float8[], $9::text[]) WITH ORDINALITY",
      parameters);
  REQUIRE(result.rows() == 4);
  std::size_t i = 0;
  for (Reader row(result); row.next(); ++i) {
    CHECK(row.get<std::string>() == texts[i]);
    CHECK(row.get<std::int64_t>() == numbers[i]);
    CHECK(row.get<int>() == small[i]);
    CHECK(row.get<double>() == reals[i]);
    CHECK(row.get<TimePoint>() == times[i]);
    CHECK(row.get<bool>() == flags[i]);
    CHECK(row.get<Json>() == jsons[i]);
    std::optional<double> real;
    row.read(real);
    CHECK(real == perhaps[i]);
    CHECK(row.null() == texts[i].empty());
    row.skip();
    CHECK(row.get<std::int64_t>() == static_cast<std::int64_t>(i + 1));
  }
  CHECK(i == 4);
  CHECK(round_trip(connection, "text[]", texts) == texts);
  CHECK(round_trip(connection, "int8[]", numbers) == numbers);
  CHECK(round_trip(connection, "float8[]", reals) == reals);
  CHECK(round_trip(connection, "text[]", std::vector<std::string>()).empty());
  const std::byte two[] = {std::byte{0}, std::byte{1}};
  const std::vector<std::span<const std::byte>> blobs = {two, {}};
  const Result blob =
      connection.run("SELECT * FROM unnest($1::bytea[])", Parameters().add_byte_arrays(blobs));
  CHECK(blob.row(0).blob().size() == 2);
  CHECK(blob.row(1).blob().empty());
}

TEST_CASE("a column of another type than the code reads is a bug that names the column", "[postgres]") {
  Connection connection = connect();
  const Result result = connection.run("SELECT 'x' AS word, 3000000000::int8 AS big, 1.5::numeric AS amount");
  CHECK(error_text_of([&] { result.row(0).get<std::int64_t>(); }).find("\"word\"") != std::string::npos);
  CHECK(error_code_of([&] { result.row(0).skip().get<int>(); }) == ErrorCode::internal);
  CHECK(error_text_of([&] { result.row(0).skip(2).get<double>(); }).find("\"amount\"") != std::string::npos);
  CHECK(error_code_of([&] { result.row(0).get<std::vector<std::string>>(); }) == ErrorCode::internal);
  CHECK(error_code_of([&] { result.row(0).skip(3).get<std::string>(); }) == ErrorCode::internal);
}

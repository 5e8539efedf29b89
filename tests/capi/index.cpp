// The index without a database over the C interface.
#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "capi/session.hpp"
#include "support/samples.hpp"

using namespace actionhist::test;

namespace {

using Vectors = std::vector<std::vector<float>>;

class Index {
 public:
  explicit Index(actionhist_index* handle) : handle_(handle) {}
  explicit Index(std::string_view options) {
    REQUIRE(actionhist_index_create(options.data(), options.size(), &handle_, nullptr) == ACTIONHIST_OK);
  }
  ~Index() { actionhist_index_free(handle_); }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  Answer operator()(actionhist_index_operation* operation, std::string_view request = {}) const {
    actionhist_text* text = nullptr;
    actionhist_error* error = nullptr;
    const auto status = operation(handle_, request.data(), request.size(), &text, &error);
    return take(status, text, error);
  }

  Answer operator()(actionhist_index_vectors* operation, std::string_view request,
                    const Vectors& vectors) const {
    std::vector<float> numbers;
    for (const auto& row : vectors) numbers.insert(numbers.end(), row.begin(), row.end());
    actionhist_text* text = nullptr;
    actionhist_error* error = nullptr;
    const auto status = operation(handle_, request.data(), request.size(), numbers.data(), vectors.size(),
                                  vectors.empty() ? 0 : vectors.front().size(), &text, &error);
    return take(status, text, error);
  }

  actionhist_index* get() const { return handle_; }

 private:
  actionhist_index* handle_ = nullptr;
};

constexpr const char* three_rows =
    R"({"rows":[{"id":"a","text":"pod crashes at start","fields":{"kind":"Pod"},"version":18446744073709551615},)"
    R"({"id":"b","text":"volume full","fields":{"kind":"Volume"}},{"id":"c","fields":{"kind":"Pod"}}]})";
const Vectors axes{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

}  // namespace

TEST_CASE("C ABI: an index finds rows by vector, text and filter") {
  const Index index(R"({"dimension":3})");
  REQUIRE(index(actionhist_index_put, three_rows, axes).text == "null");
  CHECK(index(actionhist_index_search, R"({"limit":1})", {{0, 2, 0}}).holds(R"([{"id":"b")"));
  CHECK(index(actionhist_index_search, R"({"text":"crashes","limit":1})", {})
            .holds(R"("matched_terms":["crashes"])"));
  const Answer pods = index(actionhist_index_search, R"({"where":{"kind":"Pod"}})", {{0, 2, 0}});
  CHECK(pods.holds(R"("id":"a")"));
  CHECK(pods.holds(R"("id":"c")"));
  CHECK_FALSE(pods.holds(R"("id":"b")"));
  const Answer many = index(actionhist_index_search_many, R"({"limit":1})", {{0, 2, 0}, {3, 0, 0}});
  CHECK(many.holds(R"([[{"id":"b")"));
  CHECK(many.holds(R"([{"id":"a")"));
  const Answer alike =
      index(actionhist_index_search, R"({"percentile":100,"mmr_lambda":0.5,"distinct":1})", {{0, 2, 0}});
  CHECK(alike.holds(R"("id":"b")"));
  CHECK(index(actionhist_index_search, R"({"percentile":50})", {}).status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(index(actionhist_index_search_many, "{}", {}).text == "[]");
  CHECK(index(actionhist_index_explain, R"({"where":{"kind":"Pod"}})", {{0, 2, 0}}).holds(R"("matching":2)"));

  CHECK(index(actionhist_index_version, R"({"id":"a"})").text == "18446744073709551615");
  CHECK(index(actionhist_index_version, R"({"id":"no"})").text == "null");
  CHECK(index(actionhist_index_set_fields, R"({"id":"b","fields":{"kind":"Pod"}})").text == "true");
  CHECK(index(actionhist_index_search, R"({"where":{"kind":"Pod"},"limit":1})", {{0, 2, 0}})
            .holds(R"([{"id":"b")"));
  CHECK(index(actionhist_index_set_vector, R"({"id":"b"})", {{0, 0, -1}}).text == "true");
  CHECK(index(actionhist_index_remove, R"({"id":"a"})").text == "true");
  CHECK(index(actionhist_index_remove, R"({"id":"a"})").text == "false");
  CHECK(index(actionhist_index_optimize).text == "null");
  CHECK(index(actionhist_index_stats).holds(R"("rows":2)"));
  CHECK(index(actionhist_index_clear).text == "null");
  CHECK(index(actionhist_index_stats).holds(R"("rows":0)"));
}

TEST_CASE("C ABI: an index tells its vectors, how alike they are and what they cost") {
  const Index index(R"({"dimension":3,"parts":[1,2]})");
  CHECK(index(actionhist_index_similarity_at, R"({"percentile":50})").text == "null");
  REQUIRE(index(actionhist_index_put, three_rows, {{1, 1, 0}, {2, 0, 5}, {-1, 0, 1}}).text == "null");
  CHECK(index(actionhist_index_vector, R"({"id":"b"})").text == "[1,0,1]");
  CHECK(index(actionhist_index_vector, R"({"id":"no"})").text == "null");
  CHECK(index(actionhist_index_similarity_at, R"({"percentile":0})").text == "-0.5");
  CHECK(index(actionhist_index_similarity_at, R"({"percentile":100})").text == "0.5");
  CHECK(index(actionhist_index_similarity_at, R"({"percentile":100,"weights":[3,1]})").text == "0.75");
  CHECK(index(actionhist_index_similarity_at).error == "percentile: is required");
  CHECK(index(actionhist_index_similarity_at, R"({"percentile":101})").status == ACTIONHIST_INVALID_ARGUMENT);

  const auto estimated = [](std::string_view options) {
    std::uint64_t bytes = 1;
    const auto status =
        actionhist_index_estimated_bytes(options.data(), options.size(), 1000, &bytes, nullptr);
    CHECK((status == ACTIONHIST_OK) == (bytes > 0));
    return bytes;
  };
  CHECK(estimated(R"({"dimension":384,"precision":"byte"})") > 384'000);
  CHECK(estimated(R"({"dimension":384})") >=
        estimated(R"({"dimension":384,"precision":"byte"})") + 1'536'000);
  CHECK(estimated("{}") == 0);
  CHECK(actionhist_index_estimated_bytes("{}", 2, 1, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
}

TEST_CASE("C ABI: the parts of vectors count by weight") {
  const Index index(R"({"dimension":3,"parts":[1,2]})");
  REQUIRE(index(actionhist_index_put, three_rows, {{1, 0, 1}, {-1, 1, 0}, {0, 1, 1}}).text == "null");
  const Vectors asked{{2, 3, 0}};
  CHECK(index(actionhist_index_search, R"({"weights":[3,1],"limit":1})", asked).holds(R"([{"id":"a")"));
  const Answer second = index(actionhist_index_search, R"({"weights":[0,0.5],"limit":1})", asked);
  CHECK(second.holds(R"([{"id":"b")"));
  CHECK(second.holds(R"("parts":[-1)"));
  for (const char* wrong : {R"({"weights":[1]})", R"({"weights":[0,0]})", R"({"weights":[1,-1]})",
                            R"({"weights":2})", R"({"weights":[1,"x"]})"}) {
    const Answer refused = index(actionhist_index_search, wrong, asked);
    CHECK(refused.status == ACTIONHIST_INVALID_ARGUMENT);
    CHECK(refused.error.find("weights") != std::string::npos);
  }
  actionhist_index* none = nullptr;
  for (const std::string_view wrong :
       {R"({"dimension":3,"parts":[1,1]})", R"({"dimension":3,"parts":[-1,4]})"}) {
    CHECK(actionhist_index_create(wrong.data(), wrong.size(), &none, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
    CHECK(none == nullptr);
  }
}

TEST_CASE("C ABI: an index is saved and opened with its note") {
  const TempFolder folder;
  const std::string path = folder.file("index");
  {
    const Index index(R"({"dimension":3,"metric":"inner_product","precision":"half"})");
    REQUIRE(index(actionhist_index_put, three_rows, axes).status == ACTIONHIST_OK);
    REQUIRE(index(actionhist_index_save, R"({"folder":")" + path + R"(","note":{"seq":3}})").text == "null");
  }
  actionhist_index* handle = nullptr;
  REQUIRE(actionhist_index_open(path.data(), path.size(), &handle, nullptr) == ACTIONHIST_OK);
  const Index opened(handle);
  CHECK(opened(actionhist_index_stats).holds(R"("note":{"seq":3})"));
  CHECK(opened(actionhist_index_search, R"({"limit":1})", {{0, 2, 0}}).holds(R"([{"id":"b")"));
  const std::string none = folder.file("none");
  CHECK(actionhist_index_open(none.data(), none.size(), &handle, nullptr) == ACTIONHIST_NOT_FOUND);
  CHECK(handle == nullptr);
}

TEST_CASE("C ABI misuse: an index refuses what does not fit, by name, and stays as it was") {
  actionhist_index* handle = nullptr;
  const auto create = [&](std::string_view options) {
    actionhist_error* error = nullptr;
    const auto status = actionhist_index_create(options.data(), options.size(), &handle, &error);
    CHECK(handle == nullptr);
    return take(status, nullptr, error);
  };
  CHECK(create("").error == "dimension: is required");
  CHECK(create(R"({"dimension":-1})").error == "dimension: is negative");
  CHECK(create(R"({"dimension":99999999999})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(create(R"({"dimension":3,"metric":"manhattan"})").error.find("metric") != std::string::npos);
  CHECK(create(R"({"dimension":3,"colour":1})").error.find("colour") != std::string::npos);
  CHECK(actionhist_index_create("{}", 2, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_index_open("", 0, &handle, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  actionhist_index_free(nullptr);

  const Index index(R"({"dimension":3})");
  REQUIRE(index(actionhist_index_put, three_rows, axes).status == ACTIONHIST_OK);
  CHECK(index(actionhist_index_put, three_rows, {{1, 0, 0}}).error == "vectors: are 1, rows are 3");
  CHECK(index(actionhist_index_put, R"({"rows":[{"id":"x"}]})", {{1, 0}}).status ==
        ACTIONHIST_INVALID_ARGUMENT);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(index(actionhist_index_put, R"({"rows":[{"id":"x"}]})", {{1, 0, nan}}).status ==
        ACTIONHIST_INVALID_ARGUMENT);
  CHECK(index(actionhist_index_put, R"({"rows":[{"id":"x","version":-1}]})", {})
            .error.find("rows[0].version") != std::string::npos);
  CHECK(index(actionhist_index_put, R"({"rows":[{"id":"x","txt":""}]})", {}).error.find("rows[0].txt") !=
        std::string::npos);
  CHECK(index(actionhist_index_put, "{}", {}).error == "rows: is required");
  CHECK(index(actionhist_index_search, R"({"limit":0})", {{1, 0, 0}}).error.find("limit") !=
        std::string::npos);
  CHECK(index(actionhist_index_search, "{}", {{1, 0}}).status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(index(actionhist_index_search, "{}", axes).error.find("vectors") != std::string::npos);
  CHECK(index(actionhist_index_set_vector, R"({"id":"a"})", {}).error.find("vectors") != std::string::npos);
  CHECK(index(actionhist_index_stats).holds(R"("rows":3)"));

  const auto refused = [&](const float* vectors, std::size_t count, std::size_t dimension) {
    return actionhist_index_search_many(index.get(), nullptr, 0, vectors, count, dimension, nullptr, nullptr);
  };
  const float one = 1;
  CHECK(refused(nullptr, 1, 3) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(refused(&one, SIZE_MAX, 3) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(refused(&one, 1, SIZE_MAX) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(refused(&one, 1, 0) == ACTIONHIST_INVALID_ARGUMENT);
  for (actionhist_index_operation* operation :
       {actionhist_index_set_fields, actionhist_index_remove, actionhist_index_version,
        actionhist_index_vector, actionhist_index_similarity_at, actionhist_index_optimize,
        actionhist_index_clear, actionhist_index_stats, actionhist_index_save}) {
    CHECK(operation(nullptr, nullptr, 0, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
    CHECK(index(operation, "nonsense").status == ACTIONHIST_INVALID_ARGUMENT);
    CHECK(index(operation, R"({"unknown":1})").status == ACTIONHIST_INVALID_ARGUMENT);
  }
  CHECK(index(actionhist_index_stats).holds(R"("rows":3)"));
}

TEST_CASE("C ABI: threads search an index while others change it") {
  const Index index(R"({"dimension":3})");
  REQUIRE(index(actionhist_index_put, three_rows, axes).status == ACTIONHIST_OK);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string row =
            R"({"rows":[{"id":"t)" + std::to_string(t) + "-" + std::to_string(i) + R"("}]})";
        if (index(actionhist_index_put, row, {{0, 0, 1}}).status != ACTIONHIST_OK) ++wrong[t];
        if (!index(actionhist_index_search, R"({"limit":1})", {{0, 2, 0}}).holds(R"("id":"b")")) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int each : wrong) CHECK(each == 0);
  CHECK(index(actionhist_index_stats).holds(R"("rows":203)"));
}

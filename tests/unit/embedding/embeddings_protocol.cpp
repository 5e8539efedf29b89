#include "embedding/embeddings_protocol.hpp"

#include <catch2/catch.hpp>

#include "http/retry.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

HttpReply reply(int status, std::string body = {}) {
  HttpReply given;
  given.status = status;
  given.body = std::move(body);
  return given;
}

}  // namespace

TEST_CASE("a request says what the server has to know and no more", "[embeddings_protocol]") {
  const std::vector<std::string> texts{"a \"b\"\n", "é"};
  CHECK(embeddings_request("m", texts, {}) ==
        R"({"model":"m","input":["a \"b\"\n","é"],"encoding_format":"float"})");
  CHECK(embeddings_request("", texts, 256) ==
        R"({"input":["a \"b\"\n","é"],"encoding_format":"float","dimensions":256})");
}

TEST_CASE("an answer is put in the order of the texts", "[embeddings_protocol]") {
  const auto vectors = read_embeddings(
      R"({"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":"AACAPwAAAEA="}]})", 2);
  CHECK(vectors == std::vector<std::vector<float>>{{1, 2}, {3, 4}});
  CHECK(read_embeddings(R"({"data":[{"embedding":[1]},{"embedding":[2]}]})", 2).back().front() == 2);
}

TEST_CASE("the wait before another try is the server's, or doubles", "[embeddings_protocol]") {
  HttpReply asked = reply(429);
  CHECK(retry_delay(asked, 1, 0, 0) == 500ms);
  CHECK(retry_delay(asked, 3, 0, 0) == 2s);
  CHECK(retry_delay(asked, 30, 0, 0) == 8s);
  CHECK(retry_delay(asked, 3, 0.999, 0) < 1502ms);
  asked.retry_after = "7";
  CHECK(retry_delay(asked, 1, 0, 0) == 7s);
  asked.retry_after_ms = "30.5";
  CHECK(retry_delay(asked, 1, 0, 0) == 31ms);
  asked.retry_after_ms.clear();
  for (const char* useless : {"121", "-1", "0", "soon", "nan"}) {
    asked.retry_after = useless;
    CHECK(retry_delay(asked, 1, 0, 0) == 500ms);
  }
  asked.retry_after = "Thu, 01 Jan 1970 00:01:00 GMT";
  CHECK(retry_delay(asked, 1, 0, 20) == 40s);
  CHECK(retry_delay(asked, 1, 0, 90) == 500ms);
}

TEST_CASE("a refusal names the status and the code, not what the server says", "[embeddings_protocol]") {
  const Refusal quota =
      refusal_of(reply(429, R"({"error":{"code":"insufficient_quota","message":"key sk-1"}})"));
  CHECK(quota.message == "status 429 (insufficient_quota)");
  CHECK_FALSE(quota.retry);
  CHECK(refusal_of(reply(503, "<html>sk-1")).message == "status 503");
  CHECK(refusal_of(reply(503)).retry);
  CHECK(refusal_of(reply(400, R"({"error":"Input text is here","error_type":"Validation"})")).message ==
        "status 400 (Validation)");
  CHECK(refusal_of(reply(400, R"({"code":"text with spaces"})")).message == "status 400");
  CHECK(refusal_of(reply(500, "input is too long")).permanent);
  CHECK_FALSE(refusal_of(reply(404)).retry);
  HttpReply none{.failure = "Couldn't connect"};
  CHECK(refusal_of(none).retry);
  none.needs_repair = true;
  CHECK_FALSE(refusal_of(none).retry);
  CHECK(refusal_of(none).message == "no answer: Couldn't connect");
}

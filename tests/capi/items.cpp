// Items and checkpoints over the C interface.
#include <catch2/catch.hpp>

#include <string>

#include "capi/session.hpp"

using namespace actionhist::test;

TEST_CASE("C ABI: items are put, found and removed") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  CHECK(
      h(actionhist_history_put_items,
        R"({"items":[{"namespace":["users","u-1"],"key":"theme","value":{"colour":"dark"},"ttl_seconds":3600},)"
        R"({"namespace":["users","u-2"],"key":"food","value":{"text":"pizza with mushrooms"}},)"
        R"({"namespace":["users","u-2"],"key":"v","value":{},"vectors":[[1,0]],"space_id":"mine"}]})")
          .text == "null");
  const Answer found = h(
      actionhist_history_get_items,
      R"({"keys":[{"namespace":["users","u-1"],"key":"theme"},{"namespace":["users"],"key":"no"}],"renew":false})");
  CHECK(found.holds(R"("expires_at":"2026-03-10T13:00:00Z")"));
  CHECK(found.holds(R"("value":{"colour":"dark"})"));
  CHECK(found.holds(",null]"));
  CHECK(h(actionhist_history_search_items, R"({"namespace":["users"],"where":{"colour":"dark"}})")
            .holds(R"("key":"theme")"));
  CHECK(h(actionhist_history_search_items, R"({"text":"pizza","limit":1})").holds(R"("key":"food")"));
  CHECK(h(actionhist_history_search_items, R"({"vector":[2,0],"space_id":"mine","limit":1})")
            .holds(R"("score":1)"));
  CHECK(h(actionhist_history_item_namespaces).text == R"([["users","u-1"],["users","u-2"]])");
  CHECK(h(actionhist_history_item_namespaces, R"({"prefix":["users"],"max_depth":1})").text ==
        R"([["users"]])");
  CHECK(
      h(actionhist_history_put_items, R"({"items":[{"namespace":["users","u-1"],"key":"theme"}]})").status ==
      ACTIONHIST_OK);
  CHECK(h(actionhist_history_item_namespaces).text == R"([["users","u-2"]])");
  CHECK(h(actionhist_history_sweep_items).text == "0");
}

TEST_CASE("C ABI: an item that is wrong is named, and nothing is written") {
  const Session h;
  const auto refused = [&](const std::string& item) {
    const Answer answer = h(actionhist_history_put_items,
                            R"({"items":[{"namespace":["a"],"key":"k","value":{}},)" + item + "]}");
    CHECK(answer.status == ACTIONHIST_INVALID_ARGUMENT);
    CHECK(h(actionhist_history_item_namespaces).text == "[]");
    return answer.error;
  };
  CHECK(refused(R"({"namespace":["a"],"key":"x","value":[1]})").find("value") != std::string::npos);
  CHECK(refused(R"({"namespace":"a","key":"x","value":{}})").find("items[1].namespace") != std::string::npos);
  CHECK(refused(R"({"namespace":["a"],"key":"x","value":{},"colour":1})").find("items[1].colour") !=
        std::string::npos);
  CHECK(refused(R"({"namespace":["a"],"key":"x","value":{},"ttl_seconds":1e300})").find("ttl_seconds") !=
        std::string::npos);
  CHECK(refused(R"({"namespace":["a"],"key":"x","value":{},"space_id":"s","vectors":[[1,"x"]]})") ==
        "items[1].vectors[0][1]: must be a number");
  CHECK(refused(R"({"namespace":["a"],"key":"x","value":{},"vectors":[[1,2]]})").find("space_id") !=
        std::string::npos);
  CHECK(refused("7").find("items[1]") != std::string::npos);
  CHECK(h(actionhist_history_put_items).error == "items: is required");
  CHECK(h(actionhist_history_get_items, R"({"keys":{}})").error == "keys: must be an array");
}

TEST_CASE("C ABI: a checkpoint keeps its bytes and what tasks wrote after it") {
  const auto options = options_at_noon();
  const Session h("memory:", &options);
  const std::string key = R"("thread_id":"t","checkpoint_ns":"","checkpoint_id":"1")";
  // "AHN0YXRl" is a NUL and "state".
  CHECK(h(actionhist_history_put_checkpoint,
          "{" + key + R"(,"format":"raw","state":"AHN0YXRl","metadata":{"step":1}})")
            .text == "null");
  CHECK(h(actionhist_history_put_checkpoint_writes,
          "{" + key +
              R"(,"writes":[{"task_id":"a","place":0,"channel":"c","format":"raw","value":"eA=="},)"
              R"({"task_id":"a","place":-1,"channel":"e","format":"raw"}]})")
            .text == "null");
  const Answer found =
      h(actionhist_history_find_checkpoints, R"({"thread_id":"t","checkpoint_ns":"","where":{"step":1}})");
  CHECK(found.holds(R"("state":"AHN0YXRl")"));
  CHECK(found.holds(R"("created_at":"2026-03-10T12:00:00Z")"));
  CHECK(found.holds(R"("channel":"c","format":"raw","value":"eA==")"));
  CHECK(found.holds(R"("place":-1)"));
  CHECK(h(actionhist_history_find_checkpoints, R"({"checkpoint_ns":"inner"})").text == "[]");
  CHECK(h(actionhist_history_find_checkpoints, R"({"checkpoint_ns":null,"after":null})").text == found.text);
  const Answer light = h(actionhist_history_find_checkpoints, R"({"states":false})");
  CHECK(light.holds(R"("checkpoint_id":"1")"));
  CHECK_FALSE(light.holds("state"));
  CHECK(h(actionhist_history_find_checkpoints, R"({"after":{)" + key + "}}").text == "[]");

  CHECK(h(actionhist_history_copy_checkpoint_thread, R"({"source":"t","target":"u"})").text == "null");
  CHECK(h(actionhist_history_remove_checkpoints,
          R"({"keys":[{)" + key + R"(},{"thread_id":"no","checkpoint_id":"1"}]})")
            .text == "1");
  CHECK(h(actionhist_history_find_checkpoints).holds(R"("thread_id":"u")"));
  CHECK(h(actionhist_history_remove_checkpoint_thread, R"({"thread_id":"u"})").text == "null");
  CHECK(h(actionhist_history_find_checkpoints).text == "[]");

  CHECK(h(actionhist_history_put_checkpoint, "{" + key + R"(,"state":"no base64"})").error ==
        "state: must be base64, with padding");
  CHECK(h(actionhist_history_put_checkpoint, R"({"checkpoint_id":"1","state":""})").status ==
        ACTIONHIST_INVALID_ARGUMENT);
  CHECK(h(actionhist_history_find_checkpoints, R"({"after":{"thread":"t"}})").error.find("after.thread") !=
        std::string::npos);
  CHECK(h(actionhist_history_find_checkpoints).text == "[]");
}

TEST_CASE("C ABI: a state of several megabytes is kept byte for byte") {
  const Session h;
  // Longer than what is encoded at once, with every byte of the alphabet and padding at the end.
  std::string state;
  while (state.size() < (5U << 20)) state += "AHN0YXRl+/9z";
  state += "eA==";
  REQUIRE(h(actionhist_history_put_checkpoint,
            R"({"thread_id":"t","checkpoint_id":"1","format":"raw","state":")" + state + R"("})")
              .status == ACTIONHIST_OK);
  CHECK(h(actionhist_history_find_checkpoints).holds("\"state\":\"" + state + "\""));
}

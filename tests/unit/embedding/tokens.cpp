#include "embedding/tokens.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using actionhist::Token;
using actionhist::Tokenizer;

namespace {

using Strings = std::vector<std::string>;

Strings terms(std::string_view text) {
  Strings out;
  Tokenizer tokenizer(text);
  for (Token token; tokenizer.next(token);) out.emplace_back(token.term);
  return out;
}

Strings surfaces(std::string_view text) {
  Strings out;
  Tokenizer tokenizer(text);
  for (Token token; tokenizer.next(token);) out.emplace_back(token.surface);
  return out;
}

}  // namespace

TEST_CASE("an identifier gives its words and itself", "[tokens]") {
  CHECK(terms("KubeAPIDown") == Strings{"kube", "api", "down", "kubeapidown"});
  CHECK(terms("HTTPServer") == Strings{"http", "server", "httpserver"});
  CHECK(terms("CrashLoopBackOff") == Strings{"crash", "loop", "back", "off", "crashloopbackoff"});
  CHECK(terms("node2") == Strings{"node", "2", "node2"});
  CHECK(terms("5xx") == Strings{"5", "xx", "5xx"});
  CHECK(terms("PVC") == Strings{"pvc"});
}

TEST_CASE("an identifier is found however its words are joined", "[tokens]") {
  const std::string whole = terms("KubePodCrashLooping").back();
  CHECK(terms("kube-pod-crash-looping").back() == whole);
  CHECK(terms("kube_pod_crash_looping").back() == whole);
  CHECK(terms("kubepodcrashlooping") == Strings{whole});
}

TEST_CASE("joiners that join nothing separate words", "[tokens]") {
  CHECK(terms("--restart-- _x_ a--b") == Strings{"restart", "x", "b"});
  CHECK(terms("pod- -node") == Strings{"pod", "node"});
  CHECK(terms("scale-") == Strings{"scale"});
}

TEST_CASE("words are stemmed and stop words left out, but not the words that alerts are made of",
          "[tokens]") {
  CHECK(terms("the pods are restarting") == Strings{"pod", "restart"});
  CHECK(terms("is it that") == Strings{});
  CHECK(terms("not up, down, out of memory") == Strings{"not", "up", "down", "out", "memori"});
  CHECK(terms("doesn't") == Strings{"doesn"});
}

TEST_CASE("the surface is what the user wrote", "[tokens]") {
  CHECK(surfaces("Restarting web-frontend!") == Strings{"Restarting", "web", "frontend", "web-frontend"});
  CHECK(surfaces("in Zürich") == Strings{"Zürich"});
}

TEST_CASE("letters of any script make words, without their accents and case", "[tokens]") {
  CHECK(terms("ZÜRICH") == terms("zurich"));
  CHECK(terms("cafe\u0301") == terms("café"));
  CHECK(terms("ＰＯＤ") == terms("pod"));
  CHECK(terms("Ошибка") == terms("ошибка"));
  CHECK(terms("ΣΦΆΛΜΑ") == terms("σφάλμα"));
  CHECK(terms("straße") == terms("STRASSE"));
  CHECK(terms("ОшибкаСети") == Strings{"ошибка", "сети", "ошибкасети"});
}

TEST_CASE("ideographs, kana and Hangul are found by character and by pair", "[tokens]") {
  CHECK(terms("磁盘满") == Strings{"磁", "盘", "磁盘", "满", "盘满"});
  CHECK(terms("pod失败") == Strings{"pod", "失", "败", "失败"});
  CHECK(terms("ノード").size() == 5);
  CHECK(terms("디스크").size() == 5);
  CHECK(surfaces("磁盘") == Strings{"磁", "盘", "磁盘"});
}

TEST_CASE("bytes that are no UTF-8 separate words", "[tokens]") {
  CHECK(terms("bad\xff\xfepod") == Strings{"bad", "pod"});
  CHECK(terms("pod\xc3") == Strings{"pod"});
  CHECK(terms("\xed\xa0\x80node") == Strings{"node"});
  CHECK(terms(std::string("a\0pod", 5)) == Strings{"pod"});
  CHECK(terms("\u0301\u0301").empty());
  std::string all;
  for (int c = 255; c > 0; --c) all += static_cast<char>(c);
  CHECK_FALSE(terms(all).empty());
}

TEST_CASE("data without spaces is cut into words of bounded length", "[tokens]") {
  for (const std::string& term : terms(std::string(10'000, 'a'))) CHECK(term.size() <= 64);
  CHECK(terms(std::string(10'000, 'a')).size() == 157);
  for (const std::string& term : terms(std::string(10'000, '7'))) CHECK(term.size() <= 64);
}

TEST_CASE("an empty text has no tokens", "[tokens]") {
  CHECK(terms("").empty());
  CHECK(terms(" \n\t.,;()").empty());
}

// The text index of actions, kept by the transaction that writes them. Answers while the semantic index
// cannot. Functions are called inside a transaction of the connection.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>

#include "sqlite/connection.hpp"

namespace actionhist::sqlite {

// What can be found of an action: each word once, in lower case, with the parts of camel case beside it.
std::string searchable_words(const Trace& trace);

// Adds actions one after the other, with what it needs kept between them.
class TextWriter {
 public:
  TextWriter(Connection& connection, const std::string& tenant);

  void add(const Trace& trace);
  // Words that changed, because an outcome told more.
  void replace(const Trace& trace);
  // The end of the additions: indexes what waits, when that is much.
  void finish();

 private:
  Connection& connection_;
  const std::string& tenant_;
  std::int64_t indexed_ = 0;  // docs up to this one are in the index
  std::int64_t last_ = 0;     // doc
  Query insert_;
};

// Takes actions out; `ids` is a JSON array of their ids.
void remove_texts(Connection& connection, const std::string& tenant, std::string_view ids);

// Adds all that a database of an older schema holds.
void add_all_texts(Connection& connection);

// Which of the words are in so many of the actions stored last that looking through these is quicker than the index,
// where a word costs time for each action that holds it.
std::vector<bool> common_words(Connection& connection, std::span<const std::string> words);

// SQL for (of_tenant, id, found): the actions of all tenants that hold at least one of the words, and how
// many. Its first parameters are the words' patterns, the next the words themselves. A common word is looked for in the
// actions stored last only; of any other the latest `most` actions that hold it are looked up, 0 is all.
std::string found_texts(const std::vector<bool>& common, int most);

// What to bind for a word: the beginning of one in the index.
std::string word_pattern(std::string_view word);

}  // namespace actionhist::sqlite

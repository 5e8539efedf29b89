// Takes secrets out of what agents report, before anything is hashed, stored or embedded.
// A Redactor may be used from any thread at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>

namespace actionhist {

class Redactor {
 public:
  // `rules` are RE2 expressions beside the built-in ones. Throws Error: invalid_argument for one that is none.
  explicit Redactor(const std::vector<std::string>& rules);
  ~Redactor();
  Redactor(Redactor&&) noexcept;

  void redact(Action& action) const;
  void redact(Outcome& outcome) const;
  void redact(Alert& alert) const;
  void redact(std::string& text) const;
  void redact(Json& json, std::string_view field) const;

 private:
  struct Rules;
  std::unique_ptr<const Rules> rules_;
};

}  // namespace actionhist

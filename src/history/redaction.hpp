// Takes secrets out of what agents report, before anything is hashed, stored or embedded.
// A Redactor may be used from any thread at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>

namespace actionhist {

class JsonCensor;

class Redactor {
 public:
  // `rules` are RE2 expressions beside the built-in ones. Throws Error: invalid_argument for one that is none.
  explicit Redactor(const std::vector<std::string>& rules);
  ~Redactor();
  Redactor(Redactor&&) noexcept;

  // True if something was taken out. What stands in its place may be longer.
  bool redact(Action& action) const;
  // `resource` is what was acted on: of a Secret of Kubernetes all data is taken out.
  bool redact(Outcome& outcome, const Resource& resource) const;
  bool redact(Alert& alert) const;
  bool redact(std::string& text) const;
  // Throws Error: invalid_argument, naming `field`, when it becomes too long.
  bool redact(Json& json, std::string_view field) const;

 private:
  struct Rules;
  struct RulesOfSecret;
  struct Noting;
  static std::optional<std::string> without_secrets(std::string_view text, const JsonCensor& censor);
  bool redact(Json& json, std::string_view field, const JsonCensor& censor) const;
  template <class Visit>
  bool redact_of(const Resource& resource, const Visit& visit) const;

  std::unique_ptr<const Rules> rules_;
};

}  // namespace actionhist

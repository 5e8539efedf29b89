// What the library returns, in words for people.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/actionhist.hpp>

namespace actionhist::cli {

// To the second: the fraction only makes lines harder to read.
std::string short_time(TimePoint time);

// "0.83", and "-" for what was not assessed.
std::string score_text(const std::optional<double>& score);

// "prod/Deployment/web", and "-" for a resource that is not known at all.
std::string resource_text(const Resource& resource);

// Several lines, without the last line's end.
std::string describe(const Trace& trace);
std::string describe(const Detection& detection);
std::string describe(const Verdict& verdict);

}  // namespace actionhist::cli

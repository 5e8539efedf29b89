// Two years of actions, made by the server itself, for tests and benchmarks of queries.
#pragma once

#include <string>

namespace actionhist::test {

// SQL that a superuser runs in a migrated database: `rows` actions in the two years before noon of samples.hpp, three
// of five of the tenant "big", which has 200 resources "web-N" with the ids "r-N". What is called rare belongs to one
// action of 500.
std::string two_years_of_traces(int rows);

}  // namespace actionhist::test

#include "support/postgres_server.hpp"
#include "support/samples.hpp"

namespace actionhist::test {

std::vector<Engine> engines() {
  std::vector<Engine> all = embedded_engines();
  all.push_back({"postgresql", [](const TempFolder&) { return fresh_database(shared_server()); }});
  return all;
}

}  // namespace actionhist::test

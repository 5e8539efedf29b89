// The environment of the servers that tests start.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

#include "support/service.hpp"

using namespace actionhist::test;

TEST_CASE("a server is started without what is preloaded into the test and without psql's settings",
          "[service]") {
  setenv("LD_PRELOAD", "/no/such/library.so", 1);
  setenv("PGPORT", "1", 1);
  const std::string environment = run_command({"/usr/bin/env"}, "");
  unsetenv("LD_PRELOAD");
  unsetenv("PGPORT");
  CHECK(environment.find("PRELOAD") == std::string::npos);
  CHECK(environment.find("/no/such/library.so") == std::string::npos);
  CHECK(environment.find("PGPORT") == std::string::npos);
  CHECK(environment.find("LC_ALL=C.UTF-8") != std::string::npos);
}

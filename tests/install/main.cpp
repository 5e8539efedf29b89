// A project that uses the installed library, as its user would.
#include <actionhist/actionhist.hpp>

int main() {
  actionhist::History history = actionhist::open("memory:");
  const actionhist::Trace trace =
      history.record({.action_timestamp = actionhist::system_now(), .action_type = "restart"});
  return history.get(trace.action_id) ? 0 : 1;
}

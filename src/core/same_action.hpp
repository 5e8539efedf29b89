// An id is one action's: what is asked again under it must be that action. Any thread.
#pragma once

#include <actionhist/action.hpp>

namespace actionhist {

// Throws Error: conflict, naming the field, when `given` is of another type than the action stored under its id, done to
// another resource or with other parameters.
void refuse_another_action(const Action& given, const Action& stored);

}  // namespace actionhist

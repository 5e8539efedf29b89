// What the name of an action type tells: shipped tables of verbs. Snake_case, kebab-case, CamelCase and
// dotted names mean the same. Functions may be called from any thread.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/action.hpp>

namespace actionhist {

// Whether such an action only looks. A type that the table does not know is mutating.
Effect effect_of(std::string_view action_type);

// +1 for scale_up, increase_memory, add_nodes; −1 for their opposites; 0 when the name does not say.
int direction_of(std::string_view action_type);

// True if such an action asks again and again by nature: wait_for_rollout, get_job_status, ping.
bool polling(std::string_view action_type);

// True if such an action interrupts what runs: evict, delete, restart, resize, drain, …
bool disruptive(std::string_view action_type);

// The name in one spelling: "kubectl_delete" for kubectl-delete, KubectlDelete and kubectl.delete.
std::string plain_type(std::string_view action_type);

// What kind of change it is, however it is spelled: "scale" for scale_deployment, scale_up and
// ScaleReplicas; "resources", "storage", "restart", "rollback", …; plain_type() for all others.
std::string family(std::string_view action_type);

// True if `family` is a change to a running system that the table knows, not a tool like bash or edit_file.
bool operational(std::string_view family);

}  // namespace actionhist

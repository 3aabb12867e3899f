// Errors of the actor system as sentences for a person. The library's own words, such as
// "system_error(cannot_connect_to_node)", name no reason that an operator could act on.
#pragma once

#include <caf/error.hpp>
#include <caf/scheduled_actor.hpp>
#include <string>

namespace soma::inline interface {

/// Why something failed, as a part of a sentence without a full stop. An error that a role made
/// itself, with a text in it, becomes that text.
[[nodiscard]] std::string describe_error(const caf::error& why);

/// From now on an exception in this actor ends it with the exception's text as the reason. Without
/// this the library writes its own line into the standard output, and the reason is lost. Every
/// role calls it first.
void name_exceptions(caf::scheduled_actor& role);

}  // namespace soma::inline interface

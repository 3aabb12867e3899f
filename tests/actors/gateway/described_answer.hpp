// Whether an answer of a gateway is what its OpenAPI document says.
#pragma once

#include <string>
#include <string_view>

#include "actors/http/message.hpp"
#include "tests/support/json_reader.hpp"

namespace soma::test {

/// Why `value` is not what the schema of the gateway's document describes; empty if it is. A member
/// that the schema does not name counts as wrong unless the schema allows more.
[[nodiscard]] std::string misfit(const support::parsed_json& schema,
                                 const support::parsed_json& value);

/// The same for a whole answer: its status, its type and its JSON. Answers of paths that the
/// document does not have are errors in its form.
[[nodiscard]] std::string misfit_of_answer(http::method verb, std::string_view target,
                                           unsigned status, std::string_view type,
                                           std::string_view body);

}  // namespace soma::test

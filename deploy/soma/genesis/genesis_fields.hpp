// The parameters of a genesis by their names. Each can be set from text and be shown as text and as
// JSON. There is one list for all of this, so that every parameter that can be set is also shown.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "deploy/soma/shell/json.hpp"
#include "messages/values/genesis.hpp"

namespace soma::cli {

struct genesis_field {
  std::string_view name;
  std::string_view meaning;  // for people, with the unit
  /// Sets the parameter from a text. Returns false if the text is not a valid value.
  std::function<bool(genesis_parameters&, const std::string&)> set;
  std::function<std::string(const genesis_parameters&)> text;
  std::function<json(const genesis_parameters&)> value;  // an amount is in shannons
  bool is_amount = false;
};

/// All parameters, in the order of the struct genesis_parameters.
[[nodiscard]] const std::vector<genesis_field>& genesis_fields();
/// The parameter of that name; nullptr if there is none.
[[nodiscard]] const genesis_field* find_genesis_field(std::string_view name);

}  // namespace soma::cli

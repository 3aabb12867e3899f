// The parameters of a genesis by their names: set from text, shown as text and as JSON. One list,
// so that whatever can be set is shown.
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
  std::string_view meaning;  // with the unit
  /// False for a text that is no such value.
  std::function<bool(genesis_parameters&, const std::string&)> set;
  std::function<std::string(const genesis_parameters&)> text;
  std::function<json(const genesis_parameters&)> value;  // amounts in shannons
  bool is_amount = false;
};

/// In the order of the struct.
[[nodiscard]] const std::vector<genesis_field>& genesis_fields();
[[nodiscard]] const genesis_field* find_genesis_field(std::string_view name);

}  // namespace soma::cli

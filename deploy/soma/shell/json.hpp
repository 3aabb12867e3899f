// The verbs' name for a JSON value.
#pragma once

#include "messages/json/json.hpp"

namespace soma::cli {

using json = soma::json::value;

}  // namespace soma::cli

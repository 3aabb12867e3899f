// What still lies ahead of a target or a model; empty when its story is over.
#pragma once

#include "actors/explain/narrate.hpp"

namespace soma::explain {

[[nodiscard]] std::vector<step> target_deadlines(const telling& t, const target_id& id);
[[nodiscard]] std::vector<step> model_deadlines(const telling& t, const model_id& id,
                                                const model_row& row);

}  // namespace soma::explain

// The coming deadlines of a target or a model. The list is empty when it has ended.
#pragma once

#include "actors/explain/format.hpp"

namespace soma::explain {

[[nodiscard]] std::vector<step> target_deadlines(const explain_context& context,
                                                 const target_id& id);
[[nodiscard]] std::vector<step> model_deadlines(const explain_context& context, const model_id& id,
                                                const model_row& row);

}  // namespace soma::explain

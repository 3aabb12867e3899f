// Explanations as JSON documents.
#pragma once

#include "actors/explain/explanation.hpp"
#include "messages/json/json.hpp"

namespace soma::documents {

/// The explanation: subject, id, status and summary; `facts`; each passage under its name; and
/// `next`, the coming deadlines.
[[nodiscard]] json::value explanation_json(const explain::explanation& all);

}  // namespace soma::documents

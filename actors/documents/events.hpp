// Events of the ledger as JSON documents.
#pragma once

#include "messages/json/json.hpp"
#include "messages/values/blocks.hpp"

namespace soma::documents {

/// The place of an event as text, "height:index", which Last-Event-ID and the parameter `from` of a
/// gateway carry.
[[nodiscard]] std::string place_text(block_height height, std::uint32_t index);

/// The event at this place of its block: its kind by name, its place, and those fields that apply
/// to it. Amounts are in shannons; `detail` means what messages/schema/events.capnp says.
[[nodiscard]] json::value event_json(std::uint32_t index, const event& happened);

/// The index of a block among its events: it stands behind all of them, and whoever has seen it
/// goes on with the next block.
inline constexpr std::uint32_t index_of_block = UINT32_MAX;
/// A block in the form of an event of the kind "block".
[[nodiscard]] json::value block_json(const block_header& header);

}  // namespace soma::documents

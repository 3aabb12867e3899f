// The id of a block. It is computed here, and not in messages/signing with all other ids, because
// the receiver of a block computes its id and so the codec of the consensus messages needs it.
#pragma once

#include "messages/values/blocks.hpp"
#include "messages/values/ids.hpp"

namespace soma::inline codec {

/// H("SX1/block", header_layout(header)). Protocol §10.2.
[[nodiscard]] block_id id_of(const block_header& header);

}  // namespace soma::inline codec

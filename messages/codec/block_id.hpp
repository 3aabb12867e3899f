// The id of a block. The codec of agreement's messages needs it, because the receiver of a block
// computes its id; all other ids are in messages/signing.
#pragma once

#include "messages/values/blocks.hpp"
#include "messages/values/ids.hpp"

namespace soma::inline codec {

/// H("SX1/block", header_layout(header)). Protocol §10.2.
[[nodiscard]] block_id id_of(const block_header& header);

}  // namespace soma::inline codec

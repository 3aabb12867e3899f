#include "messages/codec/block_id.hpp"

#include "messages/codec/codec.hpp"
#include "messages/crypto/hash.hpp"

namespace soma::inline codec {

block_id id_of(const block_header& header) {
  return crypto::hash("SX1/block", header_layout(header)).as<block_tag>();
}

}  // namespace soma::inline codec

#include "actors/blob_exchange/holder_survey.hpp"

#include <algorithm>

namespace soma::blob_exchange {

void holder_survey::heard(const public_key& from, const peer::have& said) {
  const peer::have::entry wanted{blob_, size_bytes_};
  if (std::ranges::find(said.blobs, wanted) == said.blobs.end()) return;
  if (silent_.erase(from) > 0) holders_.insert(from);
}

}  // namespace soma::blob_exchange

// Which members of the committee say that they have a blob as a whole (security §9.6). What must
// hold:
//   - What a member says counts for its own key alone, and only if it names the right size. It is
//     not proven: a member may lie, and nothing but fetching the blob from it would show that. So
//     whoever counts the holders must leave room for liars, as a quorum does.
#pragma once

#include <set>

#include "messages/values/ids.hpp"
#include "messages/values/votes.hpp"

namespace soma::blob_exchange {

class holder_survey {
 public:
  /// `asked` are the keys of the members that are asked.
  holder_survey(const blob_id& blob, std::uint64_t size_bytes, std::set<public_key> asked)
      : blob_(blob), size_bytes_(size_bytes), silent_(std::move(asked)) {}

  /// Takes the answer of a peer. It counts only if the peer was asked and names this blob.
  void heard(const public_key& from, const peer::have& said);

  /// No answer can change the result any more.
  [[nodiscard]] bool is_over() const { return silent_.empty(); }
  [[nodiscard]] const std::set<public_key>& holders() const { return holders_; }

 private:
  blob_id blob_;
  std::uint64_t size_bytes_ = 0;
  std::set<public_key> silent_;  // were asked and have not said that they have it
  std::set<public_key> holders_;
};

}  // namespace soma::blob_exchange

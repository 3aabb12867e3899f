#include "actors/execution/verified_transactions.hpp"

#include "messages/signing/signing.hpp"

namespace soma::execution {

rules::block_transaction verified_transactions::read(const signed_transaction& sent) {
  const auto known = good_.find(signing::id_of(sent));
  if (known != good_.end() && known->second == sent.by_sender) {
    return rules::read_transaction(sent, true);
  }
  ++verified_;
  auto read = rules::read_transaction(sent);
  if (read.known) return read;
  const auto [place, is_new] = good_.insert_or_assign(read.id, sent.by_sender);
  if (!is_new) return read;
  order_.push_back(read.id);
  if (order_.size() > most_) {
    good_.erase(order_.front());
    order_.pop_front();
  }
  return read;
}

}  // namespace soma::execution

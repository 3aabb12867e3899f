#include "tests/functional/final_sender.hpp"

#include <caf/scoped_actor.hpp>
#include <chrono>
#include <thread>

#include "actors/wallet/wallet.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/signing/signing.hpp"

namespace soma::support {
namespace {

using std::chrono::milliseconds;

/// The answer to a request; nullopt when it does not come in time or the role is gone.
template <class Reply, class Request>
std::optional<message<Reply>> quick(caf::scoped_actor& self, const validator::validator_actor& role,
                                    const message<Request>& request) {
  std::optional<message<Reply>> answer;
  self->request(role, milliseconds(1'500), request)
      .receive([&](const message<Reply>& reply) { answer = reply; }, [](caf::error&) {});
  return answer;
}

}  // namespace

signed_transaction final_sender::transfer(std::size_t account, std::uint64_t nonce) const {
  const auto& key = net_.accounts()[account];
  const auto& to = net_.accounts()[(account + 1) % net_.accounts().size()];
  return wallet::make_signed_transaction(key, signing::chain_id_of(net_.genesis()), nonce,
                                         epoch_number{epoch_ + 2},
                                         tx::transfer{crypto::address_of(to.public_half()), {1}})
      .sent;
}

validator::validator_actor final_sender::connect(std::size_t validator) {
  auto role =
      cluster::connect_role<validator::validator_actor>(process_.system, net_.door(validator));
  return role ? std::move(*role) : validator::validator_actor{};
}

std::vector<transaction_id> final_sender::send_until_final(
    std::size_t validator, const std::vector<signed_transaction>& batch,
    std::set<std::size_t>& open, unsigned patience_ms) {
  std::vector<transaction_id> done;
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(patience_ms);
  const auto role = connect(validator);
  if (!role) {
    std::this_thread::sleep_for(milliseconds(100));
    return done;
  }
  caf::scoped_actor self(process_.system);
  const auto chain =
      quick<schema::ChainStatus>(self, role, message<schema::GetChain>::build([](auto) {}));
  if (!chain) return done;
  epoch_ = std::max<std::uint64_t>(epoch_, chain->root().getEpoch());
  for (const auto i : open) {
    if (!quick<schema::SubmitReceipt>(self, role, wallet::offer(batch[i]))) return done;
  }
  while (!open.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(30));
    for (auto i = open.begin(); i != open.end();) {
      const auto id = signing::id_of(batch[*i]);
      const auto state = quick<schema::TransactionStatus>(
          self, role,
          message<schema::GetTransaction>::build([&](auto out) { out.setId(data_of(id)); }));
      if (!state) return done;
      if (state->root().getHeight() == 0) {
        ++i;
        continue;
      }
      done.push_back(id);
      i = open.erase(i);
    }
  }
  return done;
}

}  // namespace soma::support

// Gifts of the faucet: who may have one is decided here, and the transaction goes the way of all
// transactions.
#include "actors/gateway/call.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

using json::value;

/// The gift counts until it has failed.
struct gift {
  call_ptr asked;
  address to;
};

void failed(self_pointer self, const gift& one) {
  self->state.giver->give_back(one.to, one.asked->asked.peer);
  self->state.giver->forget_nonce();
}

template <class Reply, class Request, class Then>
void ask_for(self_pointer self, const gift& one, const message<Request>& question, Then then) {
  self->request(self->state.ports.validator,
                std::chrono::milliseconds(self->state.options.question_ms), question)
      .then([then](const message<Reply>& reply) { then(reply); },
            [self, one](const caf::error&) {
              failed(self, one);
              reply_silent(*one.asked);
            });
}

void send(self_pointer self, const gift& one) {
  auto& state = self->state;
  // Blocks can take it until the next epoch ends.
  const auto expiry = epoch_number{state.epoch + 1};
  const auto made = state.giver->sign(signing::chain_id_of(state.genesis), one.to, expiry);
  ask_for<schema::SubmitReceipt>(
      self, one, wallet::offer(made.sent),
      [self, one, id = made.id](const message<schema::SubmitReceipt>& receipt) {
        const auto refusal = receipt.root().getRefusal();
        if (is_refused(refusal)) {
          failed(self, one);
          return reply_error(*one.asked, 503, "faucet_failed",
                             "the faucet's transaction was not taken: " + why_of(refusal));
        }
        reply_json(*one.asked,
                   value::of({{"transaction", id.text()},
                              {"address", one.to.text()},
                              {"amount_shannons", self->state.giver->amount().value}}),
                   202);
      });
}

}  // namespace

void answer_faucet(self_pointer self, const call_ptr& asked) {
  auto& state = self->state;
  if (!state.giver) {
    return reply_error(*asked, 404, "no_faucet", "this gateway has no faucet");
  }
  const auto to = address_in(*asked);
  if (!to) return;
  if (auto counted = state.giver->take(*to, asked->asked.peer, state.now_ms); !counted) {
    return reply_later(*asked, 429, "faucet_waits", to_text(counted.error()),
                       static_cast<std::uint32_t>(state.options.faucet->address_ms / 1'000));
  }
  const gift one{asked, *to};
  if (state.giver->knows_nonce()) return send(self, one);
  const auto key = account_key(state.giver->owner());
  const auto question =
      message<schema::GetRow>::build([&](auto out) { out.setKey(data_of(byte_view(key))); });
  ask_for<schema::Row>(self, one, question, [self, one](const message<schema::Row>& row) {
    const auto account = decode<account_row>(view_of(row.root().getValue()));
    // Another gift may have learnt the nonce meanwhile.
    if (!self->state.giver->knows_nonce()) {
      self->state.giver->learn_nonce(account ? account->nonce : 0);
    }
    send(self, one);
  });
}

}  // namespace soma::gateway

// Transactions: taking a signed one, and saying what became of it.
#include <algorithm>

#include "actors/gateway/call.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

using json::value;

/// The name of a refusal, for programs.
std::string code_of(const validator::offer_refusal& refusal) {
  if (const auto* by_rules = std::get_if<rules::refusal>(&refusal)) {
    return std::string(rules::name_of(*by_rules));
  }
  return "not_taken";  // by the pool of what waits for a block; the message says why
}

void offer(self_pointer self, const call_ptr& asked) {
  const auto offered = offer_in(*asked);
  // The validator checks the signature last, so that only it knows whether a check was needed.
  if (!offered || !may_check_signature(self, *asked)) return;
  ask<schema::SubmitReceipt>(
      self, asked, *offered, [asked](const message<schema::SubmitReceipt>& receipt) {
        if (asked->wanted() == format::message) {
          return reply_bytes(*asked, message_type, receipt.bytes());
        }
        const auto root = receipt.root();
        if (is_refused(root.getRefusal())) {
          return reply_error(*asked, 422, code_of(validator::offer_refusal_of(root.getRefusal())),
                             why_of(root.getRefusal()));
        }
        const auto id = "0x" + to_hex(view_of(root.getTransaction()));
        reply_json(*asked, value::of({{"transaction", id}, {"state", "waiting"}}), 202);
      });
}

value status_json(std::string_view id, schema::TransactionStatus::Reader root) {
  const auto refusal = validator::block_refusal_of(root.getRefusal());
  const bool is_in_block = root.getHeight() > 0;
  auto out = value::of({{"transaction", id},
                        {"state", !is_in_block ? "unknown"
                                  : refusal    ? "refused"
                                               : "applied"}});
  if (!is_in_block) return out;
  out.set("height", root.getHeight());
  out.set("epoch", root.getEpoch());
  out.set("fee_shannons", root.getFeeShannons());
  if (refusal) {
    out.set("refusal", rules::name_of(*refusal));
    out.set("why", why_of(root.getRefusal()));
  }
  return out;
}

void reply_status(const waiting_request& to, const message<schema::TransactionStatus>& status) {
  if (to.asked->wanted() == format::message) {
    return reply_bytes(*to.asked, message_type, status.bytes());
  }
  reply_json(*to.asked, status_json(to.id.text(), status.root()));
}

/// Keeps a request until the next block. False when as many requests wait as may.
bool wait_on(self_pointer self, waiting_request request) {
  auto& state = self->state;
  if (!request.place) {
    const auto taken = state.places_taken;
    if (*taken >= state.options.waiting_requests) return false;
    ++*taken;
    request.place = std::shared_ptr<const void>(taken.get(), [taken](const void*) { --*taken; });
  }
  state.waiting.push_back(std::move(request));
  return true;
}

void ask_status(self_pointer self, waiting_request request) {
  const auto question =
      message<schema::GetTransaction>::build([&](auto out) { out.setId(data_of(request.id)); });
  request.height = self->state.height;  // the answer looks at least so far
  ask<schema::TransactionStatus>(self, request.asked, question,
                                 [self, request](const message<schema::TransactionStatus>& status) {
                                   auto& state = self->state;
                                   const bool waits = status.root().getHeight() == 0 &&
                                                      state.now_ms < request.until_ms;
                                   if (!waits || !wait_on(self, request))
                                     reply_status(request, status);
                                 });
}

}  // namespace

void look_at_waiting(self_pointer self) {
  auto& state = self->state;
  for (auto& request : std::exchange(state.waiting, {})) {
    if (request.asked->to.is_gone()) continue;
    if (request.height < state.height) {
      ask_status(self, std::move(request));
    } else if (request.until_ms <= state.now_ms) {
      reply_status(request, {});
    } else {
      state.waiting.push_back(std::move(request));
    }
  }
}

void answer_transactions(self_pointer self, const call_ptr& asked) {
  if (asked->what->id == endpoint_id::send_transaction) return offer(self, asked);
  std::uint64_t wait_ms = 0;
  if (const auto text = asked->asked.parameter("wait")) {
    const auto given = number_in(*asked, "wait", *text);
    if (!given) return;
    wait_ms = std::min<std::uint64_t>(*given, self->state.options.longest_wait_ms);
  }
  const auto id = id_in(*asked, "id", asked->argument(0));
  if (id) ask_status(self, {asked, *id, self->state.now_ms + wait_ms, 0});
}

}  // namespace soma::gateway

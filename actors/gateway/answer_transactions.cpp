// Transactions: taking a signed one, and saying what became of it.
#include <algorithm>

#include "actors/gateway/call.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

using json::value;

constexpr std::size_t most_body_bytes = 256 * 1024;

/// The name of a refusal, for programs.
std::string code_of(const validator::offer_refusal& refusal) {
  if (const auto* by_rules = std::get_if<rules::refusal>(&refusal)) {
    return std::string(rules::name_of(*by_rules));
  }
  return "not_taken";  // by the pool of what waits for a block; the message says why
}

/// Reads {"body": hex, "signature": hex}. nullopt: a refusal was sent.
std::optional<message<schema::SubmitTransaction>> offer_in_json(const call& asked) {
  const auto& body = asked.asked.body;
  const auto document =
      json::parse({reinterpret_cast<const char*>(body.data()), body.size()}, {body.size(), 4});
  if (!document) {
    reply_error(asked, 400, "bad_json", std::string(json::to_text(document.error())));
    return std::nullopt;
  }
  const auto text_of = [&](std::string_view name) {
    const auto* found = document->find(name);
    return found == nullptr ? nullptr : found->as_string();
  };
  const auto* signed_bytes = text_of("body");
  const auto* signature = text_of("signature");
  if (signed_bytes == nullptr || signature == nullptr) {
    reply_error(asked, 400, "bad_json", "the document has no body and signature in hex");
    return std::nullopt;
  }
  const auto data = hex_in(asked, "body", *signed_bytes, most_body_bytes);
  if (!data) return std::nullopt;
  const auto proof = hex_in(asked, "signature", *signature, 64);
  if (!proof) return std::nullopt;
  return message<schema::SubmitTransaction>::build([&](auto out) {
    out.setBody(data_of(byte_view(*data)));
    out.setSignature(data_of(byte_view(*proof)));
  });
}

std::optional<message<schema::SubmitTransaction>> offer_in(const call& asked) {
  const auto type = asked.asked.header("content-type").value_or("");
  if (!type.starts_with(message_type)) return offer_in_json(asked);
  auto read = message<schema::SubmitTransaction>::parse(asked.asked.body);
  if (read) return std::move(*read);
  reply_error(asked, 400, "bad_message", std::string(to_text(read.error())));
  return std::nullopt;
}

void offer(self_pointer self, const call_ptr& asked) {
  const auto offered = offer_in(*asked);
  if (!offered) return;
  if (offered->root().getBody().size() > most_body_bytes ||
      offered->root().getSignature().size() != 64) {
    return reply_error(*asked, 400, "bad_transaction",
                       "a transaction has at most 256 KiB, and a signature of 64 bytes");
  }
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

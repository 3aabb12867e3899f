// A gateway of a test to a network that makes blocks: a transaction that it takes is in a block at
// once. The network is as old as a minute, so that its blocks are fresh.
#pragma once

#include <chrono>

#include "actors/validator/ledger_answers.hpp"
#include "messages/codec/model_entry.hpp"
#include "tests/actors/gateway_client/chain_gateway.hpp"

namespace soma::test {

inline std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

/// Answers about transactions and indices, from the chain and into it.
inline std::function<std::optional<http::response>(const http::request&)> network_answers(
    proven_chain& chain) {
  return [&chain](const http::request& asked) -> std::optional<http::response> {
    constexpr std::string_view transactions = "/v1/transactions", listings = "/v1/listings/";
    if (asked.path == "/v1/network") {
      return chain_gateway::respond(message<schema::ChainStatus>::build(
          [&](auto out) { out.setHeight(chain.headers.back().height.value); }));
    }
    if (asked.path == transactions && asked.verb == http::method::post) {
      const auto offer = message<schema::SubmitTransaction>::parse(asked.body);
      if (!offer) return http::error_response(400, "malformed", "no SubmitTransaction");
      signed_transaction sent;
      sent.body = bytes_of(offer->root().getBody());
      sent.by_sender = *array_of<64>(offer->root().getSignature());
      if (!signing::verify(sent)) return http::error_response(400, "bad_signature", "no");
      chain.grow(100, {sent});
      return chain_gateway::respond(
          validator::receipt(signing::id_of(sent), validator::offer_refusal{}));
    }
    if (asked.path.starts_with(transactions)) {
      const auto id = transaction_id::parse(asked.path.substr(transactions.size() + 1));
      return chain_gateway::respond(
          validator::transaction_answer(chain.store.view(), id.value_or(transaction_id{})));
    }
    if (asked.path.starts_with(listings)) {
      const auto name = asked.path.substr(listings.size());
      using enum schema::RowSource;
      const auto from = name == "targets-by-epoch"    ? TARGETS_BY_EPOCH
                        : name == "targets-undecided" ? TARGETS_UNDECIDED
                        : name == "target-counts"     ? TARGET_COUNTS
                                                      : MODEL_COUNTS;
      const auto hex = [&](std::string_view of) {
        return from_hex(asked.parameter(of).value_or("")).value_or(bytes{});
      };
      return chain_gateway::respond(
          validator::rows_answer(chain.store.view(), hex("prefix"), hex("after"),
                                 chain_gateway::number(asked, "limit"), from));
    }
    return std::nullopt;
  };
}

struct network_gateway {
  proven_chain chain{now_ms() - 30'000};
  std::function<void(const http::request&, http::response&, std::size_t)> change;
  chain_gateway gateway{chain,
                        {.others = network_answers(chain),
                         .change = [this](const auto& asked, auto& made, std::size_t number) {
                           if (change) change(asked, made, number);
                         }}};

  network_gateway() { chain.pay(5); }
  [[nodiscard]] std::string address() const { return gateway.address(); }
};

}  // namespace soma::test

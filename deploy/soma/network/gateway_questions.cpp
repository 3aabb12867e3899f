// Questions to gateways whose answers are for people: proofs to pass on, and explanations.
#include "actors/public_answers/explanation.hpp"
#include "deploy/soma/network/gateway_ledger.hpp"

namespace soma::cli {

using gateway_client::distrust;
using gateway_client::fetch_port;
using gateway_client::http_fetch;
using gateway_client::refusal;

expected<proven_row, failure> gateway_ledger::prove(const row_key& key) {
  if (!verified_) {
    return failed("cannot prove a row", "with --unverified nothing is proven",
                  "give the same command without it");
  }
  return read(verified_ledger::question({&key, 1}),
              [&](const fetch_port& from) -> expected<proven_row, refusal> {
                auto found = verified_->find_many(from, {&key, 1});
                if (!found) return make_unexpected(std::move(found.error()));
                return proven_row{found->header, key, std::move(found->values.front()),
                                  std::move(found->proofs.front())};
              });
}

expected<gateway_client::gift, failure> gateway_ledger::ask_faucet(const address& to) {
  std::string declined;
  const auto given =
      asked([&](http_fetch& gateway) -> expected<std::optional<gateway_client::gift>, refusal> {
        auto answer = gateway.ask_faucet(to);
        if (answer) return std::optional(*answer);
        if (answer.error().reason != distrust::declined) {
          return make_unexpected(std::move(answer.error()));
        }
        declined = gateway.name() + ": " + answer.error().detail;
        return std::optional<gateway_client::gift>{};
      });
  if (!given) return failed("no money for " + to.text(), declined);
  return *given;
}

expected<explain::explanation, failure> gateway_ledger::explain(const std::string& what,
                                                                std::uint32_t events) {
  std::optional<std::string> declined;
  const auto reply = asked(
      [&](http_fetch& gateway) -> expected<std::optional<message<schema::Explanation>>, refusal> {
        auto told = gateway.explanation(what, events);
        if (!told && told.error().reason == distrust::declined) {
          declined = told.error().detail;
          return std::optional<message<schema::Explanation>>{};
        }
        if (!told) return make_unexpected(std::move(told.error()));
        if (!public_answers::is_sound(public_answers::read_explanation(told->root()))) {
          return make_unexpected(refusal{distrust::malformed,
                                         "its explanation has names that are repeated or none",
                                         std::nullopt});
        }
        return std::optional(std::move(*told));
      });
  if (!reply) return failed("cannot explain " + what, *declined);
  return read_explained(what, reply->root());
}

}  // namespace soma::cli

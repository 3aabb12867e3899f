#include "deploy/soma/network/network_connection.hpp"

#include "deploy/soma/network/gateway_ledger.hpp"
#include "deploy/soma/network/ledger_connection.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::cli {

transaction_state read_state(schema::TransactionStatus::Reader from) {
  return {block_height{from.getHeight()}, epoch_number{from.getEpoch()},
          validator::block_refusal_of(from.getRefusal()), why_of(from.getRefusal()),
          shannons{from.getFeeShannons()}};
}

expected<std::unique_ptr<network_connection>, failure> network_connection::open(
    const run_context& context, const ledger_place& place) {
  const auto gateways = place.gateways(context);
  if (!gateways) return make_unexpected(gateways.error());
  if (!gateways->empty()) {
    auto opened = gateway_ledger::open(context, place, *gateways);
    if (!opened) return make_unexpected(opened.error());
    return std::unique_ptr<network_connection>(std::move(*opened));
  }
  auto opened = ledger_connection::open(context, place);
  if (!opened) return make_unexpected(opened.error());
  return std::unique_ptr<network_connection>(std::move(*opened));
}

}  // namespace soma::cli

#include "deploy/soma/network/gateway_blobs.hpp"

#include <algorithm>

#include "deploy/soma/network/gateway_addresses.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/ledger_source.hpp"
#include "messages/crypto/merkle.hpp"

namespace soma::cli {
namespace {

constexpr std::size_t connections_a_gateway = 2;
/// An upload may last so long. It is less than the most, so that clocks may differ.
constexpr std::uint64_t reserved_ms = 12 * 3'600'000;

}  // namespace

gateway_client::http_fetch_options fetch_options(const http::origin& at) {
  return {.at = at, .trust = {}, .environment = http::read_proxy_environment()};
}

std::vector<gateway_client::blob_gateway> make_blob_gateways(
    const std::vector<http::origin>& gateways) {
  std::vector<gateway_client::blob_gateway> all;
  for (const auto& at : gateways) {
    all.push_back(make_blob_gateway(fetch_options(at), connections_a_gateway));
    all.back().name = shown_gateways({at});
  }
  return all;
}

taken_blob upload_blob(byte_view data, const crypto::key_pair& owner, const chain_id& chain,
                       const std::vector<gateway_client::blob_gateway>& gateways,
                       const gateway_client::pool_options& options) {
  gateway_client::push_source source;
  source.outline = gateway_client::outline_of(data);
  source.chunk = [&](std::uint32_t number) {
    constexpr std::size_t most = crypto::blob_chunk_bytes;
    const auto at = std::min<std::size_t>(number * most, data.size());
    const auto part = data.subspan(at, std::min(most, data.size() - at));
    return bytes(part.begin(), part.end());
  };
  taken_blob taken;
  source.on_taken = [&](const std::string& gateway) { taken.by = gateway; };
  live_area area;
  source.progress = [&](std::uint32_t have, std::uint32_t all) {
    area.draw({"uploading: " + std::to_string(have) + " of " + std::to_string(all) + " chunks"});
  };
  const auto blob = crypto::blob_root(data.size(), source.outline.chunk_hashes);
  const auto reservation = gateway_client::make_reservation(owner, chain, blob, data.size(),
                                                            unix_now_ms() + reserved_ms);
  const auto done = push_blob(source, reservation, gateways, options);
  area.clear();
  if (done) {
    taken.blob = *done;
    return taken;
  }
  throw source_failure("no gateway took the blob: " + to_text(done.error()) +
                       "; the same command continues where this one stopped");
}

}  // namespace soma::cli

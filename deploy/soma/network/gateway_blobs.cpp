#include "deploy/soma/network/gateway_blobs.hpp"

#include <algorithm>
#include <chrono>

#include "deploy/soma/network/gateway_addresses.hpp"
#include "deploy/soma/network/gateway_ledger.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/ledger_source.hpp"
#include "messages/crypto/merkle.hpp"

namespace soma::cli {
namespace {

constexpr std::size_t connections_a_gateway = 2;
/// An upload may last so long. It is less than the most, so that clocks may differ.
constexpr std::uint64_t reserved_ms = 12 * 3'600'000;
constexpr std::chrono::seconds between_calls(3);

}  // namespace

gateway_client::http_fetch_options fetch_options(const http::origin& at) {
  return {.at = at, .trust = {}, .environment = http::read_proxy_environment()};
}

gateway_client::pool_options telling_options() {
  gateway_client::pool_options options;
  options.on_left = [](const std::string& name, const gateway_client::refusal& why) {
    note_line("left " + describe(name, why));
  };
  return options;
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
                       const gateway_client::pool_options& options,
                       const std::function<void()>& meanwhile) {
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
  auto called_at = std::chrono::steady_clock::now();
  source.progress = [&](std::uint32_t have, std::uint32_t all) {
    if (const auto now = std::chrono::steady_clock::now(); now - called_at >= between_calls) {
      if (meanwhile) meanwhile();
      called_at = now;
    }
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

outcome gateway_ledger::connect_blobs(const mesh::host_port&) {
  return wrong_usage("--blobs has no meaning here", where_ + " takes the weights itself",
                     "leave --blobs out");
}

std::vector<gateway_client::blob_gateway> gateway_ledger::blob_gateways() {
  return make_blob_gateways(origins_);
}

blob_id gateway_ledger::put_blob(bytes data, const crypto::key_pair& owner) {
  auto taken =
      upload_blob(data, owner, chain_, blob_gateways(), telling_options(), [this] { follow(); });
  takers_.push_back(std::move(taken.by));
  return taken.blob;
}

bool gateway_ledger::put_blob_elsewhere(bytes data, const crypto::key_pair& owner) {
  auto others = blob_gateways();
  std::erase_if(others, [&](const auto& one) { return std::ranges::count(takers_, one.name) > 0; });
  if (others.empty()) return false;
  if (!takers_.empty()) {
    note_line("no validator has what the gateway at " + takers_.back() +
              " has taken: uploading it to another gateway, too");
  }
  const auto taken =
      upload_blob(data, owner, chain_, others, telling_options(), [this] { follow(); });
  takers_.push_back(taken.by);
  return true;
}

/// What is trusted must not grow too old during a long upload. A failure is told by the next
/// question that needs an answer.
void gateway_ledger::follow() {
  if (!verified_) return;
  (void)catch_up();
  keep_trust();
}

}  // namespace soma::cli

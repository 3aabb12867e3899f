// The two servers of `soma bench gateway`: a node of a new network with a gateway, and nginx with
// files of the same sizes. Both run as processes on the same processors, with the same certificate
// and key.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/wallet/wallet.hpp"
#include "deploy/soma/bench/child_process.hpp"
#include "deploy/soma/bench_gateway/load_client.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "messages/values/ids.hpp"

namespace soma::cli {

struct gateway_rivals_options {
  std::filesystem::path folder;  // in which everything is made
  std::uint32_t accounts = 4'000;
  std::size_t transfers = 0;  // that are signed beforehand
  std::uint32_t blob_chunks = 16;
  std::uint64_t seed = 0;
  std::vector<unsigned> processors;  // of the servers
};

class gateway_rivals {
 public:
  /// Makes the network, and starts its node. Waits until the gateway answers.
  [[nodiscard]] static expected<std::unique_ptr<gateway_rivals>, failure> begin(
      const gateway_rivals_options& options);

  [[nodiscard]] const child_process& node() const { return *node_; }
  [[nodiscard]] load_server gateway() const { return {gateway_port_, trust_}; }

  /// Starts nginx, with files of these sizes by name. False: it is not installed.
  [[nodiscard]] expected<bool, failure> start_nginx(
      const std::map<std::string, std::size_t>& files);
  /// nullptr: it is not there.
  [[nodiscard]] const child_process* nginx() const { return nginx_ ? &*nginx_ : nullptr; }
  [[nodiscard]] load_server nginx_server() const { return {nginx_port_, trust_}; }

  [[nodiscard]] const std::vector<address>& accounts() const { return accounts_; }
  /// In the order in which each sender's have to be offered. The sender of number i has the number
  /// i % senders.
  [[nodiscard]] const std::vector<wallet::own_transaction>& transfers() const { return transfers_; }
  static constexpr std::size_t senders = 256;
  [[nodiscard]] const blob_id& blob() const { return blob_; }

 private:
  explicit gateway_rivals(gateway_rivals_options options) : options_(std::move(options)) {}
  [[nodiscard]] outcome make_network();
  [[nodiscard]] outcome make_blob();
  [[nodiscard]] outcome start_node();
  [[nodiscard]] outcome wait_for(const child_process& process, const load_server& server,
                                 std::string_view name) const;

  gateway_rivals_options options_;
  std::filesystem::path home_;
  std::uint16_t gateway_port_ = 0, nginx_port_ = 0;
  std::shared_ptr<const public_tls::client_trust> trust_;
  std::vector<address> accounts_;
  std::vector<wallet::own_transaction> transfers_;
  blob_id blob_;
  std::optional<child_process> node_, nginx_;
};

/// A request as the client of the benchmark sends it. The gateway takes the client for a proxy that
/// speaks for many hosts, because it gives one host a few requests a second only.
[[nodiscard]] std::string bench_request(std::string_view verb, const std::string& target,
                                        std::uint64_t number, const std::string& headers = "",
                                        byte_view body = {});

/// Where nginx is; empty if it is not installed.
[[nodiscard]] std::filesystem::path find_nginx();

}  // namespace soma::cli

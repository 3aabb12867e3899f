// Blobs through gateways: the connections, and an upload for an account.
#pragma once

#include <functional>

#include "actors/gateway_client/blob_push.hpp"
#include "actors/gateway_client/http_blobs.hpp"

namespace soma::cli {

/// How a gateway is asked: by the proxy that the environment names.
[[nodiscard]] gateway_client::http_fetch_options fetch_options(const http::origin& at);

/// Options of a pool that tells the person which gateway it leaves, and why.
[[nodiscard]] gateway_client::pool_options telling_options();

/// The gateways with two connections each.
[[nodiscard]] std::vector<gateway_client::blob_gateway> make_blob_gateways(
    const std::vector<http::origin>& gateways);

struct taken_blob {
  blob_id blob;
  std::string by;  // the gateway, as it is named, that says that it has the whole
};
/// Uploads a blob for the account of this key, and shows how far it has come. Throws source_failure
/// with the reasons of all gateways if none takes it. `meanwhile`, which may be empty, is called
/// every few seconds in between.
[[nodiscard]] taken_blob upload_blob(byte_view data, const crypto::key_pair& owner,
                                     const chain_id& chain,
                                     const std::vector<gateway_client::blob_gateway>& gateways,
                                     const gateway_client::pool_options& options,
                                     const std::function<void()>& meanwhile);

}  // namespace soma::cli

// The blobs of one gateway over one HTTPS connection. It shows nothing of what comes to be true.
#pragma once

#include <memory>

#include "actors/gateway_client/blob_port.hpp"
#include "actors/gateway_client/http_fetch.hpp"

namespace soma::gateway_client {

/// One connection, which is opened by its first question. No call lasts longer than the limits of
/// the options; a read of many bytes may last as long as bytes arrive.
[[nodiscard]] blob_port make_blob_port(const http_fetch_options& options);

/// A gateway with so many connections.
[[nodiscard]] blob_gateway make_blob_gateway(const http_fetch_options& options,
                                             std::size_t connections);

}  // namespace soma::gateway_client

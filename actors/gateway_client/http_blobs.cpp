#include "actors/gateway_client/http_blobs.hpp"

#include <algorithm>

namespace soma::gateway_client {
namespace {

constexpr std::string_view canonical_type = "application/x-capnp";
/// The hashes of the largest blob, and what is around them.
constexpr std::size_t max_outline_bytes = std::size_t{3} << 20U;
constexpr std::size_t max_progress_bytes = std::size_t{512} << 10U;
/// A read lasts as long as bytes arrive, but not for ever.
constexpr std::uint32_t longest_read_ms = 600'000;

std::string path_of(const blob_id& blob) {
  return "/v1/blobs/" + blob.text();
}

/// The client is shared by the functions of a port.
struct connection {
  explicit connection(const http_fetch_options& options)
      : name(http::to_text(options.at)), client([&] {
          auto out = client_options_of(options);
          out.total_ms = std::max(options.answer_ms, longest_read_ms);
          out.body_bytes = UINT64_MAX;
          return out;
        }()) {}

  fetched put(std::string target, std::string_view type, byte_view body,
              const std::string& reservation) {
    http::client_request asked;
    asked.verb = http::method::put;
    asked.target = std::move(target);
    asked.headers = {{"Accept", std::string(canonical_type)},
                     {"Content-Type", std::string(type)},
                     {"Soma-Reservation", reservation}};
    asked.body = std::make_shared<const bytes>(body.begin(), body.end());
    return ask_gateway(client, name, std::move(asked), max_progress_bytes);
  }

  std::string name;
  http::client client;
};

}  // namespace

blob_port make_blob_port(const http_fetch_options& options) {
  const auto to = std::make_shared<connection>(options);
  blob_port out;
  out.describe = [to](const blob_id& blob) {
    http::client_request asked;
    asked.target = path_of(blob);
    asked.headers = {{"Accept", std::string(canonical_type)}};
    return ask_gateway(to->client, to->name, std::move(asked), max_outline_bytes);
  };
  out.read = [to](const blob_id& blob, std::uint64_t from, std::uint64_t size,
                  const byte_taker& take) {
    http::client_request asked;
    asked.target = path_of(blob);
    asked.headers = {
        {"Accept", "application/octet-stream"},
        {"Range", "bytes=" + std::to_string(from) + "-" + std::to_string(from + size - 1)}};
    return ask_gateway(to->client, to->name, std::move(asked), size, take);
  };
  out.begin = [to](const blob_id& blob, byte_view begin_put, const std::string& reservation) {
    return to->put(path_of(blob), canonical_type, begin_put, reservation);
  };
  out.put = [to](const blob_id& blob, std::uint32_t number, byte_view chunk,
                 const std::string& reservation) {
    return to->put(path_of(blob) + "/chunks/" + std::to_string(number), "application/octet-stream",
                   chunk, reservation);
  };
  out.cancel = [to] { to->client.cancel(); };
  return out;
}

blob_gateway make_blob_gateway(const http_fetch_options& options, std::size_t connections) {
  blob_gateway out{http::to_text(options.at), {}};
  for (std::size_t i = 0; i < connections; ++i) out.connections.push_back(make_blob_port(options));
  return out;
}

}  // namespace soma::gateway_client

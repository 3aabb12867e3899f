// One gateway, asked over HTTPS. It returns bytes and shows nothing of what they say to be true.
// What must hold:
//   - No call takes longer than the limits of its options, and none returns more bytes than an
//     answer of its type may have.
//   - An answer counts only when the gateway says that it speaks this program's version of the
//     network's answers.
//   - Each question may be asked twice without harm, so that one that was lost with an old
//     connection is asked once more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "actors/gateway_client/distrust.hpp"
#include "actors/gateway_client/fetch_port.hpp"
#include "actors/http/client.hpp"
#include "messages/values/amounts.hpp"
#include "messages/values/ids.hpp"

namespace soma::gateway_client {

/// The version of messages/schema/public_answers.capnp and of the paths below /v1. A gateway says
/// its own in the header Soma-Answers.
inline constexpr std::uint32_t answers_version = 2;

struct http_fetch_options {
  http::origin at;
  /// nullptr: the pin of the address, or else the system's authorities.
  std::shared_ptr<const public_tls::client_trust> trust;
  http::proxy_environment environment;
  std::uint32_t connect_ms = 5'000;
  std::uint32_t idle_ms = 10'000;    // between two arrivals of bytes
  std::uint32_t answer_ms = 30'000;  // a question and its whole answer
};

/// What a faucet says that it has sent.
struct gift {
  transaction_id transaction;
  shannons amount;
};
/// The options of a client of a gateway. A long poll adds `wait_ms` to its limits of time.
[[nodiscard]] http::client_options client_options_of(const http_fetch_options& from,
                                                     std::uint32_t wait_ms = 0);

/// One question to the gateway of this name. With `on_piece`, the body of a good answer goes there,
/// and `most_bytes` limits it all the same; false ends the exchange as `silent`. A question whose
/// connection breaks is asked once more, unless pieces have come.
[[nodiscard]] fetched ask_gateway(http::client& by, const std::string& name,
                                  http::client_request asked, std::size_t most_bytes,
                                  const http::client::piece_taker& on_piece = {});

class http_fetch {
 public:
  static constexpr std::uint32_t max_wait_ms = 5'000;  // of a long poll
  static constexpr std::uint32_t max_listed = 1'024;

  explicit http_fetch(http_fetch_options options);

  /// The questions whose answers are proven. The port must not be used when this object is gone.
  [[nodiscard]] const fetch_port& port() const { return port_; }

  // Nothing proves these answers. Refusals: silent, declined, not_itself, other_version, too_large
  // and malformed.
  [[nodiscard]] expected<message<schema::ChainStatus>, refusal> network();
  /// A page of an index, whose name is one of those in RowSource: "target-counts".
  [[nodiscard]] expected<message<schema::Rows>, refusal> listing(std::string_view name,
                                                                 byte_view prefix, byte_view after,
                                                                 std::uint32_t most);
  /// Asks the gateway's faucet for money for this address. A gateway without a faucet declines, and
  /// so does one that has given to the address or the host not long ago.
  [[nodiscard]] expected<gift, refusal> ask_faucet(const address& to);
  /// Why something was paid or not (GetExplanation). Texts in it may hold any bytes.
  [[nodiscard]] expected<message<schema::Explanation>, refusal> explanation(std::string_view what,
                                                                            std::uint32_t events);
  [[nodiscard]] expected<message<schema::SubmitReceipt>, refusal> submit(
      const message<schema::SubmitTransaction>& offered);
  /// What became of a transaction. The gateway waits for a block that has it for at most `wait_ms`,
  /// of which max_wait_ms count.
  [[nodiscard]] expected<message<schema::TransactionStatus>, refusal> transaction(
      const transaction_id& id, std::uint32_t wait_ms);

  /// The validators that say that they have a blob.
  [[nodiscard]] expected<message<schema::Holders>, refusal> holders(const blob_id& blob,
                                                                    std::uint64_t size_bytes);

  /// The address, as people write it.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Ends the present call and all later ones. Any thread may call it.
  void cancel() {
    client_.cancel();
    waiting_client_.cancel();
  }

 private:
  [[nodiscard]] fetched fetch(http::client& by, http::client_request asked, std::size_t most_bytes);
  [[nodiscard]] fetched get(std::string target, std::size_t most_bytes);
  [[nodiscard]] fetched post(std::string target, byte_view body, std::size_t most_bytes);

  std::string name_;
  http::client client_;
  http::client waiting_client_;  // for long polls, whose answers may come later
  fetch_port port_;
};

}  // namespace soma::gateway_client

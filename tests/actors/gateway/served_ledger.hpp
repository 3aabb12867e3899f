// A gateway over a real chain of blocks, and clients that ask it. The validator behind it is a role
// that answers from the chain as a validator does. It can be silent, and it counts what it is
// asked. An answer that is not what the OpenAPI document says is an exception, so that every test
// that asks a gateway holds the document, too.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actors/gateway/gateway.hpp"
#include "actors/http/client.hpp"
#include "storage/blobs/blob_store.hpp"
#include "tests/actors/http/raw_client.hpp"
#include "tests/actors/public_answers/proven_chain.hpp"
#include "tests/support/json_reader.hpp"

namespace soma::test {

/// What the validator's role and the test share. The lock is held by whoever uses the chain.
struct shared_chain {
  std::mutex mutex;
  proven_chain chain;
  std::vector<signed_transaction> offered;
  std::atomic<bool> is_silent{false};
  std::atomic<std::uint64_t> questions_for_events{0};
  std::atomic<std::uint64_t> questions_for_transactions{0};
  std::atomic<std::uint64_t> signatures_checked{0};
};

/// An answer, with its body as text.
struct answered {
  unsigned status = 0;
  std::string type, body;
  http::name_values headers;

  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string(http::find(headers, name).value_or(""));
  }
  [[nodiscard]] byte_view bytes() const { return as_bytes(body); }
  /// The body as JSON. Throws std::runtime_error if it is none.
  [[nodiscard]] support::parsed_json json() const;
  /// The code of an error; empty if the body is none.
  [[nodiscard]] std::string code() const;
  template <class Schema>
  [[nodiscard]] message<Schema> message_of() const {
    auto read = message<Schema>::parse(bytes());
    if (!read) throw std::runtime_error("the body is no such message");
    return std::move(*read);
  }
};

class served_ledger {
 public:
  using change = std::function<void(gateway::gateway_options&)>;

  /// With `disk` the gateway has a blob store, and with `keeper` what fetches blobs of other homes.
  explicit served_ledger(
      const change& options = {}, std::shared_ptr<blobs::blob_store> disk = nullptr,
      const std::function<blob_keeper::blob_keeper_actor(caf::actor_system&)>& keeper = nullptr);
  ~served_ledger();
  served_ledger(const served_ledger&) = delete;
  served_ledger& operator=(const served_ledger&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] gateway::gateway_actor& role();
  [[nodiscard]] caf::actor_system& system();
  [[nodiscard]] const gateway::gateway_ports& ports() const;
  [[nodiscard]] gateway::gateway_options options() const;
  [[nodiscard]] shared_chain& shared();

  /// Commits a block with so many transfers of one shannon from the account of key 1 to that of 2.
  void grow(std::size_t transfers = 1);
  /// Commits a block with the transactions that were offered.
  void grow_with_offered();
  void close_epoch();
  [[nodiscard]] signed_transaction transfer(std::uint64_t amount);
  [[nodiscard]] std::uint64_t height();

  answered get(const std::string& target, http::name_values headers = {},
               http::method verb = http::method::get);
  answered post(const std::string& target, const std::string& type, byte_view body,
                http::name_values headers = {});
  answered put(const std::string& target, byte_view body, http::name_values headers = {});

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// A client of a stream of events.
class event_reader {
 public:
  /// `query` is what follows /v1/events; `last` is the place of the last event that it has seen, or
  /// empty.
  event_reader(std::uint16_t port, const std::string& query, const std::string& last = "",
               const raw_client::setting& how = {});
  /// Reads until the event of this place has come whole, and gives the places of all events since
  /// the beginning. Fewer when it does not come in time.
  const std::vector<std::string>& read_until(const std::string& place, int at_most_ms = 2'000);
  /// All that has come, without the header.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& head() const { return head_; }
  [[nodiscard]] raw_client& connection() { return connection_; }

 private:
  raw_client connection_;
  std::string head_, text_;
  std::size_t read_ = 0;  // bytes of the text of which the places are known
  std::vector<std::string> places_;
};

inline const http::name_values as_message{{"Accept", "application/x-capnp"}};
inline const http::name_values as_json{{"Accept", "application/json"}};

}  // namespace soma::test

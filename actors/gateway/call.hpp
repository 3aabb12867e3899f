// One request of a stranger, and how it is answered. Only the sources of this folder include this
// file.
#pragma once

#include <deque>
#include <map>
#include <mutex>

#include "actors/gateway/event_streams.hpp"
#include "actors/gateway/faucet.hpp"
#include "actors/gateway/gateway.hpp"
#include "messages/values/genesis.hpp"

namespace soma::gateway {

enum class format : std::uint8_t { json, message, file, events };

struct call {
  const endpoint* what = nullptr;
  std::vector<std::string> arguments;  // of the path
  http::request asked;
  http::responder to;

  [[nodiscard]] std::string_view argument(std::size_t i) const { return arguments[i]; }
  /// What the header Accept wants; JSON unless it names another form that the endpoint has.
  [[nodiscard]] format wanted() const;
};
using call_ptr = std::shared_ptr<const call>;

/// A request that waits until a block has a transaction.
struct waiting_request {
  call_ptr asked;
  hash256 id;
  std::uint64_t until_ms = 0;  // on the steady clock
  std::uint64_t height = 0;    // no block up to this one has the transaction
  /// The place among the requests that may wait. It is kept while the validator is asked.
  std::shared_ptr<const void> place = {};
};

/// The bytes of a blob on their way to a client, chunk by chunk.
struct blob_reading {
  blob_id blob;
  std::uint64_t next = 0;  // the place in the blob of the next byte
  std::uint64_t end = 0;   // behind the last byte that is wanted
  std::string host;
  std::uint64_t began_ms = 0;
  std::uint64_t written = 0;  // bytes
  http::body_stream to;
};

/// What waits until blobs may move again.
struct paced_read {
  std::string host;
  std::uint64_t bytes = 0;
  std::uint64_t until_ms = 0;  // on the steady clock; then it is given up
  std::function<void()> go_on, give_up;
};

/// Carries requests and the wishes of streams from the server's thread to the actor, which begins
/// later and ends earlier than the server.
class inbox {
 public:
  template <class What>
  void put(std::shared_ptr<What> what) {
    const std::lock_guard lock(mutex_);
    if (to_) caf::anon_send(to_, std::move(what));
  }
  void open(const gateway_actor& to) {
    const std::lock_guard lock(mutex_);
    to_ = to;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    to_ = nullptr;
  }

 private:
  std::mutex mutex_;
  gateway_actor to_;
};

struct gateway_state {
  gateway_ports ports;
  std::shared_ptr<inbox> in;
  gateway_options options;
  bytes genesis_bytes;  // empty until the validator has given them
  soma::genesis genesis;
  std::vector<call_ptr> early;  // requests that came before the genesis
  std::uint64_t height = 0;     // of the newest block that the last look saw
  std::uint64_t epoch = 0;      // of the next block, at that time
  std::uint64_t now_ms = 0;     // the steady clock at the last look
  std::uint64_t unix_ms = 0;    // Unix time at the last look
  bool is_looking = false;      // whether the validator has yet to say where the chain stands
  std::vector<waiting_request> waiting;
  std::shared_ptr<std::size_t> places_taken = std::make_shared<std::size_t>(0);
  event_streams streams;
  std::optional<faucet> giver;

  host_buckets checked{host_rates{}};  // signatures

  // Of blobs.
  host_buckets moved{host_rates{}};
  upload_book uploads{upload_limits{}};
  std::deque<paced_read> paced;
  std::vector<std::weak_ptr<blob_reading>> readings;
  std::map<blob_id, std::weak_ptr<const files::readable_file>> files;  // that are being sent
  std::size_t fetches = 0;  // from other homes, that are under way
  std::shared_ptr<std::size_t> surveys = std::make_shared<std::size_t>(0);  // under way
};
using self_pointer = gateway_actor::stateful_pointer<gateway_state>;

// Answers. Each is sent at most once for a call.
void reply_json(const call& to, const json::value& document, unsigned status = 200);
void reply_bytes(const call& to, std::string_view type, byte_view body);
/// The answer with how long it may be kept, as Cache-Control writes it.
[[nodiscard]] http::response with_caching(http::response answer,
                                          std::string_view caching = "no-store");
void reply_error(const call& to, unsigned status, std::string_view code, std::string_view message);
/// An error that passes within so many seconds.
void reply_later(const call& to, unsigned status, std::string_view code, std::string_view message,
                 std::uint32_t after_s);
/// The validator does not answer: 503, with the time after which to ask again.
void reply_silent(const call& to);
/// The question has no answer, by name: 404 when the thing is not there, 400 when the question is
/// wrong, 503 when the answer will be there soon.
void reply_refused(const call& to, schema::Refusal::Reader refusal);

/// Counts a signature that is about to be checked for this host. False: the host or all together
/// have caused as many checks as they may, and 429 was sent.
[[nodiscard]] bool may_check_signature(self_pointer self, const call& asked);

// Parameters. nullopt: a refusal with 400 was sent.
[[nodiscard]] std::optional<std::uint64_t> number_in(const call& asked, std::string_view name,
                                                     std::string_view text);
[[nodiscard]] std::optional<std::uint32_t> limit_of(const call& asked, std::uint32_t otherwise,
                                                    std::uint32_t most);
[[nodiscard]] std::optional<bytes> hex_in(const call& asked, std::string_view name,
                                          std::string_view text, std::size_t most_bytes);
/// Whether a parameter is there that is neither "false" nor "0". "", "true" and "1" turn it on.
[[nodiscard]] std::optional<bool> switch_in(const call& asked, std::string_view name);
[[nodiscard]] std::optional<hash256> id_in(const call& asked, std::string_view name,
                                           std::string_view text);

// What requests ask, read from their bytes and checked before a role hears of it. No actor is
// needed here, so that any bytes can be tried. nullopt: the request was refused.
/// A transaction in the body, as a message or in JSON: {"body": hex, "signature": hex}. It is at
/// most 256 KiB large and has a signature of 64 bytes.
[[nodiscard]] std::optional<message<schema::SubmitTransaction>> offer_in(const call& asked);

/// {"address": ...} in the body.
[[nodiscard]] std::optional<address> address_in(const call& asked);

/// A question for rows by their keys, as a message in the body.
[[nodiscard]] std::optional<message<schema::GetProvenRows>> keys_in(const call& asked);

/// The announcement of an upload in the body. It has as many hashes as its size needs, and the size
/// is that of the reservation.
[[nodiscard]] std::optional<message<schema::BeginPut>> announcement_in(const call& asked,
                                                                       const reservation& by);
/// Whether the hashes of an announcement are those of this blob.
[[nodiscard]] bool is_of(const message<schema::BeginPut>& announced, const blob_id& blob);

/// Which events are wanted.
[[nodiscard]] std::optional<stream_filter> filter_in(const call& asked);
/// The first place that is wanted: after Last-Event-ID, else `from`. It is empty if the request
/// names none.
[[nodiscard]] std::optional<std::optional<event_place>> first_place_in(const call& asked);

/// How many of the latest events an explanation may read; 0: as many as usual.
[[nodiscard]] std::optional<std::uint32_t> explained_events_in(const call& asked);

/// Refuses a request for an upload.
void refuse(const call& to, upload_refusal why);

/// Asks a role, and answers 503 if it is silent.
template <class Reply, class Role, class Request, class Then>
void ask_role(self_pointer self, const Role& role, const call_ptr& from,
              const message<Request>& question, Then then) {
  self->request(role, std::chrono::milliseconds(self->state.options.question_ms), question)
      .then([then](const message<Reply>& reply) { then(reply); },
            [from](const caf::error&) { reply_silent(*from); });
}
/// Asks the validator.
template <class Reply, class Request, class Then>
void ask(self_pointer self, const call_ptr& from, const message<Request>& question, Then then) {
  ask_role<Reply>(self, self->state.ports.validator, from, question, std::move(then));
}

/// Answers a question about the ledger.
void answer_facts(self_pointer self, const call_ptr& asked);
/// Begins a stream of events, or answers with a page of them.
void answer_events(self_pointer self, const call_ptr& asked);
/// Asks for the streams that have not seen the newest block.
void look_at_streams(self_pointer self);
/// Gives money to an address.
void answer_faucet(self_pointer self, const call_ptr& asked);
/// Tells why something was paid or not.
void answer_explanation(self_pointer self, const call_ptr& asked);
/// Describes a blob, or gives bytes of it.
void answer_blobs(self_pointer self, const call_ptr& asked);
/// Gives the next bytes to a client that has room for them.
void serve_reading(self_pointer self, const std::shared_ptr<blob_reading>& to);
/// Goes on with what waits until blobs may move again.
void look_at_paced(self_pointer self);
/// Moves bytes of blobs now, or when the rates let it; gives up when that is too late.
void paced(self_pointer self, paced_read what);
/// Begins an upload, or takes a chunk.
void answer_uploads(self_pointer self, const call_ptr& asked);
/// The blob store says why it does not do it.
void reply_blob_refused(const call& to, schema::Refusal::Reader refusal);
/// Takes a transaction, or says what became of one.
void answer_transactions(self_pointer self, const call_ptr& asked);
/// Asks again for what waits for a block, if there is a new one, and answers what has waited for as
/// long as it wanted.
void look_at_waiting(self_pointer self);

}  // namespace soma::gateway

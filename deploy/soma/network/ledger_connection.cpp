#include "deploy/soma/network/ledger_connection.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <chrono>
#include <future>

#include "actors/blob_store/transfer.hpp"
#include "actors/gateway_client/gateway_answer.hpp"
#include "actors/interface/describe_error.hpp"
#include "actors/wallet/wallet.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::cli {
namespace {

constexpr std::chrono::seconds patience(30);
constexpr std::uint32_t rows_per_page = 1'024;

unexpected<failure> nobody(const run_context& context) {
  const bool has_ledger = find_ledger(context, {}).has_value();
  return failed(
      "there is no validator to send this to",
      has_ledger ? "a stored ledger takes no transactions: a local network has ended, "
                   "and a node's validator must be named"
                 : "no validator was named",
      "name a gateway with --join https://HOST:PORT, or start a validator with `soma node "
      "run` and name it with --join HOST:PORT");
}

}  // namespace

ledger_connection::ledger_connection(const cluster::cluster_identity& identity, mesh::host_port at)
    : config_(identity, 2), system_(config_), at_(std::move(at)) {}

ledger_connection::~ledger_connection() {
  system_.await_actors_before_shutdown(false);
}

expected<std::unique_ptr<ledger_connection>, failure> ledger_connection::open(
    const run_context& context, const ledger_place& place) {
  const auto at = place.validator(context);
  if (!at) return make_unexpected(at.error());
  if (!*at) return nobody(context);
  const auto identity = place.identity(context);
  if (!identity) return make_unexpected(identity.error());
  std::unique_ptr<ledger_connection> made(new ledger_connection(*identity, **at));
  auto role = cluster::connect_role<validator::validator_actor>(made->system_, **at);
  if (!role) {
    return failed("cannot reach a validator at " + mesh::to_text(**at), role.error(),
                  "check that `soma node run` runs there with a [roles.validator] that listens");
  }
  made->validator_ = std::move(*role);
  const auto reply = made->ask<schema::GenesisBytes>(message<schema::GetGenesis>{});
  made->set_genesis(decoded<soma::genesis>(view_of(reply.root().getGenesis())));
  return made;
}

template <class Reply, class Request>
message<Reply> ledger_connection::ask(const message<Request>& request) {
  std::optional<message<Reply>> answer;
  std::string why;
  caf::scoped_actor self(system_);
  self->request(validator_, patience, request)
      .receive([&](const message<Reply>& reply) { answer = reply; },
               [&](const caf::error& error) { why = describe_error(error); });
  if (!answer) {
    throw source_failure(where() + " does not answer (" + why +
                         "); check that it runs, and give the same command again");
  }
  return std::move(*answer);
}

std::string ledger_connection::where() const {
  return "the validator at " + mesh::to_text(at_);
}

std::optional<bytes> ledger_connection::find(byte_view key) {
  const auto reply =
      ask<schema::Row>(message<schema::GetRow>::build([&](auto out) { out.setKey(data_of(key)); }));
  if (!reply.root().getFound()) return std::nullopt;
  return bytes_of(reply.root().getValue());
}

void ledger_connection::scan_index(tables::row_index index, byte_view prefix,
                                   const tables::row_visitor& visit) {
  const auto from = [&] {
    switch (index) {
      case tables::row_index::targets_by_epoch:
        return schema::RowSource::TARGETS_BY_EPOCH;
      case tables::row_index::targets_undecided:
        return schema::RowSource::TARGETS_UNDECIDED;
      case tables::row_index::target_counts:
        return schema::RowSource::TARGET_COUNTS;
      case tables::row_index::model_counts:
        break;
    }
    return schema::RowSource::MODEL_COUNTS;
  }();
  scan_pages(from, prefix, visit);
}

void ledger_connection::scan_pages(schema::RowSource from, byte_view prefix,
                                   const tables::row_visitor& visit) {
  bytes after;
  for (bool more = true; more;) {
    const auto page = ask<schema::Rows>(message<schema::GetRows>::build([&](auto out) {
      out.setPrefix(data_of(prefix));
      out.setAfter(data_of(byte_view(after)));
      out.setMost(rows_per_page);
      out.setFrom(from);
    }));
    for (const auto& row : page.root().getRows()) {
      if (!visit(view_of(row.getKey()), view_of(row.getValue()))) return;
      after = bytes_of(row.getKey());
    }
    more = page.root().getMore() && page.root().getRows().size() > 0;
  }
}

message<schema::ChainStatus> ledger_connection::status() {
  return ask<schema::ChainStatus>(message<schema::GetChain>{});
}

std::optional<ledger_source::running_validator> ledger_connection::validator_now() {
  const auto now = status();
  const auto root = now.root();
  return running_validator{root.getSigning(),
                           root.getSigns(),
                           root.getView(),
                           root.getPeers(),
                           root.getPendingTransactions(),
                           root.getBuild()};
}

offered ledger_connection::offer(const signed_transaction& transaction) {
  const auto reply = ask<schema::SubmitReceipt>(wallet::offer(transaction));
  const auto refusal = reply.root().getRefusal();
  return {validator::offer_refusal_of(refusal), why_of(refusal)};
}

transaction_state ledger_connection::state_of(const transaction_id& id, std::uint32_t) {
  const auto reply = ask<schema::TransactionStatus>(
      message<schema::GetTransaction>::build([&](auto out) { out.setId(data_of(id)); }));
  return read_state(reply.root());
}

std::optional<std::vector<public_key>> ledger_connection::holders_of(const blob_id& blob,
                                                                     std::uint64_t size_bytes,
                                                                     std::uint32_t within_ms) {
  const auto reply = ask<schema::Holders>(message<schema::GetHolders>::build([&](auto out) {
    out.setBlob(data_of(blob));
    out.setSizeBytes(size_bytes);
    out.setWithinMs(within_ms);
  }));
  if (!reply.root().getCanAsk()) return std::nullopt;
  std::vector<public_key> keys;
  for (const auto& key : reply.root().getKeys()) {
    if (const auto read = array_of<32>(key)) keys.push_back(*read);
  }
  return keys;
}

expected<proven_row, failure> ledger_connection::prove(const row_key& key) {
  const auto reply = ask<schema::ProvenRows>(message<schema::GetProvenRows>::build(
      [&](auto out) { out.initKeys(1).set(0, data_of(byte_view(key))); }));
  const auto read = gateway_client::read_rows(bytes(reply.bytes().begin(), reply.bytes().end()));
  if (!read || read->rows.size() != 1) {
    return failed("cannot prove a row", why_of(reply.root().getRefusal()));
  }
  return proven_row{read->headers.front(), key, read->rows[0].value, read->rows[0].proof};
}

expected<explain::explanation, failure> ledger_connection::explain(const std::string& what,
                                                                   std::uint32_t events) {
  const auto reply = ask<schema::Explanation>(message<schema::GetExplanation>::build([&](auto out) {
    out.setWhat(what);
    out.setEvents(events);
  }));
  return read_explained(what, reply.root());
}

expected<gateway_client::gift, failure> ledger_connection::ask_faucet(const address&) {
  return failed("cannot ask for money", where() + " has no faucet: gateways have",
                "name a gateway with --join https://HOST:PORT");
}

outcome ledger_connection::connect_blobs(const mesh::host_port& at) {
  auto role = cluster::connect_role<blob_store::blob_store_actor>(system_, at);
  if (!role) {
    return failed("cannot reach a blob store at " + mesh::to_text(at), role.error(),
                  "check that `soma node run` runs there with a [roles.blob_store] that listens");
  }
  blobs_ = std::move(*role);
  return {};
}

/// The blob store as if it were a gateway, so that one way of fetching serves both.
std::vector<gateway_client::blob_gateway> ledger_connection::blob_gateways() {
  using gateway_client::fetched;
  using failed = gateway_client::fetch_error;
  using enum gateway_client::fetch_failure;
  gateway_client::blob_port port;
  port.describe = [this](const blob_id& blob) -> fetched {
    fetched out = make_unexpected(failed(silent));
    caf::scoped_actor self(system_);
    self->request(blobs_, patience,
                  message<schema::GetBlob>::build([&](auto to) { to.setBlob(data_of(blob)); }))
        .receive(
            [&](const message<schema::BlobDescription>& reply) {
              out = bytes(reply.bytes().begin(), reply.bytes().end());
            },
            [&](const caf::error& error) {
              out = make_unexpected(failed(silent, describe_error(error)));
            });
    return out;
  };
  port.read = [this](const blob_id& blob, std::uint64_t from, std::uint64_t size,
                     const gateway_client::byte_taker& take) -> fetched {
    caf::scoped_actor self(system_);
    std::optional<failed> why;
    bool goes_on = true;
    for (auto at = from; at < from + size && goes_on && !why;) {
      const auto number = static_cast<std::uint32_t>(at / blob_store::chunk_bytes);
      self->request(blobs_, patience, message<schema::GetChunk>::build([&](auto to) {
                      to.setBlob(data_of(blob));
                      to.setNumber(number);
                    }))
          .receive(
              [&](const message<schema::Chunk>& reply) {
                const auto data = view_of(reply.root().getData());
                if (data.empty()) why.emplace(silent, why_of(reply.root().getRefusal()));
                at += data.size();
                goes_on = !data.empty() && take(data);
              },
              [&](const caf::error& error) { why.emplace(silent, describe_error(error)); });
    }
    if (why) return make_unexpected(*why);
    return bytes{};
  };
  return {{"the blob store", {std::move(port)}}};
}

blob_id ledger_connection::put_blob(bytes data, const crypto::key_pair&) {
  using put = expected<blob_id, blob_store::transfer_refusal>;
  std::promise<put> promise;
  auto result = promise.get_future();
  system_.spawn([&](caf::event_based_actor* self) {
    blob_store::store_blob<caf::event_based_actor*>(self, blobs_, std::move(data),
                                                    [&](put done) { promise.set_value(done); });
  });
  const auto done = result.get();
  if (!done) {
    const bool is_gone = done.error() == blob_store::transfer_refusal::store_failed;
    throw source_failure(is_gone ? "the blob store does not answer; check that it runs. The "
                                   "same command continues where this one stopped"
                                 : "the blob store did not take the weights: its quota or its disk "
                                   "is full; make room there and give the same command again");
  }
  return *done;
}

}  // namespace soma::cli

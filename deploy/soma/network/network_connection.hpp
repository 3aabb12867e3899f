// A connection to a running network: it reads the ledger, offers transactions, and asks what became
// of them. There are two kinds: the door of a validator, over CAF and mutual TLS, for processes of
// its operator; and gateways, over HTTPS, for everybody.
#pragma once

#include "actors/cluster/cluster.hpp"
#include "actors/explain/explanation.hpp"
#include "actors/gateway_client/blob_file.hpp"
#include "actors/gateway_client/http_fetch.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "deploy/soma/network/ledger_place.hpp"
#include "deploy/soma/source/ledger_source.hpp"
#include "messages/schema/public_answers.capnp.h"
#include "messages/values/proofs.hpp"
#include "messages/values/transactions.hpp"

namespace soma::cli {

/// The answer to an offered transaction.
struct offered {
  validator::offer_refusal refusal;
  std::string why;  // for a person
};

/// What became of a transaction. Height 0 means that no block has it.
struct transaction_state {
  block_height height;
  epoch_number epoch;
  rules::refused refusal;
  std::string why;  // for a person
  shannons fee;
};
[[nodiscard]] transaction_state read_state(schema::TransactionStatus::Reader from);

/// The explanation in an answer, with its texts made fit for a terminal, or why there is none.
[[nodiscard]] expected<explain::explanation, failure> read_explained(
    const std::string& what, schema::Explanation::Reader from);

class network_connection : public ledger_source {
 public:
  /// Connects to the gateways or the validator that `place` names. A refusal says what to start or
  /// to name.
  [[nodiscard]] static expected<std::unique_ptr<network_connection>, failure> open(
      const run_context& context, const ledger_place& place);

  [[nodiscard]] virtual message<schema::ChainStatus> status() = 0;
  [[nodiscard]] virtual offered offer(const signed_transaction& transaction) = 0;
  /// The answer may wait for a block that has the transaction, but at most for `wait_ms`.
  [[nodiscard]] virtual transaction_state state_of(const transaction_id& id,
                                                   std::uint32_t wait_ms = 0) = 0;

  /// The consensus keys of the members of the committee that say that they have a blob of this
  /// size, asked for at most `within_ms`. nullopt when this connection cannot ask them.
  [[nodiscard]] virtual std::optional<std::vector<public_key>> holders_of(
      const blob_id& blob, std::uint64_t size_bytes, std::uint32_t within_ms) = 0;

  /// A row, or its absence, with what proves it against the state root of a final block. Fails if
  /// nothing can be proven yet.
  [[nodiscard]] virtual expected<proven_row, failure> prove(const row_key& key) = 0;
  /// Why something was paid or not, or what an epoch did, from at most so many of the latest events
  /// of a model or an address. `what` is an id, its first digits, or the number of an epoch. The
  /// texts are fit for a terminal. Nothing of it is proven.
  [[nodiscard]] virtual expected<explain::explanation, failure> explain(const std::string& what,
                                                                        std::uint32_t events) = 0;

  /// Asks a faucet for money for this address, and returns the transaction that brings it. Fails
  /// where there is no faucet, or when it gives nothing.
  [[nodiscard]] virtual expected<gateway_client::gift, failure> ask_faucet(const address& to) = 0;

  /// Connects to the blob store into which put_blob() puts. Refuses if it cannot be reached.
  [[nodiscard]] virtual outcome connect_blobs(const mesh::host_port& at) = 0;
  /// Whether blobs need no address of their own: gateways give and take them.
  [[nodiscard]] virtual bool carries_blobs() const = 0;
  /// Stores a blob. When it returns, the blob is durable there, or a gateway says so. Gateways take
  /// it for the account of this key. Throws source_failure if it is not taken.
  virtual blob_id put_blob(bytes data, const crypto::key_pair& owner) = 0;
  /// Stores the blob again, with a gateway that has not taken it yet, because nothing proves that
  /// one that said so has kept it. False if there is no other. Throws as put_blob() does.
  virtual bool put_blob_elsewhere(bytes, const crypto::key_pair&) { return false; }
  /// Fetches a blob of this size into a file, where it goes on after a kill. Every byte is proven
  /// by the blob's name. Throws source_failure if nobody gives it, or a stop is asked for.
  void get_blob(const blob_id& blob, std::uint64_t size_bytes, gateway_client::blob_file& into);

 protected:
  /// Those who can be asked for blobs.
  [[nodiscard]] virtual std::vector<gateway_client::blob_gateway> blob_gateways() = 0;
};

}  // namespace soma::cli

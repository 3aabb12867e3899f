// Where a verb reads the ledger: a stored ledger on this machine, a validator of a running network,
// or gateways to one (deploy/soma/network). Rows are read by key or by prefix. The rules read
// through the same interface, so a transaction can be tried out before it is sent. What must hold:
// a source never writes to a ledger. If the connection is lost while a verb reads, the source
// throws source_failure, whose text says what to do.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "deploy/soma/source/localnet_home.hpp"
#include "messages/codec/codec.hpp"
#include "messages/schema/validator.capnp.h"
#include "storage/tables/event_table.hpp"
#include "storage/tables/row_table.hpp"

namespace soma::cli {

struct source_failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ledger_source {
 public:
  virtual ~ledger_source() = default;
  ledger_source(const ledger_source&) = delete;
  ledger_source& operator=(const ledger_source&) = delete;

  [[nodiscard]] virtual std::optional<bytes> find(byte_view key) = 0;
  /// The same for several keys, in their order. A source that is far away answers them at once.
  [[nodiscard]] virtual std::vector<std::optional<bytes>> find_many(std::span<const row_key> keys);
  /// Visits the rows whose key begins with `prefix`, in the order of their keys, until `visit`
  /// returns false. `prefix` must not be empty.
  virtual void scan(byte_view prefix, const tables::row_visitor& visit) = 0;
  /// Visits the events of an account, the latest first, until `visit` returns false. Returns false
  /// if this source has no events: a validator answers about rows only.
  virtual bool visit_events_of(const address&, const tables::event_visitor&) { return false; }
  /// Visits the records of an index of rows (storage/tables/row_table.hpp) whose key begins with
  /// `prefix`, which may be empty, in the order of their keys, until `visit` returns false.
  virtual void scan_index(tables::row_index index, byte_view prefix,
                          const tables::row_visitor& visit) = 0;
  /// The ids of a list of the state (protocol §11.6), in ascending order. Where rows are proven, it
  /// is proven that none is left out. Throws source_failure if the list changes faster than it can
  /// be read, which takes more than 16,000 entries.
  [[nodiscard]] std::vector<hash256> listed(list_kind which);
  /// The targets that were opened in an epoch, and all targets that are open, filled or revealed.
  /// Both cost time for what they return, and not for all targets that ever were.
  [[nodiscard]] std::vector<tables::listed_status> targets_of(epoch_number epoch);
  [[nodiscard]] std::vector<tables::listed_status> undecided_targets();
  /// How many targets or models there are with each status that any has.
  [[nodiscard]] std::map<target_status, std::uint64_t> target_counts();
  [[nodiscard]] std::map<model_status, std::uint64_t> model_counts();
  /// The place that is read, for messages: "the ledger in …" or "the validator at …".
  [[nodiscard]] virtual std::string where() const = 0;

  /// What is proven of the rows that this source reads. The reader's own machine and own validator
  /// need no proof.
  enum class evidence : std::uint8_t {
    own,      // it is believed as it is
    rows,     // each row is proven, and that a list of the state (listed()) leaves none out
    nothing,  // the person asked for rows without proofs
  };
  [[nodiscard]] virtual evidence proven() const { return evidence::own; }

  /// How a running validator takes part in its network, for people to read. A stored ledger has no
  /// validator, so it returns nullopt.
  struct running_validator {
    schema::SigningState signing{};
    bool signs = false;
    std::uint64_t view = 0;
    std::uint32_t peers = 0;
    std::uint32_t waiting = 0;  // transactions that wait for a block
    std::string build;          // version and commit of its program; empty for an older one
  };
  [[nodiscard]] virtual std::optional<running_validator> validator_now() { return std::nullopt; }

  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] const chain_id& chain_of() const { return chain_; }
  /// The names of models and accounts that have one: a local network names its own.
  [[nodiscard]] const localnet_names& names() const { return names_; }

  /// The row with that key; nullopt if there is none.
  template <class Row>
  [[nodiscard]] std::optional<Row> row(const row_key& key) {
    const auto value = find(key);
    if (!value) return std::nullopt;
    return decoded<Row>(*value);
  }
  /// Decodes a row. Throws source_failure if it does not decode: another version wrote it.
  template <class Row>
  [[nodiscard]] static Row decoded(byte_view value) {
    auto out = decode<Row>(value);
    if (!out) {
      throw source_failure("a row of the ledger is of another version: " +
                           std::string(to_text(out.error())));
    }
    return std::move(*out);
  }
  [[nodiscard]] chain_row chain();

 protected:
  ledger_source() = default;
  void set_genesis(soma::genesis genesis);
  soma::genesis genesis_;
  chain_id chain_;
  localnet_names names_;
};

/// Says for programs what is proven of a list, as the member "proven" of the facts: "complete"
/// (each row, and that none is left out), "rows" (each row) or "nothing". It says nothing about an
/// own ledger.
void add_evidence(json& facts, const ledger_source& source, bool is_complete = false);
/// The same for people, as a note on stderr: `proven_or_not` where rows are proven, if it is not
/// empty, and otherwise that nothing is. It says what is proven and what has to be believed: "that
/// no stake is left out is the gateway's word".
void note_evidence(const ledger_source& source, std::string_view proven_or_not);

/// Opens a ledger on this machine for reading; stored_ledger.hpp says which one `named` means.
[[nodiscard]] expected<std::unique_ptr<ledger_source>, failure> open_stored_source(
    const run_context& context, const std::filesystem::path& named);

}  // namespace soma::cli

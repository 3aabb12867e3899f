// Where a verb reads the ledger: a stored one on this machine, or a validator of a running network.
// Rows are asked for by key or by prefix; the rules read through the same door, so a transaction
// can be tried out before it is sent. What must hold: a source never writes. A source that goes
// away in the middle throws source_failure, whose text says what to do.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "actors/cluster/cluster.hpp"
#include "actors/cluster/system_config.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/options.hpp"
#include "deploy/soma/shell/verb.hpp"
#include "messages/codec/codec.hpp"
#include "messages/schema/validator.capnp.h"
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
  /// Rows whose key begins with `prefix`, which is not empty, in the order of keys, while visit
  /// says true.
  virtual void scan(byte_view prefix, const tables::row_visitor& visit) = 0;
  /// "the ledger in …" or "the validator at …".
  [[nodiscard]] virtual std::string where() const = 0;

  /// What a running validator is to its peers, for people; of a stored ledger there is nothing.
  struct running_validator {
    schema::SigningState signing{};
    bool signs = false;
    std::uint64_t view = 0;
    std::uint32_t peers = 0;
    std::uint32_t waiting = 0;  // transactions
  };
  [[nodiscard]] virtual std::optional<running_validator> validator_now() { return std::nullopt; }

  [[nodiscard]] const soma::genesis& genesis() const { return genesis_; }
  [[nodiscard]] const chain_id& chain_of() const { return chain_; }
  /// Names of those models that were given one.
  [[nodiscard]] const std::map<model_id, std::string>& names() const { return names_; }

  template <class Row>
  [[nodiscard]] std::optional<Row> row(const row_key& key) {
    const auto value = find(key);
    if (!value) return std::nullopt;
    return decoded<Row>(*value);
  }
  /// A row of the ledger that does not decode was written by another version.
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
  std::map<model_id, std::string> names_;
};

/// The options by which a verb finds its ledger.
struct ledger_place {
  std::filesystem::path ledger;
  std::string join;
  std::filesystem::path certificate, certificate_key, ca;

  void declare(option_set& options);
  /// Where a validator listens: --join, else that of the node whose configuration is in force.
  /// nullopt when there is neither; a refusal when --join is none.
  [[nodiscard]] expected<std::optional<mesh::host_port>, failure> validator(
      const run_context& context) const;
  /// The same for the role of that name, with what was given on the command line.
  [[nodiscard]] static expected<std::optional<mesh::host_port>, failure> role(
      const run_context& context, const std::string& option, const std::string& given,
      const std::string& role);
  /// Certificate, key and CA: the options, else the [tls] of the configuration in force.
  [[nodiscard]] expected<cluster::cluster_identity, failure> identity(
      const run_context& context) const;
};

/// For reading: --join asks a validator; otherwise what lies on this machine, and where nothing
/// does, the configured validator.
[[nodiscard]] expected<std::unique_ptr<ledger_source>, failure> open_source(
    const run_context& context, const ledger_place& place);

}  // namespace soma::cli

// One validator of `soma bench consensus`: it does around the consensus core what the validator
// actor does, but without the actor. The transactions that the validators are offered are made here
// too.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/consensus/runner.hpp"
#include "actors/execution/execution_tree.hpp"
#include "actors/execution/ledger_position.hpp"
#include "actors/validator/ed25519_ports.hpp"
#include "deploy/soma/bench/bench_consensus.hpp"
#include "storage/votes/voting_record_store.hpp"

namespace soma::cli {

/// A transaction of the load. The benchmark refers to it by its number, its index in
/// consensus_offer::all.
struct offered_transaction {
  signed_transaction sent;
  transaction_id id;
  public_key by{};          // its sender's key
  std::uint64_t at_us = 0;  // when it is sent
  std::uint32_t to = 0;     // the validator to which its sender sends it
};

struct consensus_offer {
  soma::genesis genesis;
  std::vector<offered_transaction> all;
  std::map<transaction_id, std::size_t> numbers;
};

/// Makes the key pairs of `count` validators; the same seed gives the same keys.
[[nodiscard]] std::vector<crypto::key_pair> make_validators(std::uint32_t count,
                                                            std::uint64_t seed);
/// Makes signed transfers, spread evenly over time, senders and validators.
[[nodiscard]] consensus_offer make_offer(const std::vector<public_key>& validators,
                                         std::uint64_t start_ms, double transactions_per_s,
                                         double seconds, std::uint64_t seed);
/// Seconds that OpenSSL alone takes to verify the signatures of the first `count` transactions.
[[nodiscard]] double seconds_to_verify(const consensus_offer& offer, std::size_t count);

/// Processor time that the calling thread has used so far.
[[nodiscard]] double thread_seconds();

/// Adds to `into` what the blocks after height `from` hold, up to the height of the lowest of these
/// ledgers. Returns an explanation when two ledgers differ in a block, else nullopt.
[[nodiscard]] std::optional<std::string> read_ledgers(
    const std::vector<const tables::ledger_store*>& ledgers, block_height from,
    consensus_figures& into);

class consensus_member final : public consensus::payload_source, private consensus::effect_ports {
 public:
  consensus_member(const consensus_offer& load, const crypto::key_pair& key, std::uint32_t number,
                   const std::filesystem::path& folder);

  // The next four are what the last event produced; the caller takes them.
  struct outgoing {
    std::vector<consensus::peer_number> to;
    std::shared_ptr<const bytes> message;
    std::uint64_t agreement_bytes::*counted;  // where its bytes belong
  };
  std::vector<outgoing> sent;
  std::vector<consensus::set_timer> timers_set;
  std::vector<std::size_t> now_final;  // numbers of transactions that have become final
  std::string trouble;                 // an error that must not happen in a benchmark; else empty

  /// Takes a transaction, which came from its sender or from another validator.
  void take(std::size_t number);
  /// Handles an event and all events that follow from it immediately.
  void run(consensus::event first, std::uint64_t now_ms);

  [[nodiscard]] std::uint64_t height() const { return work_.chain().height.value; }
  [[nodiscard]] const tables::ledger_store& ledger() const { return *ledger_; }
  /// Votes whose signatures were verified.
  [[nodiscard]] std::uint64_t verified() const { return checker_.verified(); }

  [[nodiscard]] std::vector<signed_transaction> next_payload(
      const std::vector<block_ptr>& ancestors, std::size_t max_bytes,
      std::size_t max_count) const override;

 private:
  void fail(std::string why);
  void apply(consensus::persist wanted) override;
  void apply(consensus::send wanted) override;
  void apply(consensus::set_timer wanted) override;
  void apply(consensus::execute wanted) override;
  void apply(consensus::commit wanted) override;
  void apply(consensus::base_moved wanted) override;
  void apply(consensus::report wanted) override;
  void apply(consensus::blame wanted) override;
  void apply(consensus::alarm wanted) override;

  const consensus_offer& load_;
  std::unique_ptr<tables::ledger_store> ledger_;
  execution::execution_tree work_;
  validator::key_signer signer_;
  validator::vote_checker checker_;
  execution::ledger_archive archive_;
  std::unique_ptr<votes::voting_record_store> votes_;
  std::unique_ptr<consensus::runner> runner_;
  std::set<std::size_t> waiting_, done_;
};

}  // namespace soma::cli

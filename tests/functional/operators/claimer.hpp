// People who claim targets of a running network, honestly or not. Each claim goes through the home
// of one operator: its validator takes the transactions, its blob store the data.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "actors/blob_store/blob_store_actor.hpp"
#include "actors/validator/validator_actor.hpp"
#include "messages/values/blocks.hpp"
#include "model/scoring/engine.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/functional/cluster.hpp"
#include "tests/functional/validator_network.hpp"

namespace soma::support {

enum class conduct : std::uint8_t {
  honest,
  wrong_loss,      // claims half the loss
  wrong_winner,    // names another model than the one that won
  wrong_distance,  // claims a smaller distance
  wrong_size,      // claims one byte more than the data has
  unavailable,     // reveals data that it gives to nobody
  never_reveals,
  copies_claim,  // claims what another one has claimed, and so can never reveal
};
inline constexpr std::size_t conducts = 8;
[[nodiscard]] const char* to_text(conduct how);

struct made_claim {
  target_id target;
  conduct how{};
  address sender;
};

/// The roles of an operator to which a person talks.
struct operator_doors {
  validator::validator_actor validator;
  blob_store::blob_store_actor blobs;
};

class claimer {
 public:
  /// `ledger` is read beside the node that writes it.
  claimer(caf::actor_system& system, const validator_network& net,
          std::shared_ptr<tables::ledger_store> ledger);

  /// These weights were published, so that it can score with them.
  void knows(const weights::model_weights& model);

  /// Sends a transaction and waits until a block has it, or until no block can have it any more.
  /// Returns its id; nullopt when no block has executed it.
  [[nodiscard]] std::optional<transaction_id> send(const operator_doors& home,
                                                   const crypto::key_pair& who,
                                                   transaction_kind kind);
  /// Stores a blob in the home. False when it is not stored within the time.
  [[nodiscard]] bool store(const operator_doors& home, const bytes& data);
  /// Claims one open target, and reveals the data if it is of that conduct. nullopt when no target
  /// could be claimed now.
  [[nodiscard]] std::optional<made_claim> claim(conduct how, const crypto::key_pair& who,
                                                const operator_doors& home);

 private:
  struct found_score {
    std::size_t winner = 0;  // among the target's assigned versions
    std::vector<std::uint32_t> loss_bits;
    std::uint32_t distance_q30 = 0;
    data_hash data;
  };
  [[nodiscard]] std::optional<target_id> open_target();
  [[nodiscard]] std::optional<found_score> score(const target_id& target, const target_row& row,
                                                 const bytes& data);
  [[nodiscard]] bool may_be_claimed(conduct how, const target_row& row,
                                    const found_score& found) const;

  caf::actor_system& system_;
  const validator_network& net_;
  std::shared_ptr<tables::ledger_store> ledger_;
  std::map<weights_hash, std::unique_ptr<scoring::scoring_engine>> engines_;
  std::set<target_id> tried_;
  std::optional<target_id> last_claimed_;
  std::uint64_t pieces_ = 0;
};

}  // namespace soma::support

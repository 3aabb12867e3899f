// The voting record as a validator uses it: read whenever the role starts, and written before a
// vote or a proposal is sent. What must hold: a record that cannot be read as a whole is never
// taken for an empty one. It counts as missing, and the consensus then fences the key, so that it
// signs nothing for a time. The record opens as missing again until that fence is written into it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "actors/consensus/simplex.hpp"
#include "storage/votes/voting_record_store.hpp"

namespace soma::validator {

class vote_memory {
 public:
  /// Opens the record and locks it against other processes. Throws lmdb::failure.
  vote_memory(std::filesystem::path directory, const chain_id& chain, const public_key& key,
              votes::voting_record_options options = {});

  /// Reads from the disk what the key has signed so far. Throws lmdb::failure.
  [[nodiscard]] consensus::recalled recall();
  /// The state of the record when the constructor opened it. damage() says what is damaged in it,
  /// and is empty for a record without damage.
  [[nodiscard]] consensus::record_state found() const { return found_; }
  [[nodiscard]] const std::string& damage() const { return damage_; }

  /// The batch is durable when the call returns. Throws lmdb::failure. After storage_full the
  /// caller may call resume() and write the batch again.
  void write(const record_batch& batch);
  void resume();

 private:
  [[nodiscard]] voting_record open();

  std::filesystem::path directory_;
  chain_id chain_;
  public_key key_;
  votes::voting_record_options options_;
  std::unique_ptr<votes::voting_record_store> store_;
  consensus::record_state state_ = consensus::record_state::missing;
  consensus::record_state found_ = consensus::record_state::missing;
  std::string damage_;
};

}  // namespace soma::validator
